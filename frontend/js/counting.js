/**
 * What the server has counted and what it has kept, read for the stream that is shown: the steps of the history, which it begins with
 * and which are corrected now and then, and the items of the last hour. Knows REST, not the document.
 */

import { parseCounts } from './counts.js';
import { SETTLED_MS } from './history.js';
import { itemPages, narrowed, updatesIn } from './poll.js';
import { historyPath } from './ranges.js';
import { EARLIER_MAX } from './reduce.js';
import { backoffMs } from './stream.js';

const PAGES_MAX = 5;
const HOUR_MS = 3_600_000;
/** The stream begins without a history that takes longer, and what it brings meanwhile is counted anew by the server. */
const HISTORY_WAIT_MS = 3_000;
/** An item that may have been counted as something else: the server is asked so much later, and no more often. */
const CORRECT_MS = 10_000;
/** Items that went away, or that came too late for an update, are in the numbers only: so often the steps are asked for again. */
const DRIFT_MS = 60_000;

/**
 * @typedef {import('./event.js').Update} Update
 * @typedef {object} Shown
 * @property {Pick<import('./config.js').Config, 'labelKeys' | 'show'>} config
 * @property {(path: string, signal: AbortSignal) => Promise<any>} get
 * @property {() => number} now of the server
 * @property {() => Promise<void>} named resolves when it is known which tickers are shown
 * @property {() => readonly string[]} tickers none: all
 * @property {() => void} onCounted the history has changed
 * @property {(updates: Update[]) => void} onLatest hears what the feed begins with
 * @property {(updates: Update[]) => void} onBaseline hears what was there before
 */

export class Counting {
  #history;
  #shown;
  /** Ends what is being read for the stream before this one. */
  #reading = new AbortController();
  /** When the history is corrected next. @type {{timer: number, at: number} | null} */
  #correction = null;
  /** The step of this moment, and those before, may not be what the server counts. */
  #doubtfulAt = 0;
  /** What is read after a loss, and of the last hour: the newest of each goes on, those before it leave off. */
  #catching = 0;
  #readingItems = 0;
  /** Have tried again at once what would be later. @type {Set<() => void>} */
  #asleep = new Set();

  /** @param {import('./history.js').History} history @param {Shown} shown */
  constructor(history, shown) {
    this.#history = history;
    this.#shown = shown;
  }

  /** Leaves what is being read and what was to be corrected, and begins anew. @returns {AbortSignal} of what is read from now on */
  anew() {
    // A correction of what was left would do nothing, and stand in the way of others until then.
    this.settle();
    this.#reading.abort();
    this.#reading = new AbortController();
    return this.#reading.signal;
  }

  /** Forgets that something is to be corrected. */
  settle() {
    if (this.#correction) clearTimeout(this.#correction.timer);
    this.#correction = null;
  }

  /**
   * Reads what the server has counted. Returns the position at which a stream goes on from there; null where it could not be had, or
   * took too long: what comes then is shown, and lacks what happened until the stream began, so that `catchUp` has to be told of that.
   * @param {AbortSignal} signal @returns {Promise<string | null>}
   */
  async begin(signal) {
    const late = new Promise((resolve) => setTimeout(() => resolve(null), HISTORY_WAIT_MS));
    const reading = this.#read(signal).catch(() => null);
    const counts = await Promise.race([reading, late]);
    if (signal.aborted) return null;
    if (counts) {
      this.#history.load(counts);
      this.#shown.onCounted();
      return counts.lastEventId;
    }
    this.#history.miss();
    this.#shown.onCounted();
    reading.then((found) => found && !signal.aborted && !this.#history.isRead && this.#reload(found));
    return null;
  }

  /** An update was counted that the server may have counted as something else. */
  doubt() {
    this.#doubtIn(CORRECT_MS);
  }

  /** New numbers came: what is in them alone shows after a while. */
  drift() {
    this.#doubtIn(DRIFT_MS);
  }

  /** After a loss, and where the stream began without a history, the server has all of it. */
  async catchUp() {
    const { signal } = this.#reading;
    const mine = (this.#catching += 1);
    const isOver = () => signal.aborted || mine !== this.#catching;
    for (const wake of this.#asleep) wake();
    await this.#insist(isOver, async () => {
      const counts = await this.#read(signal);
      if (!isOver()) this.#reload(counts);
    });
    if (!isOver()) await this.readItems(signal);
  }

  /** Reads what the feed begins with. @param {AbortSignal} signal */
  async readLatest(signal) {
    await this.#insist(() => signal.aborted, async () => {
      await this.#shown.named();
      const tickers = this.#shown.tickers();
      const { items } = await this.#shown.get(`/items?limit=${EARLIER_MAX}${narrowed('&', tickers)}`, signal);
      if (!signal.aborted) this.#shown.onLatest(updatesIn(items, tickers, this.#shown.config.show));
    });
  }

  /** Reads the last hour, newest first, while nobody waits for it. @param {AbortSignal} signal */
  async readItems(signal) {
    const mine = (this.#readingItems += 1);
    const isOver = () => signal.aborted || mine !== this.#readingItems;
    await this.#insist(isOver, async () => {
      await this.#shown.named();
      const get = (/** @type {string} */ path) => this.#shown.get(path, signal);
      for await (const updates of itemPages(get, this.#shown.tickers(), PAGES_MAX, signal, this.#shown.config.show)) {
        if (isOver()) return;
        this.#shown.onBaseline(updates);
        if (Date.parse(updates.at(-1)?.timestamp ?? '') < this.#shown.now() - HOUR_MS) return;
      }
    });
  }

  /**
   * Reads something until it has been read. The page goes on meanwhile with what the stream brings.
   * @param {() => boolean} isOver whether it is no longer wanted @param {() => Promise<void>} read
   */
  async #insist(isOver, read) {
    for (let failures = 1; !isOver(); failures += 1) {
      try {
        return await read();
      } catch {
        if (!isOver()) await this.#sleep(backoffMs(failures, Math.random()));
      }
    }
  }

  /** @param {number} ms @returns {Promise<void>} */
  #sleep(ms) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#asleep.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#asleep.add(wake);
    });
  }

  /** Takes a history whose position the stream does not have. @param {import('./counts.js').Counts} counts */
  #reload(counts) {
    this.#history.reload(counts, this.#shown.now());
    this.#doubtIn(CORRECT_MS);
    this.#shown.onCounted();
  }

  /** @param {AbortSignal} signal */
  async #read(signal) {
    await this.#shown.named();
    const { range } = this.#history;
    const narrow = narrowed('&', this.#shown.tickers());
    const read = async (/** @type {number} */ now) => parseCounts(await this.#shown.get(historyPath(range, now, narrow), signal), this.#shown.config.labelKeys);
    const now = this.#shown.now();
    const counts = await read(now);
    // A clock that goes ahead of the server's asks for too little.
    const isAhead = !range.isWindow && counts.to <= now - range.stepMs;
    return isAhead ? read(counts.to - 1) : counts;
  }

  /** @param {number} ms from now */
  #doubtIn(ms) {
    this.#doubtfulAt = this.#shown.now();
    this.#correctIn(ms);
  }

  /** Has the server count the steps that are over. @param {number} ms from now; what is to be sooner stays */
  #correctIn(ms) {
    const at = Date.now() + ms;
    if (this.#correction && this.#correction.at <= at) return;
    this.settle();
    const { signal } = this.#reading;
    const timer = setTimeout(() => {
      this.#correction = null;
      if (!signal.aborted) this.#correct(signal);
    }, ms);
    this.#correction = { timer, at };
  }

  /** @param {AbortSignal} signal */
  async #correct(signal) {
    const counts = await this.#read(signal).catch(() => null);
    if (signal.aborted) return;
    if (!counts) {
      this.#correctIn(DRIFT_MS);
      return;
    }
    if (!this.#history.isRead) return this.#reload(counts);
    const now = this.#shown.now();
    const until = this.#history.correct(counts, now);
    this.#shown.onCounted();
    // The last of them is counted when it is over, whether anything comes or not.
    if (until <= this.#doubtfulAt) this.#correctIn(until + this.#history.range.stepMs + SETTLED_MS - now);
  }
}
