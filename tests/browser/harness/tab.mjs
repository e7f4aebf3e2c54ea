/**
 * One open page, whichever browser it is in: how to look at it and to wait for what it shows.
 */

import { until, within } from './clock.mjs';

/** A page that does not answer for this long hangs, or was stopped on purpose. */
const ANSWER_MS = 30_000;

/** As many entries as the feed keeps. */
const FEED_MAX = 200;

/**
 * @typedef {object} Driver what a browser does for a tab
 * @property {(look: Function, argument: unknown) => Promise<any>} evaluate
 * @property {() => Promise<void>} close
 * @property {() => Promise<void>} show brings the tab to the front of its window
 */

export class Tab {
  name;
  watch;
  #driver;
  /** Rows that stood in the feed at any look. @type {Set<string>} */
  #shown = new Set();

  /** @param {string} name @param {Driver} driver @param {import('./watch.mjs').Watch} watch */
  constructor(name, driver, watch) {
    this.name = name;
    this.#driver = driver;
    this.watch = watch;
  }

  /** Runs a function inside the page. @param {Function} look @param {unknown} [argument] @returns {Promise<any>} */
  evaluate(look, argument) {
    return within(`an answer of ${this.name}`, this.#driver.evaluate(look, argument), ANSWER_MS);
  }

  show() {
    return this.#driver.show();
  }

  close() {
    return this.#driver.close();
  }

  /** What the page noted of itself. @returns {Promise<import('./record.mjs').Seen>} */
  seen() {
    return this.evaluate(() => /** @type {any} */ (window).__seen);
  }

  /** @returns {Promise<string>} */
  phase() {
    return this.evaluate(() => document.getElementById('badge')?.dataset.phase ?? '');
  }

  /** @returns {Promise<string>} */
  role() {
    return this.evaluate(() => document.getElementById('badge')?.dataset.role ?? '');
  }

  /** Waits until the page sees something that is accepted. @param {string} what @param {Function} look @param {(seen: any) => unknown} [accepts] @param {number} [limitMs] */
  until(what, look, accepts, limitMs) {
    return until(what, () => this.evaluate(look), accepts, limitMs);
  }

  /** Waits for one of these phases. @param {string[]} phases @param {number} [limitMs] */
  untilPhase(phases, limitMs) {
    return until(`${this.name}: ${phases.join(' or ')}`, () => this.phase(), (phase) => phases.includes(phase), limitMs);
  }

  /** Waits until the page gets live data. @param {number} [limitMs] */
  untilLive(limitMs) {
    return this.untilPhase(['live', 'resumed'], limitMs);
  }

  /** Waits until the page has its first numbers: what is written from then on is an update to it. @param {number} [limitMs] */
  async untilCounting(limitMs) {
    await this.untilLive(limitMs);
    await this.until('the first numbers', () => document.getElementById('total')?.textContent ?? '', (text) => /^\d/.test(text), limitMs);
  }

  /** Waits until the page has taken in all of these: heard them, or taken them over from another tab. @param {{key: string}[]} written @param {number} [limitMs] */
  async untilHasAll(written, limitMs) {
    await until(`${this.name} has every update`, async () => (await this.#counts(written)).filter(([, heard, shown]) => heard + shown === 0).map(([key]) => key),
      (missing) => missing.length === 0, limitMs);
  }

  /**
   * Waits until the feed shows each of these rows, each once; says what is wrong otherwise.
   * @param {{key: string}[]} written @param {number} [limitMs]
   */
  async untilShows(written, limitMs = undefined) {
    const rows = [...new Set(written.map(({ key }) => key.split(' ')[0]))].slice(-FEED_MAX);
    const shows = () => this.evaluate(feedRows).then((seen) => rows.filter((row) => seen[row] !== 1).map((row) => `${row} ${seen[row] ?? 0} times`));
    const wrong = await until('the feed', shows, (list) => list.length === 0, limitMs).catch(shows);
    return wrong.length === 0 ? '' : `${this.name} shows ${wrong.slice(0, 10).join(', ')}`;
  }

  /** Says which updates were heard more than once, or not at all; empty where none were. @param {{key: string}[]} written */
  async difference(written) {
    const wrong = (await this.#counts(written)).filter(([, heard, shown]) => heard > 1 || heard + shown === 0).map(([key, heard]) => `${key} ${heard} times`);
    return wrong.length === 0 ? '' : `${this.name}: ${wrong.length} wrong: ${wrong.slice(0, 10).join(', ')}`;
  }

  /** How often each of these was heard, and whether its row stood in the feed when somebody looked: the feed forgets old ones. @param {{key: string}[]} written @returns {Promise<[string, number, number][]>} */
  async #counts(written) {
    const counts = new Map(written.map(({ key }) => [key, 0]));
    for (const { key } of (await this.seen()).updates) counts.set(key, (counts.get(key) ?? 0) + 1);
    const shown = await this.evaluate(feedRows);
    for (const row of Object.keys(shown)) this.#shown.add(row);
    return [...counts].map(([key, heard]) => [key, heard, Number(this.#shown.has(key.split(' ')[0]))]);
  }
}

/** Runs inside the page. How often each row stands in the feed. */
function feedRows() {
  const rows = {};
  for (const entry of document.querySelectorAll('#feed .entry:not(.earlier)')) {
    const row = /(row-\d+)\./.exec(entry.textContent ?? '')?.[1];
    if (row) rows[row] = (rows[row] ?? 0) + 1;
  }
  return rows;
}
