/**
 * Small values that outlive the page, where the browser keeps any: private windows may refuse, and then they live as long as
 * the page does.
 */

export class Storage {
  #place;
  /** @type {Map<string, string>} */
  #memory = new Map();

  /** @param {() => globalThis.Storage} place asked for each time: the mere mention of `localStorage` may throw */
  constructor(place) {
    this.#place = place;
  }

  /** @param {string} key @returns {string | null} */
  get(key) {
    try {
      return this.#place().getItem(key) ?? this.#memory.get(key) ?? null;
    } catch {
      return this.#memory.get(key) ?? null;
    }
  }

  /** @param {string} key @param {string | null} value null removes it */
  set(key, value) {
    if (value === null) this.#memory.delete(key);
    else this.#memory.set(key, value);
    try {
      if (value === null) this.#place().removeItem(key);
      else this.#place().setItem(key, value);
    } catch {
      // The value in memory serves until the page goes.
    }
  }
}
