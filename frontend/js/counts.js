/** Turns what REST says of a history into typed counts. Pure. */

import { isObject, own } from './event.js';

/** Most tickers taken over. */
const TICKERS_MAX = 1_000;
/** Most steps taken over of one ticker. */
const STEPS_MAX = 100;

/**
 * @typedef {{at: number, counts: number[], scores: {count: number, mean: number}}} Step that begins at `at`, by label
 * @typedef {{ticker: string, points: Step[]}} Line of a ticker; it tells no labels apart
 * @typedef {{from: number, to: number}} Gap of which nothing is known
 * @typedef {{to: number, points: Step[], gaps: Gap[], tickers: Line[], lastEventId: string, watermark: number}} Counts up to the moment `to`, of items up to
 *   the time `watermark`, and where a stream goes on
 */

/** @param {unknown} answer @param {readonly string[]} labelKeys @returns {Counts} */
export function parseCounts(answer, labelKeys) {
  const data = isObject(answer) ? answer : {};
  const lastEventId = own(data, 'last_event_id');
  return {
    to: Date.parse(String(own(data, 'to'))),
    points: parsePoints(own(data, 'points'), labelKeys),
    gaps: parseGaps(own(data, 'gaps')),
    tickers: parseLines(own(data, 'by_ticker')),
    lastEventId: typeof lastEventId === 'string' ? lastEventId : '',
    watermark: Date.parse(String(own(data, 'watermark'))),
  };
}

/**
 * Returns the steps of a history; what is no step is left out.
 * @param {unknown} points
 * @param {readonly string[]} labelKeys
 * @returns {Step[]}
 */
export function parsePoints(points, labelKeys) {
  return Array.isArray(points) ? points.map((point) => parsePoint(point, labelKeys)).filter((point) => point !== null) : [];
}

/** @param {unknown} point @param {readonly string[]} labelKeys @returns {Step | null} */
function parsePoint(point, labelKeys) {
  const [at, byLabel, score] = isObject(point) ? [Date.parse(String(own(point, 'timestamp'))), own(point, 'by_label'), own(point, 'score')] : [NaN];
  if (Number.isNaN(at) || !isObject(byLabel)) return null;
  const of = (/** @type {string} */ key) => (isObject(score) ? number(own(score, key)) : 0);
  return { at, counts: labelKeys.map((key) => number(own(byLabel, key))), scores: { count: of('count'), mean: of('mean') } };
}

/** @param {unknown} gaps @returns {Gap[]} */
function parseGaps(gaps) {
  const parse = (/** @type {Record<string, unknown>} */ gap) => ({ from: Date.parse(String(own(gap, 'from'))), to: Date.parse(String(own(gap, 'to'))) });
  return Array.isArray(gaps) ? gaps.filter(isObject).map(parse).filter(({ from, to }) => from < to) : [];
}

/** @param {unknown} byTicker @returns {Line[]} */
function parseLines(byTicker) {
  if (!isObject(byTicker)) return [];
  const [from, stepMs, tickers] = [Date.parse(String(own(byTicker, 'from'))), number(own(byTicker, 'step_seconds')) * 1_000, own(byTicker, 'tickers')];
  if (Number.isNaN(from) || stepMs <= 0 || !isObject(tickers)) return [];
  // Object.entries: a ticker may be called `__proto__`.
  return Object.entries(tickers).slice(0, TICKERS_MAX).flatMap(([ticker, line]) => {
    const [totals, counts, means] = ['totals', 'score_counts', 'score_means'].map((key) => (isObject(line) ? own(line, key) : null));
    if (!Array.isArray(totals) || !Array.isArray(counts) || !Array.isArray(means)) return [];
    const step = (/** @type {unknown} */ total, /** @type {number} */ index) =>
      ({ at: from + index * stepMs, counts: [number(total)], scores: { count: number(counts[index]), mean: number(means[index]) } });
    return [{ ticker, points: totals.slice(0, STEPS_MAX).map(step) }];
  });
}

/** @param {unknown} value */
const number = (value) => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
