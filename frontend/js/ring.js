/**
 * Sums over the last steps of time, in memory that never grows: counts by kind, and the mean of scores. A step that has left
 * the ring is as if it had never been.
 */

/** @typedef {{stamps: Float64Array, counts: Uint32Array, scored: Uint32Array, sums: Float64Array}} RingData */

export class Ring {
  #stepMs;
  #steps;
  #kinds;
  /** @type {RingData} */
  #data;

  /**
   * @param {number} stepMs
   * @param {number} steps how many are held, the running one included
   * @param {number} kinds
   */
  constructor(stepMs, steps, kinds) {
    this.#stepMs = stepMs;
    this.#steps = steps;
    this.#kinds = kinds;
    this.#data = {
      stamps: new Float64Array(steps).fill(-1),
      counts: new Uint32Array(steps * kinds),
      scored: new Uint32Array(steps),
      sums: new Float64Array(steps),
    };
  }

  /** Returns the number of the step in which a moment lies. @param {number} at milliseconds since 1970 */
  step(at) {
    return Math.floor(at / this.#stepMs);
  }

  /**
   * Counts one more.
   * @param {number} at milliseconds since 1970
   * @param {number} kind
   * @param {number | null} score
   */
  add(at, kind, score) {
    const step = this.step(at);
    const slot = step % this.#steps;
    const { stamps, counts, scored, sums } = this.#data;
    if (step < stamps[slot] || step < 0) return;
    if (step > stamps[slot]) this.#begin(step);
    counts[slot * this.#kinds + kind] += 1;
    if (score === null) return;
    scored[slot] += 1;
    sums[slot] += score;
  }

  /** Takes back what `add` counted. @param {number} at @param {number} kind @param {number | null} score */
  remove(at, kind, score) {
    const slot = this.#slot(this.step(at));
    const { counts, scored, sums } = this.#data;
    if (slot === null || counts[slot * this.#kinds + kind] === 0) return;
    counts[slot * this.#kinds + kind] -= 1;
    if (score === null) return;
    scored[slot] -= 1;
    // What is left of rounding must not become a mean.
    sums[slot] = scored[slot] === 0 ? 0 : sums[slot] - score;
  }

  /**
   * Takes what somebody else has counted of a step, in place of what is known of it.
   * @param {number} step
   * @param {readonly number[]} counts by kind
   * @param {{count: number, mean: number}} scores
   */
  set(step, counts, scores) {
    if (step < this.#data.stamps[step % this.#steps] || step < 0) return;
    this.#begin(step);
    this.addAll(step, counts, scores);
  }

  /** Takes what somebody else has counted of a part of a step, beside what is known of it. @param {number} step @param {readonly number[]} counts by kind @param {{count: number, mean: number}} scores */
  addAll(step, counts, scores) {
    const slot = this.#slot(step);
    if (slot === null) return;
    const { counts: all, scored, sums } = this.#data;
    for (let kind = 0; kind < this.#kinds; kind += 1) all[slot * this.#kinds + kind] += counts[kind] ?? 0;
    scored[slot] += scores.count;
    sums[slot] += scores.count * scores.mean;
  }

  /** @param {number} step @param {number} kind */
  count(step, kind) {
    const slot = this.#slot(step);
    return slot === null ? 0 : this.#data.counts[slot * this.#kinds + kind];
  }

  /**
   * Returns count and mean of the steps from `first` to `last`, both included; the mean is null where nothing has a score.
   * @param {number} first
   * @param {number} last
   * @returns {{count: number, mean: number | null}}
   */
  over(first, last) {
    let [count, scored, sum] = [0, 0, 0];
    for (let step = first; step <= last; step += 1) {
      const slot = this.#slot(step);
      if (slot === null) continue;
      for (let kind = 0; kind < this.#kinds; kind += 1) count += this.#data.counts[slot * this.#kinds + kind];
      scored += this.#data.scored[slot];
      sum += this.#data.sums[slot];
    }
    return { count, mean: scored === 0 ? null : sum / scored };
  }

  /** Returns all of it, for another ring of the same shape. @returns {RingData} */
  get data() {
    return this.#data;
  }

  /** Takes over what another ring of the same shape held; anything else is left alone. @param {RingData} data */
  restore(data) {
    const own = this.#data;
    const fits = Object.keys(own).every((key) => data?.[key]?.length === own[key].length);
    if (fits) for (const key of Object.keys(own)) own[key].set(data[key]);
  }

  /** Nothing is counted of a step yet; what had its place has left. @param {number} step */
  #begin(step) {
    const slot = step % this.#steps;
    const { stamps, counts, scored, sums } = this.#data;
    stamps[slot] = step;
    counts.fill(0, slot * this.#kinds, (slot + 1) * this.#kinds);
    scored[slot] = 0;
    sums[slot] = 0;
  }

  /** @param {number} step @returns {number | null} */
  #slot(step) {
    const slot = step % this.#steps;
    return step >= 0 && this.#data.stamps[slot] === step ? slot : null;
  }
}
