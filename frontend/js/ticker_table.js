/**
 * The table of tickers. Rows are kept and moved, not rebuilt, so that a selection and a screen reader's place survive.
 */

import { chip, element, flash, setNumber, setText, setTitle } from './dom.js';
import { changeText, clock, DASH, fullTime, score, whole, words } from './format.js';
import { tickerRows } from './reduce.js';
import { Spark } from './spark.js';
import { TEXT } from './words.js';

/** Most rows shown; the rest is counted below the title. */
const ROWS_MAX = 200;
/** Changes of the mean below this read as none. */
const CHANGE_MIN = 0.005;

/**
 * @typedef {import('./event.js').Update} Update
 * @typedef {object} Row
 * @property {HTMLTableRowElement} node
 * @property {HTMLElement} count
 * @property {HTMLElement} label
 * @property {HTMLElement} score
 * @property {HTMLElement} change
 * @property {HTMLElement} time
 * @property {Spark} spark
 * @property {Update | null} last
 */

export class TickerTable {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {unknown[]} */
  #drawn = [];
  #received = 0;
  #body;
  #aside;
  #empty;
  #skeleton;
  #toneOf;
  #onChoose;

  /**
   * @param {{body: HTMLElement, aside: HTMLElement, empty: HTMLElement, skeleton: HTMLElement}} nodes
   * @param {(label: string) => string} toneOf
   * @param {(ticker: string) => void} onChoose
   */
  constructor({ body, aside, empty, skeleton }, toneOf, onChoose) {
    this.#onChoose = onChoose;
    this.#body = body;
    this.#aside = aside;
    this.#empty = empty;
    this.#skeleton = skeleton;
    this.#toneOf = toneOf;
  }

  /** @param {import('./state.js').State} state @param {number} now */
  draw(state, now) {
    const { metrics, lastByTicker, filter, received } = state;
    const waits = isEarly(state);
    const drawn = [metrics, lastByTicker, filter, waits];
    if (drawn.every((part, index) => part === this.#drawn[index])) return;
    const isNews = received > this.#received;
    this.#drawn = drawn;
    this.#received = received;
    const rows = waits ? [] : tickerRows(state);
    const shown = rows.slice(0, ROWS_MAX);
    const countMax = shown[0]?.count || 1;
    this.#skeleton.hidden = metrics !== null || shown.length > 0;
    this.#keepOnly(new Set(shown.map(({ ticker }) => ticker)));
    shown.forEach(({ ticker, count, last }, index) => {
      const row = this.#rows.get(ticker) ?? this.#add(ticker);
      setText(row.count, whole(count));
      setNumber(row.count, '--share', (count ?? 0) / countMax);
      if (row.last !== last && last) this.#drawLast(row, last, now, isNews);
      if (this.#body.children[index] !== row.node) this.#body.insertBefore(row.node, this.#body.children[index] ?? null);
    });
    this.#empty.hidden = rows.length > 0 || !metrics;
    setText(this.#empty, filter.trim() !== '' ? TEXT.tickers.noMatch : TEXT.tickers.noTicker);
    setText(this.#aside, rows.length > ROWS_MAX ? TEXT.tickers.some(whole(ROWS_MAX), whole(rows.length)) : rows.length ? whole(rows.length) : '');
  }

  /** Draws the lines and changes. @param {import('./history.js').History} history @param {number} now */
  drawTrends(history, now) {
    const hasScores = history.hasScores ?? true;
    for (const [ticker, { spark, change }] of this.#rows) {
      const trend = history.trend(ticker, now);
      spark.draw(trend, hasScores);
      if (hasScores) drawChange(change, trend);
    }
  }

  /** @param {Set<string>} tickers */
  #keepOnly(tickers) {
    for (const [ticker, { node }] of this.#rows) {
      if (tickers.has(ticker)) continue;
      node.remove();
      this.#rows.delete(ticker);
    }
  }

  /** @param {string} ticker @returns {Row} */
  #add(ticker) {
    const choice = element('button', 'link', ticker);
    choice.type = 'button';
    choice.addEventListener('click', () => this.#onChoose(ticker));
    const name = element('th', 'name', choice);
    name.scope = 'row';
    name.title = ticker;
    const count = element('td', 'end count');
    const label = element('td', 'last', DASH);
    const [scoreCell, change, time] = ['score', 'change', 'time'].map((kind) => element('td', `end ${kind}`, DASH));
    const spark = new Spark();
    const trend = element('td', 'trend');
    trend.append(spark.node);
    const row = { node: element('tr', '', name, count, label, scoreCell, trend, change, time), count, label, score: scoreCell, change, time, spark, last: null };
    this.#rows.set(ticker, row);
    return row;
  }

  /** @param {Row} row @param {Update} last @param {number} now @param {boolean} isNews */
  #drawLast(row, last, now, isNews) {
    row.last = last;
    row.label.replaceChildren(chip(words(last.label), this.#toneOf(last.label)));
    setText(row.score, score(last.score));
    setText(row.time, clock(last.timestamp, now));
    row.time.title = fullTime(last.timestamp);
    if (isNews) flash(row.node);
  }
}

/**
 * The counts come in a moment, and with them the order: rows that are there before would all change places.
 * @param {import('./state.js').State} state
 */
function isEarly({ metrics, received, connection: { phase, reason } }) {
  return metrics === null && received === 0 && phase !== 'offline' && reason === null;
}

/** @param {HTMLElement} cell @param {import('./history.js').Trend | null} trend */
function drawChange(cell, trend) {
  const { recent = null, before = null } = trend ?? {};
  const change = recent === null || before === null ? null : recent - before;
  const direction = change === null ? '' : change >= CHANGE_MIN ? 'up' : change <= -CHANGE_MIN ? 'down' : 'even';
  setText(cell, score(change));
  if (cell.dataset.direction !== direction) cell.dataset.direction = direction;
  setTitle(cell, trend ? changeText(recent, before) : '');
}
