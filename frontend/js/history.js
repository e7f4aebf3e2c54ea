/**
 * What happened in the last hour: by label for the chart, by ticker for the small ones. An item counts once, however many tickers
 * it has, and one that was analysed anew counts as what it is now. No document, no network, no clock; memory has a limit,
 * however long the page stays open.
 */

import { matcher } from './reduce.js';
import { Ring } from './ring.js';

const STEP_MS = 60_000;
/** What chart and table show, in steps. */
export const STEPS = 60;
/** Steps behind one point of a ticker's line. */
const POINT_STEPS = 5;
/** Steps of "now" when a ticker's change is told; the others are "before". */
const RECENT_STEPS = 15;
/** Most items of which it is known how they were counted; one that is forgotten stays counted as it was. */
export const ITEMS_MAX = 2_048;
/** Most tickers with a line; the one without news for longest leaves first. */
export const TICKERS_MAX = 1_000;

/**
 * @typedef {import('./event.js').Update} Update
 * @typedef {{kind: number, score: number | null}} Counted
 * @typedef {{at: number, now: Counted, tickers: Map<string | null, Counted>, isShown: boolean}} Memory of one item
 * @typedef {{times: number[], counts: number[][], means: (number | null)[], hasScores: boolean, total: number}} Chart
 *   one list of counts for each label, then one for all others; times are the beginnings of the steps, in seconds
 * @typedef {{points: {count: number, mean: number | null}[], recent: number | null, before: number | null, count: number}} Trend
 */

export class History {
  #labels;
  /** @type {Map<string, Memory>} */
  #items = new Map();
  #all;
  /** @type {Map<string, Ring>} */
  #tickers = new Map();
  #filter = '';
  #matches = matcher('');
  /** @type {Ring | null} what passes the filter, if there is one */
  #shown = null;
  #scored = 0;
  #counted = 0;
  /** Changes with everything that is counted. */
  version = 0;

  /** @param {readonly string[]} labels */
  constructor(labels) {
    this.#labels = labels;
    this.#all = this.#ring();
  }

  /** Whether anything has a score; null before anything was counted. */
  get hasScores() {
    return this.#counted === 0 ? null : this.#scored > 0;
  }

  /**
   * Counts an update, or counts it anew.
   * @param {Update} update
   * @param {number} now
   * @param {boolean} isNews what is not news never overrules what is known
   */
  take(update, now, isNews = true) {
    const at = Math.min(now, update.timestamp === null ? now : Date.parse(update.timestamp));
    if (Number.isNaN(at) || at < now - STEPS * STEP_MS) return;
    const counted = { kind: this.#kind(update.label), score: update.score };
    const key = update.itemId === null ? null : keyOf(update.itemId, update.timestamp);
    const memory = (key === null ? null : this.#items.get(key)) ?? { at, now: counted, tickers: new Map(), isShown: false };
    const before = memory.tickers.get(update.ticker);
    if (before && (!isNews || isSame(before, counted))) return;
    const isNew = memory.tickers.size === 0;
    const verdict = isNew || isNews ? counted : memory.now;
    if (isNew || !isSame(verdict, memory.now)) replace(this.#all, memory.at, isNew ? null : memory.now, verdict);
    if (update.ticker !== null) replace(this.#tickerRing(update.ticker), memory.at, before && forTicker(before), forTicker(counted));
    if (key !== null) this.#remember(key, memory);
    memory.tickers.set(update.ticker, counted);
    this.#show(memory, verdict);
    memory.now = verdict;
    this.#counted += 1;
    if (update.score !== null) this.#scored += 1;
    this.version += 1;
  }

  /**
   * Takes what the server has counted, step by step, of the steps up to the one of `until`: the page has read the items since then, and
   * not all before. Lines of tickers and what a filter lets through begin with those items.
   * @param {readonly import('./items.js').Counted[]} points
   * @param {number} until milliseconds since 1970
   * @param {number} now
   */
  fill(points, until, now) {
    const [oldest, last] = [this.#all.step(now) - STEPS + 1, this.#all.step(until)];
    for (const { at, counts, scores } of points) {
      const step = this.#all.step(at);
      if (step < oldest || step > last) continue;
      this.#all.set(step, counts, scores);
      this.#counted += counts.reduce((sum, count) => sum + count, 0);
      this.#scored += scores.count;
    }
    this.version += 1;
  }

  /** Returns whether this very update is counted. @param {Update} update */
  knows({ itemId, timestamp, ticker, label, score }) {
    const counted = itemId === null ? undefined : this.#items.get(keyOf(itemId, timestamp))?.tickers.get(ticker);
    return counted !== undefined && isSame(counted, { kind: this.#kind(label), score });
  }

  /** Narrows the chart to what has one of these tickers. @param {string} filter */
  narrow(filter) {
    if (filter === this.#filter) return;
    this.#filter = filter;
    this.#matches = matcher(filter);
    this.#shown = filter.trim() === '' ? null : this.#ring();
    for (const memory of this.#items.values()) {
      memory.isShown = false;
      this.#show(memory, memory.now);
    }
    this.version += 1;
  }

  /** @param {number} now @returns {Chart} */
  chart(now) {
    const ring = this.#shown ?? this.#all;
    const steps = lastSteps(ring.step(now));
    const counts = Array.from({ length: this.#labels.length + 1 }, (_, kind) => steps.map((step) => ring.count(step, kind)));
    const means = steps.map((step) => ring.over(step, step).mean);
    const { count: total } = ring.over(steps[0], steps[STEPS - 1]);
    return { times: steps.map((step) => (step * STEP_MS) / 1000), counts, means, hasScores: this.hasScores ?? true, total };
  }

  /** @param {string} ticker @param {number} now @returns {Trend | null} */
  trend(ticker, now) {
    const ring = this.#tickers.get(ticker);
    if (!ring) return null;
    const last = ring.step(now);
    const first = last - STEPS + 1;
    const points = [];
    for (let step = first; step <= last; step += POINT_STEPS) points.push(ring.over(step, step + POINT_STEPS - 1));
    const { count } = ring.over(first, last);
    if (count === 0) return null;
    return {
      points,
      count,
      recent: ring.over(last - RECENT_STEPS + 1, last).mean,
      before: ring.over(first, last - RECENT_STEPS).mean,
    };
  }

  /** Forgets everything but the filter. */
  clear() {
    this.#items.clear();
    this.#tickers.clear();
    this.#all = this.#ring();
    if (this.#shown) this.#shown = this.#ring();
    this.#scored = 0;
    this.#counted = 0;
    this.version += 1;
  }

  /** Returns what another tab needs to go on from here; everything in it can be cloned. */
  snapshot() {
    const items = [...this.#items].map(([key, { at, now, tickers }]) => ({ key, at, now, tickers }));
    const tickers = [...this.#tickers].map(([ticker, ring]) => ({ ticker, data: ring.data }));
    return { items, tickers, all: this.#all.data, scored: this.#scored, counted: this.#counted };
  }

  /** @param {ReturnType<History['snapshot']>} snapshot */
  restore({ items, tickers, all, scored, counted }) {
    this.clear();
    this.#all.restore(all);
    for (const { ticker, data } of tickers) this.#tickerRing(ticker).restore(data);
    for (const { key, at, now, tickers: counts } of items) {
      const memory = { at, now, tickers: counts, isShown: false };
      this.#remember(key, memory);
      this.#show(memory, now);
    }
    this.#scored = scored;
    this.#counted = counted;
  }

  #ring() {
    return new Ring(STEP_MS, STEPS + 1, this.#labels.length + 1);
  }

  /** @param {string} label */
  #kind(label) {
    const index = this.#labels.indexOf(label);
    return index < 0 ? this.#labels.length : index;
  }

  /** @param {string} key @param {Memory} memory */
  #remember(key, memory) {
    if (this.#items.has(key)) return;
    this.#items.set(key, memory);
    if (this.#items.size > ITEMS_MAX) this.#items.delete(/** @type {string} */ (this.#items.keys().next().value));
  }

  /** @param {Memory} memory @param {Counted} verdict what it counts as from now on */
  #show(memory, verdict) {
    if (!this.#shown) return;
    const isShown = [...memory.tickers.keys()].some(this.#matches);
    replace(this.#shown, memory.at, memory.isShown ? memory.now : null, isShown ? verdict : null);
    memory.isShown = isShown;
  }

  /** @param {string} ticker */
  #tickerRing(ticker) {
    const ring = this.#tickers.get(ticker) ?? new Ring(STEP_MS, STEPS + 1, 1);
    this.#tickers.delete(ticker); // so that the order of the map is the order of the news
    this.#tickers.set(ticker, ring);
    if (this.#tickers.size > TICKERS_MAX) this.#tickers.delete(/** @type {string} */ (this.#tickers.keys().next().value));
    return ring;
  }
}

/** @param {string} itemId @param {string | null} timestamp */
const keyOf = (itemId, timestamp) => JSON.stringify([itemId, timestamp]);

/** A ticker's line tells no labels apart. @param {Counted} counted @returns {Counted} */
const forTicker = ({ score }) => ({ kind: 0, score });

/** @param {Counted} left @param {Counted} right */
const isSame = (left, right) => left.kind === right.kind && left.score === right.score;

/** @param {Ring} ring @param {number} at @param {Counted | null | undefined} before @param {Counted | null} after */
function replace(ring, at, before, after) {
  if (before) ring.remove(at, before.kind, before.score);
  if (after) ring.add(at, after.kind, after.score);
}

/** @param {number} last */
function lastSteps(last) {
  return Array.from({ length: STEPS }, (_, index) => last - STEPS + 1 + index);
}
