/**
 * Which tickers everything is narrowed to: what the reader typed, within the saved configuration that is shown. The server has the
 * numbers of them, so that they are the same as those of REST. Knows neither the network nor the document.
 */

import { tickersOf } from './reduce.js';

/** A reader who types is left to finish. */
const TYPING_MS = 350;
/** What a server takes at most. */
export const TICKERS_MAX = 50;
/** Stands for a filter that leaves nothing of a configuration: a list without names would be everything. */
const NO_TICKER = '\u2205';

/**
 * @typedef {object} Handlers
 * @property {() => readonly string[] | null} saved tickers of the configuration that is shown; null: all
 * @property {() => string} typed what the filter says
 * @property {(isCut: boolean) => void} onChange hears that other tickers are shown, and whether some are left out
 */

export class Narrowing {
  #handlers;
  /** Tickers that the reader has narrowed everything to; null: none are left out. @type {string[] | null} */
  #narrowed = null;
  /** Tickers that there are, the most frequent first, while nothing is narrowed. @type {string[]} */
  #everyTicker = [];
  #typing = 0;

  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** Whether the reader has narrowed anything. */
  get isNarrowed() {
    return this.#narrowed !== null;
  }

  /** What the reader has narrowed everything to, as a part of a key. */
  get chosen() {
    return this.#narrowed;
  }

  /** Tickers that are shown; none: all. @returns {readonly string[]} */
  get tickers() {
    return this.#narrowed ?? this.#handlers.saved() ?? [];
  }

  /** Takes what a browser kept across a reload, before anything is shown. @param {string} text */
  restore(text) {
    this.#narrowed = tickersOf(text, []);
  }

  /** The reader types. */
  typed() {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.narrow(), TYPING_MS);
  }

  /** Takes the tickers that there are, of numbers that nobody has narrowed. @param {ReadonlyMap<string, number>} byTag */
  know(byTag) {
    if (this.#narrowed !== null) return;
    this.#everyTicker = [...byTag].sort(([, left], [, right]) => right - left).map(([ticker]) => ticker);
    this.narrow();
  }

  /** Which tickers a filter means is another question of another configuration. */
  forget() {
    this.#everyTicker = [];
    this.#narrowed = null;
  }

  /** Shows the numbers of the tickers that are meant. */
  narrow() {
    const found = tickersOf(this.#handlers.typed(), this.#everyTicker);
    const saved = this.#handlers.saved();
    const own = found && saved ? found.filter((ticker) => saved.includes(ticker)) : found;
    const tickers = own && (own.length === 0 ? [NO_TICKER] : own.slice(0, TICKERS_MAX));
    if (JSON.stringify(tickers) === JSON.stringify(this.#narrowed)) return;
    this.#narrowed = tickers;
    this.#handlers.onChange(own !== null && own.length > TICKERS_MAX);
  }
}
