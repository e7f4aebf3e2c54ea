/**
 * The table of tickers. Rows are kept and moved, not rebuilt, so that a selection and a screen reader's place survive.
 */

import { chip, element, flash, scoreBar, setNumber, setText } from './dom.js';
import { clock, DASH, fullTime, score, whole, words } from './format.js';
import { tickerRows } from './reduce.js';

/** Most rows shown; the rest is counted below the title. */
const ROWS_MAX = 200;

/**
 * @typedef {import('./event.js').Update} Update
 * @typedef {object} Row
 * @property {HTMLTableRowElement} node
 * @property {HTMLElement} count
 * @property {HTMLElement} label
 * @property {HTMLElement} score
 * @property {HTMLElement} time
 * @property {Update | null} last
 */

export class TickerTable {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {unknown[]} */
  #drawn = [];
  #body;
  #aside;
  #empty;
  #toneOf;

  /**
   * @param {{body: HTMLElement, aside: HTMLElement, empty: HTMLElement}} nodes
   * @param {(label: string) => string} toneOf
   */
  constructor({ body, aside, empty }, toneOf) {
    this.#body = body;
    this.#aside = aside;
    this.#empty = empty;
    this.#toneOf = toneOf;
  }

  /** @param {import('./reduce.js').State} state @param {number} now */
  draw(state, now) {
    if (this.#drawn[0] === state.metrics && this.#drawn[1] === state.lastByTicker) return;
    this.#drawn = [state.metrics, state.lastByTicker];
    const rows = tickerRows(state);
    const shown = rows.slice(0, ROWS_MAX);
    const countMax = shown[0]?.count || 1;
    this.#keepOnly(new Set(shown.map(({ ticker }) => ticker)));
    shown.forEach(({ ticker, count, last }, index) => {
      const row = this.#rows.get(ticker) ?? this.#add(ticker);
      setText(row.count, whole(count));
      setNumber(row.count, '--share', (count ?? 0) / countMax);
      if (row.last !== last && last) this.#drawLast(row, last, now);
      if (this.#body.children[index] !== row.node) this.#body.insertBefore(row.node, this.#body.children[index] ?? null);
    });
    this.#empty.hidden = rows.length > 0;
    if (state.metrics) setText(this.#empty, 'Nothing in the last 24 hours.');
    setText(this.#aside, rows.length > ROWS_MAX ? `${whole(ROWS_MAX)} of ${whole(rows.length)}` : rows.length ? whole(rows.length) : '');
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
    const name = element('th', 'name', ticker);
    name.scope = 'row';
    name.title = ticker;
    const count = element('td', 'end count');
    const [label, scoreCell, time] = [element('td', 'last', DASH), element('td', 'end score', DASH), element('td', 'end time', DASH)];
    const row = { node: element('tr', '', name, count, label, scoreCell, time), count, label, score: scoreCell, time, last: null };
    this.#rows.set(ticker, row);
    return row;
  }

  /** @param {Row} row @param {Update} last @param {number} now */
  #drawLast(row, last, now) {
    const tone = this.#toneOf(last.label);
    row.last = last;
    row.label.replaceChildren(chip(words(last.label), tone));
    row.score.replaceChildren(...(last.score === null ? [DASH] : [scoreBar(last.score, tone), element('span', 'score-value', score(last.score))]));
    setText(row.time, clock(last.timestamp, now));
    row.time.title = fullTime(last.timestamp);
    flash(row.node);
  }
}
