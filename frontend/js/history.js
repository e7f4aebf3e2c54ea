/**
 * What happened in the chosen range: by label for the chart, by ticker for the small lines. It begins with what the server has
 * counted and goes on with the updates of a stream that continues there. An item counts once, however many tickers it has, and one
 * that was analysed anew counts as what it is now. No document, no network, no clock; memory has a limit, however long the page
 * stays open.
 */

import { RANGE_DEFAULT } from './ranges.js';
import { Ring } from './ring.js';

/** Share of a line's points that is "now" when a ticker's change is told; the others are "before". */
const RECENT_SHARE = 4;
/** Most items of which it is known how they were counted. */
export const ITEMS_MAX = 2_048;
/** Most tickers with a line; the one without news for longest leaves first. */
export const TICKERS_MAX = 1_000;
/** What is younger may be on its way yet when the server counts anew. */
export const SETTLED_MS = 60_000;

/**
 * @typedef {import('./event.js').Update} Update
 * @typedef {import('./ranges.js').Range} Range
 * @typedef {import('./counts.js').Counts} Counts
 * @typedef {{kind: number, score: number | null}} Counted
 * @typedef {{at: number, now: Counted, tickers: Map<string | null, Counted>}} Memory of one item
 * @typedef {{times: number[], counts: number[][], means: (number | null)[], hasScores: boolean, total: number, gaps: import('./counts.js').Gap[]}} Chart
 *   one list of counts for each label, then one for all others; times are the beginnings of the steps, in seconds
 * @typedef {{points: {count: number, mean: number | null}[], recent: number | null, before: number | null, count: number}} Trend
 */

export class History {
  #labels;
  #range;
  /** @type {Map<string, Memory>} */
  #items = new Map();
  /** Updates of items that were read and not counted here. @type {Map<string, Counted>} */
  #noted = new Map();
  #all;
  /** Of what is shown, nothing is known of these. @type {import('./counts.js').Gap[]} */
  #gaps = [];
  /** @type {Map<string, Ring>} */
  #tickers = new Map();
  #scored = 0;
  #counted = 0;
  /** An item as old as this may be counted without being known by name. */
  #certainAfter = 0;
  /** Items up to this time that the stream has still to bring are counted already. */
  #countedTo = -Infinity;
  /** When it has brought all of them at the latest. */
  #countedUntil = 0;
  /** Whether what the server has counted is in it: null while that is waited for, false where it could not be had yet. @type {boolean | null} */
  isRead = null;
  /** Changes with everything that is counted. */
  version = 0;

  /** @param {readonly string[]} labels @param {Range} [range] */
  constructor(labels, range = RANGE_DEFAULT) {
    this.#labels = labels;
    this.#range = range;
    this.#all = this.#ring();
  }

  /** @returns {Range} */
  get range() {
    return this.#range;
  }

  /** Begins anew with another range. @param {Range} range */
  choose(range) {
    this.#range = range;
    this.clear();
  }

  /** Whether anything has a score; null before anything was counted. */
  get hasScores() {
    return this.#counted === 0 ? null : this.#scored > 0;
  }

  /** Begins with what the server has counted. @param {Counts} counts */
  load(counts) {
    this.clear();
    this.isRead = true;
    this.#certainAfter = counts.to;
    this.#takeCounts(counts, Infinity);
  }

  /** What the server has counted could not be had yet: all but what is heard is not known. */
  miss() {
    this.isRead = false;
    this.version += 1;
  }

  /**
   * Begins anew with what the server has counted at another place than the stream's. What was heard beyond it is counted on top, and
   * what the stream has still to bring before it is not counted again.
   * @param {Counts} counts @param {number} now
   */
  reload(counts, now) {
    const heard = [...this.#items];
    this.load(counts);
    const beyond = heard.filter(([, { at }]) => at > counts.watermark);
    for (const [key, memory] of heard) this.#items.set(key, memory);
    for (const [, { at, now: counted, tickers }] of beyond) {
      replace(this.#all, at, null, counted);
      for (const [ticker, one] of tickers) if (ticker !== null) replace(this.#tickerRing(ticker), at, null, forTicker(one));
      this.#countOne(counted);
    }
    // A stream that is beyond it has brought all before.
    this.#countedTo = beyond.length > 0 ? -Infinity : counts.watermark;
    this.#countedUntil = now + SETTLED_MS;
  }

  /**
   * Takes what the server has counted meanwhile of the steps that are over, in place of what is known of them. Returns when the first
   * step begins that was left as it is.
   * @param {Counts} counts @param {number} now
   */
  correct(counts, now) {
    const until = Math.floor((now - SETTLED_MS) / this.#range.stepMs) * this.#range.stepMs;
    this.#takeCounts(counts, until);
    this.#certainAfter = Math.max(this.#certainAfter, until);
    return until;
  }

  /** @param {Counts} counts @param {number} until milliseconds since 1970 */
  #takeCounts({ points, gaps, tickers }, until) {
    this.#gaps = gaps;
    // Steps of the server may be shorter.
    let last = NaN;
    for (const { at, counts, scores } of points) {
      const step = this.#all.step(at);
      if (step * this.#range.stepMs >= until) continue;
      if (step === last) this.#all.addAll(step, counts, scores);
      else this.#all.set(step, counts, scores);
      last = step;
      this.#counted += counts.reduce((sum, count) => sum + count, 0);
      this.#scored += scores.count;
    }
    const { pointMs } = this.#range;
    for (const { ticker, points: line } of tickers) {
      const ring = this.#tickerRing(ticker);
      for (const { at, counts, scores } of line) if (at + pointMs <= until) ring.set(ring.step(at), counts, scores);
    }
    this.version += 1;
  }

  /** Remembers what an item was when it was read: the server has counted it, or its update is still to come. @param {Update} update */
  note(update) {
    if (update.itemId === null) return;
    this.#noted.set(noteOf(update), { kind: this.#kind(update.label), score: update.score });
    if (this.#noted.size > ITEMS_MAX) this.#noted.delete(/** @type {string} */ (this.#noted.keys().next().value));
  }

  /**
   * Counts an update, or counts it anew. Returns whether the item may have been counted before as something else, which only the
   * server knows.
   * @param {Update} update
   * @param {number} now
   */
  take(update, now) {
    const at = Math.min(now, update.timestamp === null ? now : Date.parse(update.timestamp));
    if (Number.isNaN(at) || this.#all.step(at) < this.#first(now)) return false;
    const counted = { kind: this.#kind(update.label), score: update.score };
    const key = update.itemId === null ? null : keyOf(update.itemId, update.timestamp);
    const memory = (key === null ? null : this.#items.get(key)) ?? { at, now: counted, tickers: new Map() };
    const noted = this.#notedBefore(update, at, counted);
    const isNew = memory.tickers.size === 0;
    const before = memory.tickers.get(update.ticker) ?? noted;
    if (before && isSame(before, counted) && !isNew) return false;
    const known = isNew ? noted : memory.now;
    const isCounted = !before && this.#isCounted(at, now);
    if (!isCounted) {
      if (!known || !isSame(counted, known)) replace(this.#all, at, known, counted);
      if (update.ticker !== null) replace(this.#tickerRing(update.ticker), at, before && forTicker(before), forTicker(counted));
      this.#countOne(counted);
      this.version += 1;
    }
    memory.tickers.set(update.ticker, counted);
    memory.now = counted;
    if (key !== null) this.#remember(key, memory);
    return !isCounted && isNew && !noted && at <= this.#certainAfter;
  }

  /** Whether an item that is heard for the first time is in what the server has counted. @param {number} at @param {number} now */
  #isCounted(at, now) {
    if (at > this.#countedTo || now > this.#countedUntil) this.#countedTo = -Infinity;
    return at <= this.#countedTo;
  }

  /** @param {Counted} counted */
  #countOne({ score }) {
    this.#counted += 1;
    if (score !== null) this.#scored += 1;
  }

  /** An item that was read as something else, and is old enough to be among what the server has counted. @param {Update} update @param {number} at @param {Counted} counted */
  #notedBefore(update, at, counted) {
    const noted = update.itemId === null || at > this.#certainAfter ? undefined : this.#noted.get(noteOf(update));
    return noted && !isSame(noted, counted) ? noted : null;
  }

  /** Returns whether this very update was counted or read. @param {Update} update */
  knows(update) {
    const { itemId, timestamp, ticker, label, score } = update;
    if (itemId === null) return false;
    const known = this.#items.get(keyOf(itemId, timestamp))?.tickers.get(ticker) ?? this.#noted.get(noteOf(update));
    return known !== undefined && isSame(known, { kind: this.#kind(label), score });
  }

  /**
   * Returns the bars. The first one of a whole window loses items as they grow too old: the totals say how many it has yet.
   * @param {number} now
   * @param {readonly number[] | null} [totals] by label, of the window
   * @returns {Chart}
   */
  chart(now, totals = null) {
    const { stepMs, isWindow } = this.#range;
    const [first, last] = [this.#first(now), this.#all.step(now)];
    const steps = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const counts = Array.from({ length: this.#labels.length + 1 }, (_, kind) => steps.map((step) => this.#all.count(step, kind)));
    if (isWindow && totals) counts.forEach((column, kind) => trim(column, totals[kind] ?? NaN));
    const means = steps.map((step) => this.#all.over(step, step).mean);
    const total = counts.flat().reduce((sum, count) => sum + count, 0);
    const gaps = this.isRead === false ? [{ from: first * stepMs, to: (last + 1) * stepMs }] : this.#gaps;
    return { times: steps.map((step) => (step * stepMs) / 1000), counts, means, hasScores: this.hasScores ?? true, total, gaps };
  }

  /** @param {string} ticker @param {number} now @returns {Trend | null} */
  trend(ticker, now) {
    const ring = this.#tickers.get(ticker);
    if (!ring) return null;
    const { points: length } = this.#range;
    const last = ring.step(now);
    const first = last - length + 1;
    const { count } = ring.over(first, last);
    if (count === 0) return null;
    const recent = last - Math.ceil(length / RECENT_SHARE) + 1;
    const points = Array.from({ length }, (_, index) => ring.over(first + index, first + index));
    return { points, count, recent: ring.over(recent, last).mean, before: ring.over(first, recent - 1).mean };
  }

  /** Forgets everything but the range. */
  clear() {
    this.#items.clear();
    this.#noted.clear();
    this.#tickers.clear();
    this.#all = this.#ring();
    this.#gaps = [];
    this.isRead = null;
    this.#scored = 0;
    this.#counted = 0;
    this.#certainAfter = 0;
    [this.#countedTo, this.#countedUntil] = [-Infinity, 0];
    this.version += 1;
  }

  /** Returns what another tab with the same range needs to go on from here; everything in it can be cloned. */
  snapshot() {
    const tickers = [...this.#tickers].map(([ticker, ring]) => ({ ticker, data: ring.data }));
    const sums = { scored: this.#scored, counted: this.#counted, certainAfter: this.#certainAfter, countedTo: this.#countedTo, countedUntil: this.#countedUntil };
    return { range: this.#range.name, items: this.#items, noted: this.#noted, tickers, all: this.#all.data, gaps: this.#gaps, isRead: this.isRead, sums };
  }

  /** @param {ReturnType<History['snapshot']>} snapshot */
  restore({ range, items, noted, tickers, all, gaps, isRead, sums }) {
    if (range !== this.#range.name) return;
    this.clear();
    this.#all.restore(all);
    this.#gaps = gaps;
    this.isRead = isRead ?? null;
    for (const { ticker, data } of tickers) this.#tickerRing(ticker).restore(data);
    this.#items = structuredClone(items);
    this.#noted = structuredClone(noted);
    [this.#scored, this.#counted, this.#certainAfter] = [sums.scored, sums.counted, sums.certainAfter];
    [this.#countedTo, this.#countedUntil] = [sums.countedTo, sums.countedUntil];
  }

  /** Number of the first step that is shown. @param {number} now */
  #first(now) {
    return this.#all.step(now) - this.#range.steps + 1;
  }

  #ring() {
    return new Ring(this.#range.stepMs, this.#range.steps + 1, this.#labels.length + 1);
  }

  /** @param {string} label */
  #kind(label) {
    const index = this.#labels.indexOf(label);
    return index < 0 ? this.#labels.length : index;
  }

  /** @param {string} key @param {Memory} memory */
  #remember(key, memory) {
    this.#items.set(key, memory);
    if (this.#items.size <= ITEMS_MAX) return;
    const [oldest, { at }] = /** @type {[string, Memory]} */ (this.#items.entries().next().value);
    this.#items.delete(oldest);
    this.#certainAfter = Math.max(this.#certainAfter, at);
  }

  /** @param {string} ticker */
  #tickerRing(ticker) {
    const ring = this.#tickers.get(ticker) ?? new Ring(this.#range.pointMs, this.#range.points + 1, 1);
    this.#tickers.delete(ticker); // so that the order of the map is the order of the news
    this.#tickers.set(ticker, ring);
    if (this.#tickers.size > TICKERS_MAX) this.#tickers.delete(/** @type {string} */ (this.#tickers.keys().next().value));
    return ring;
  }
}

/** @param {number[]} column of one label @param {number} total */
function trim(column, total) {
  const first = total - column.slice(1).reduce((sum, count) => sum + count, 0);
  // Anything else is a count that is being corrected.
  if (first >= 0 && first <= column[0]) column[0] = first;
}

/** @param {string} itemId @param {string | null} timestamp */
const keyOf = (itemId, timestamp) => JSON.stringify([itemId, timestamp]);

/** @param {Update} update */
const noteOf = ({ itemId, timestamp, ticker }) => JSON.stringify([itemId, timestamp, ticker]);

/** A ticker's line tells no labels apart. @param {Counted} counted @returns {Counted} */
const forTicker = ({ score }) => ({ kind: 0, score });

/** @param {Counted} left @param {Counted} right */
const isSame = (left, right) => left.kind === right.kind && left.score === right.score;

/** @param {Ring} ring @param {number} at @param {Counted | null | undefined} before @param {Counted} after */
function replace(ring, at, before, after) {
  if (before) ring.remove(at, before.kind, before.score);
  ring.add(at, after.kind, after.score);
}
