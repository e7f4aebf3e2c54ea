/**
 * The ranges that a reader can choose: how far back chart and lines go, and how long their steps are. Pure.
 *
 * @typedef {object} Range
 * @property {'15m' | '1h' | '6h' | '24h' | '7d' | '30d'} name as it stands in the address, and as its words are called
 * @property {number} stepMs length of one bar
 * @property {number} steps bars, the running one included
 * @property {number} pointMs length of one point of a ticker's line
 * @property {number} [rowMs] of one row of the chart's table; left out, of a point
 * @property {number} points of a ticker's line
 * @property {boolean} isWindow whether it is all that the server counts
 * @property {boolean} [isKept] whether it begins before that: with sums of hours, which tell no tickers apart
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A day has a step more than its length: it begins within the first one, and all bars together are the totals. */
/** @type {readonly Range[]} */
export const RANGES = Object.freeze([
  { name: '15m', stepMs: MINUTE_MS, steps: 15, pointMs: MINUTE_MS, points: 15, isWindow: false },
  { name: '1h', stepMs: MINUTE_MS, steps: 60, pointMs: 5 * MINUTE_MS, points: 12, isWindow: false },
  { name: '6h', stepMs: 5 * MINUTE_MS, steps: 72, pointMs: 30 * MINUTE_MS, points: 12, isWindow: false },
  { name: '24h', stepMs: 15 * MINUTE_MS, steps: 97, pointMs: 60 * MINUTE_MS, points: 24, isWindow: true },
]);

/** Lines of tickers are those of a day: of hours before the window the server knows labels and filters. */
const KEPT = { rowMs: DAY_MS, pointMs: HOUR_MS, points: 24, isWindow: false, isKept: true };

/** @type {readonly Range[]} */
export const KEPT_RANGES = Object.freeze([
  { name: '7d', stepMs: HOUR_MS, steps: 168, ...KEPT },
  { name: '30d', stepMs: 6 * HOUR_MS, steps: 120, ...KEPT },
]);

export const RANGE_DEFAULT = RANGES[1];

/**
 * Returns the ranges for which the server keeps items or their sums long enough; the shortest where it keeps none so long.
 * @param {{windowMs: number, historyMs: number}} config what the server counts, and for how long it keeps sums
 * @returns {readonly Range[]}
 */
export function rangesWithin({ windowMs, historyMs }) {
  const within = [...RANGES, ...KEPT_RANGES].filter(({ stepMs, steps, isWindow, isKept }) => (isWindow ? steps - 1 : steps) * stepMs <= (isKept ? historyMs : windowMs));
  return within.length > 0 ? within : RANGES.slice(0, 1);
}

/** Returns the range of this name, or the usual one, or the longest that there is. @param {string | null} name @param {readonly Range[]} [ranges] */
export const rangeOf = (name, ranges = RANGES) =>
  ranges.find((range) => range.name === name) ?? ranges.find((range) => range === RANGE_DEFAULT) ?? /** @type {Range} */ (ranges.at(-1));

/** Returns when the first step of a range begins, as a text. @param {Range} range @param {number} now of the server */
export const firstMoment = ({ stepMs, steps }, now) => new Date((Math.floor(now / stepMs) - steps + 1) * stepMs).toISOString();

/**
 * Returns the path that asks for a range.
 * @param {Range} range @param {number} now of the server @param {string} narrowed `&tickers=…`, or nothing
 */
export function historyPath(range, now, narrowed) {
  const { stepMs, pointMs, isWindow } = range;
  const minutes = (/** @type {number} */ ms) => (ms < HOUR_MS ? `${ms / MINUTE_MS}m` : '1h');
  const from = isWindow ? '' : `&from=${firstMoment(range, now)}`;
  return `/history?step=${minutes(stepMs)}&by_ticker=${minutes(pointMs)}${from}${narrowed}`;
}
