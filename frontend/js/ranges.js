/**
 * The ranges that a reader can choose: how far back chart and lines go, and how long their steps are. Pure.
 *
 * @typedef {object} Range
 * @property {string} name as it stands in the address
 * @property {string} text as a button says it
 * @property {string} spoken after "last"
 * @property {number} stepMs length of one bar
 * @property {number} steps bars, the running one included
 * @property {number} pointMs length of one point of a ticker's line, and of one row of the chart's table
 * @property {number} points of a ticker's line
 * @property {boolean} isWindow whether it is all that the server counts
 */

const MINUTE_MS = 60_000;

/** A day has a step more than its length: it begins within the first one, and all bars together are the totals. */
/** @type {readonly Range[]} */
export const RANGES = Object.freeze([
  { name: '15m', text: '15 min', spoken: '15 minutes', stepMs: MINUTE_MS, steps: 15, pointMs: MINUTE_MS, points: 15, isWindow: false },
  { name: '1h', text: '1 h', spoken: 'hour', stepMs: MINUTE_MS, steps: 60, pointMs: 5 * MINUTE_MS, points: 12, isWindow: false },
  { name: '6h', text: '6 h', spoken: '6 hours', stepMs: 5 * MINUTE_MS, steps: 72, pointMs: 30 * MINUTE_MS, points: 12, isWindow: false },
  { name: '24h', text: '24 h', spoken: '24 hours', stepMs: 15 * MINUTE_MS, steps: 97, pointMs: 60 * MINUTE_MS, points: 24, isWindow: true },
]);

export const RANGE_DEFAULT = RANGES[1];

/** Returns the range of this name, or the usual one. @param {string | null} name */
export const rangeOf = (name) => RANGES.find((range) => range.name === name) ?? RANGE_DEFAULT;

/**
 * Returns the path that asks for a range.
 * @param {Range} range @param {number} now of the server @param {string} narrowed `&tickers=…`, or nothing
 */
export function historyPath({ stepMs, steps, pointMs, isWindow }, now, narrowed) {
  const minutes = (/** @type {number} */ ms) => (ms === 60 * MINUTE_MS ? '1h' : `${ms / MINUTE_MS}m`);
  const first = (Math.floor(now / stepMs) - steps + 1) * stepMs;
  const from = isWindow ? '' : `&from=${new Date(first).toISOString()}`;
  return `/history?step=${minutes(stepMs)}&by_ticker=${minutes(pointMs)}${from}${narrowed}`;
}
