/**
 * The steps of the chart as a table, newest first. What is behind a line of it opens by its time, as behind a bar by a click.
 */

import { element } from './dom.js';
import { DASH, heading, score, span, whole } from './format.js';
import { TEXT } from './words.js';

/**
 * @typedef {object} Shown
 * @property {import('./history.js').Chart} data
 * @property {import('./ranges.js').Range} range
 * @property {{label: string, index: number}[]} labels those that have a column, and where their counts are
 * @property {(seconds: number) => string} time
 * @property {(first: number, end: number) => void} onOpen hears of which steps somebody wants to see what is behind them
 */

/** @param {HTMLElement} place @param {Shown} shown */
export function drawTable(place, { data, range, labels, time, onOpen }) {
  const { times, counts, means, hasScores, total, gaps } = data;
  const head = element('tr', '', headCell(TEXT.chart.from), ...labels.map(({ label }) => headCell(heading(label), 'end')));
  if (hasScores) head.append(headCell(TEXT.chart.meanScore, 'end'));
  const rows = [];
  const { stepMs, pointMs, rowMs = pointMs, name } = range;
  const length = rowMs / stepMs;
  const isKnown = (/** @type {number} */ first, /** @type {number} */ end) => !gaps.some(({ from, to }) => from <= times[first] * 1000 && times[end - 1] * 1000 + stepMs <= to);
  for (let last = times.length; last > 0; last -= length) {
    const [first, end] = [Math.max(0, last - length), last];
    const sum = (/** @type {number} */ index) => counts[index].slice(first, end).reduce((left, right) => left + right, 0);
    const start = headCell('');
    start.append(opener(time(times[first]), times[first], () => onOpen(first, end)));
    start.scope = 'row';
    const row = element('tr', '', start, ...labels.map(({ index }) => element('td', 'end', whole(isKnown(first, end) ? sum(index) : null))));
    if (hasScores) row.append(element('td', 'end', weighted(counts, means, first, end)));
    rows.push(row);
  }
  const caption = element('caption', 'unseen', TEXT.chart.caption(TEXT.ranges[name].within, whole(total), span(rowMs)));
  const focused = /** @type {HTMLElement | null} */ (place.querySelector('button:focus'))?.dataset.from;
  place.replaceChildren(element('table', '', caption, element('thead', '', head), element('tbody', '', ...rows)));
  // Whoever is at a line stays there while its numbers change.
  if (focused !== undefined) /** @type {HTMLElement | null} */ (place.querySelector(`[data-from="${focused}"]`))?.focus({ preventScroll: true });
}

/** @param {string} text @param {number} from @param {() => void} onOpen */
function opener(text, from, onOpen) {
  const button = element('button', 'link', text);
  button.type = 'button';
  button.dataset.from = String(from);
  button.setAttribute('aria-haspopup', 'dialog');
  button.addEventListener('click', onOpen);
  return button;
}

/** The mean over some steps, each as heavy as it has items. @param {number[][]} counts @param {(number | null)[]} means @param {number} first @param {number} end */
function weighted(counts, means, first, end) {
  let [sum, weight] = [0, 0];
  for (let index = first; index < end; index += 1) {
    const mean = means[index];
    if (mean === null) continue;
    const count = counts.reduce((total, column) => total + column[index], 0);
    sum += mean * count;
    weight += count;
  }
  return weight === 0 ? DASH : score(sum / weight);
}

/** @param {string} text @param {string} [className] */
function headCell(text, className = '') {
  const cell = element('th', className, text);
  cell.scope = 'col';
  return cell;
}
