/**
 * The last hour minute by minute: how many of each label, one above the other, and the mean score. The only file that knows uPlot,
 * which is fetched once the page has been painted. Who cannot see it, or does not want to, reads the same numbers as a table.
 */

import { chartOptions } from './chart_options.js';
import { DASH, heading, hourMinute, score, whole, words } from './format.js';
import { element, setText } from './dom.js';

const OTHER = 'other';
/** Minutes in one row of the table. */
const ROW_STEPS = 5;

/**
 * @typedef {import('./history.js').Chart} ChartData
 * @typedef {{box: HTMLElement, legend: HTMLElement, time: HTMLElement, empty: HTMLElement, table: HTMLElement, toggle: HTMLElement}} Nodes
 */

export class Chart {
  #nodes;
  #labels;
  #tones;
  /** @type {any} */
  #plot = null;
  /** @type {any} */
  #library = null;
  /** @type {ChartData | null} */
  #data = null;
  #isTable = false;
  /** Whether the plot has a line for scores; it is made anew when that changes. */
  #hasScores = true;
  /** @type {HTMLElement[]} one for each label, one for all others, one for the mean */
  #values = [];
  /** @type {HTMLElement[]} */
  #keys = [];
  /** @type {number | null} the minute under the pointer */
  #minute = null;

  /** @param {Nodes} nodes @param {readonly string[]} labels @param {(label: string) => string} toneOf */
  constructor(nodes, labels, toneOf) {
    this.#nodes = nodes;
    this.#labels = [...labels, OTHER];
    this.#tones = this.#labels.map(toneOf);
    for (const [index, label] of this.#labels.entries()) this.#addKey(words(label), `key ${this.#tones[index]}`);
    this.#addKey('mean score', 'key key-mean');
    nodes.toggle.addEventListener('click', () => this.#showTable(!this.#isTable));
  }

  /** Fetches what draws. */
  async load() {
    const style = element('link');
    style.rel = 'stylesheet';
    style.href = 'vendor/uplot.css';
    const styled = new Promise((resolve, reject) => {
      style.addEventListener('load', resolve);
      style.addEventListener('error', reject);
    });
    document.head.append(style);
    const [library] = await Promise.all([import('../vendor/uplot.js'), styled]);
    this.#library = library.default;
    new ResizeObserver(() => this.#fit()).observe(this.#nodes.box);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#make());
    matchMedia('(forced-colors: active)').addEventListener('change', () => this.#make());
    this.#make();
  }

  /** Says that there will be only the table. */
  failed() {
    this.#showTable(true);
    this.#nodes.toggle.hidden = true;
  }

  /** @param {ChartData} data */
  draw(data) {
    this.#data = data;
    this.#nodes.empty.hidden = data.total > 0 || this.#isTable;
    const hasOther = data.counts[this.#labels.length - 1].some((count) => count > 0);
    this.#keys[this.#labels.length - 1].hidden = !hasOther;
    this.#keys[this.#labels.length].hidden = !data.hasScores;
    if (this.#plot && data.hasScores !== this.#hasScores) this.#make();
    else this.#plot?.setData(this.#columns(data));
    if (this.#isTable) this.#drawTable(data);
    this.#drawKeys();
    this.#nodes.box.setAttribute('aria-label', this.#summary(data));
  }

  #make() {
    if (!this.#library || !this.#data) return;
    this.#plot?.destroy();
    this.#hasScores = this.#data.hasScores;
    this.#plot = new this.#library(this.#options(), this.#columns(this.#data), this.#nodes.box);
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#nodes.box;
    if (this.#plot && width > 0 && height > 0) this.#plot.setSize({ width, height });
  }

  #options() {
    const { clientWidth: width, clientHeight: height } = this.#nodes.box;
    return chartOptions({
      bars: this.#library.paths.bars,
      size: { width, height },
      style: getComputedStyle(this.#nodes.box),
      tones: this.#labels.map((_, index) => getComputedStyle(this.#keys[index]).getPropertyValue('--tone').trim()),
      hasScores: this.#hasScores,
      onPoint: (minute) => this.#pointed(minute),
    });
  }

  /** @param {ChartData} data */
  #columns({ times, counts, means, hasScores }) {
    const sums = new Array(times.length).fill(0);
    const stacked = counts.map((column) => column.map((count, index) => (sums[index] += count)));
    return [times, ...stacked.reverse(), ...(hasScores ? [means] : [])];
  }

  /** @param {number | null} minute */
  #pointed(minute) {
    if (minute === this.#minute) return;
    this.#minute = minute;
    this.#drawKeys();
  }

  #drawKeys() {
    if (!this.#data) return;
    const { times, counts, means } = this.#data;
    const minute = this.#minute !== null && this.#minute < times.length ? this.#minute : null;
    setText(this.#nodes.time, minute === null ? 'last hour' : hourMinute(times[minute] * 1000));
    for (const [index, column] of counts.entries()) {
      setText(this.#values[index], whole(minute === null ? column.reduce((sum, count) => sum + count, 0) : column[minute]));
    }
    setText(this.#values[counts.length], minute === null ? '' : score(means[minute]));
  }

  /** @param {string} name @param {string} className */
  #addKey(name, className) {
    const value = element('span', 'key-value');
    const key = element('span', className, name, ' ', value);
    this.#values.push(value);
    this.#keys.push(key);
    this.#nodes.legend.append(key);
  }

  /** @param {ChartData} data */
  #summary({ counts, total, means, hasScores }) {
    const parts = this.#labels.map((label, index) => ({ label: words(label), count: counts[index].reduce((sum, count) => sum + count, 0) }));
    const told = parts.filter(({ label, count }) => label !== OTHER || count > 0).map(({ label, count }) => `${count} ${label}`);
    const known = means.filter((mean) => mean !== null);
    const last = hasScores && known.length > 0 ? ` Latest mean score ${score(/** @type {number} */ (known.at(-1)))}.` : '';
    return `Last 60 minutes: ${total} items, ${told.join(', ')}.${last} The button Table shows the numbers.`;
  }

  /** @param {boolean} isTable */
  #showTable(isTable) {
    this.#isTable = isTable;
    this.#nodes.toggle.setAttribute('aria-pressed', String(isTable));
    this.#nodes.table.hidden = !isTable;
    this.#nodes.box.hidden = isTable;
    if (this.#data) this.draw(this.#data);
    if (!isTable) this.#fit();
  }

  /** @param {ChartData} data */
  #drawTable({ times, counts, means, hasScores, total }) {
    const shown = this.#labels.flatMap((label, index) => (label === OTHER && this.#keys[index].hidden ? [] : [index]));
    const head = element('tr', '', headCell('From'), ...shown.map((index) => headCell(heading(this.#labels[index]), 'end')));
    if (hasScores) head.append(headCell('Mean score', 'end'));
    const rows = [];
    for (let first = times.length - ROW_STEPS; first >= 0; first -= ROW_STEPS) {
      const sum = (/** @type {number} */ index) => counts[index].slice(first, first + ROW_STEPS).reduce((left, right) => left + right, 0);
      const start = headCell(hourMinute(times[first] * 1000));
      start.scope = 'row';
      const row = element('tr', '', start, ...shown.map((index) => element('td', 'end', whole(sum(index)))));
      if (hasScores) row.append(element('td', 'end', weighted(counts, means, first)));
      rows.push(row);
    }
    const caption = element('caption', 'unseen', `Items of the last 60 minutes, ${total} in all, by five minutes, newest first`);
    this.#nodes.table.replaceChildren(element('table', '', caption, element('thead', '', head), element('tbody', '', ...rows)));
  }
}

/** The mean over some minutes, each as heavy as it has items. @param {number[][]} counts @param {(number | null)[]} means @param {number} first */
function weighted(counts, means, first) {
  let [sum, weight] = [0, 0];
  for (let index = first; index < first + ROW_STEPS; index += 1) {
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
