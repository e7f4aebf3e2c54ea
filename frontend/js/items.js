/**
 * Turns what REST says of items into typed items, and an item into the updates that a stream would have sent of it. Pure.
 */

import { isObject, own, parseUpdate } from './event.js';

/** Most tickers taken over of one item. */
const TICKERS_MAX = 50;

/**
 * @typedef {import('./event.js').Update} Update
 * @typedef {Omit<Update, 'type' | 'ticker'> & {tickers: readonly string[]}} Item
 * @typedef {{at: number, counts: number[], scores: {count: number, mean: number}}} Counted of a step that begins at `at`, by label
 */

/**
 * Returns the items of a list, in its order; what is no item is left out.
 * @param {unknown} list
 * @param {readonly string[]} [show] names of what items say beside their own fields
 * @returns {Item[]}
 */
export function parseItems(list, show = []) {
  return Array.isArray(list) ? list.map((data) => parseItem(data, show)).filter((item) => item !== null) : [];
}

/**
 * Returns the steps of a history; what is no step is left out.
 * @param {unknown} points
 * @param {readonly string[]} labelKeys
 * @returns {Counted[]}
 */
export function parsePoints(points, labelKeys) {
  return Array.isArray(points) ? points.map((point) => parsePoint(point, labelKeys)).filter((point) => point !== null) : [];
}

/** @param {unknown} point @param {readonly string[]} labelKeys @returns {Counted | null} */
function parsePoint(point, labelKeys) {
  const [at, byLabel, score] = isObject(point) ? [Date.parse(String(own(point, 'timestamp'))), own(point, 'by_label'), own(point, 'score')] : [NaN];
  if (Number.isNaN(at) || !isObject(byLabel)) return null;
  const number = (/** @type {unknown} */ value) => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
  const of = (/** @type {string} */ key) => (isObject(score) ? number(own(score, key)) : 0);
  return { at, counts: labelKeys.map((key) => number(own(byLabel, key))), scores: { count: of('count'), mean: of('mean') } };
}

/** @param {unknown} data @param {readonly string[]} show @returns {Item | null} */
function parseItem(data, show) {
  if (!isObject(data)) return null;
  const tickers = own(data, 'tickers');
  if (!Array.isArray(tickers)) return null;
  const updates = (tickers.length === 0 ? [null] : tickers.slice(0, TICKERS_MAX)).map((ticker) => parseUpdate({ ...data, ticker }, show));
  const valid = /** @type {Update[]} */ (updates.filter((update) => update !== null));
  if (valid.length === 0) return null;
  const { type: _type, ticker: _ticker, ...item } = valid[0];
  return { ...item, tickers: [...new Set(valid.map(({ ticker }) => ticker))].filter((ticker) => ticker !== null) };
}

/**
 * Returns the item's updates: one for each ticker, or the one of an item without any.
 * @param {Item} item
 * @returns {Update[]}
 */
export function updatesOf({ tickers, ...item }) {
  return (tickers.length === 0 ? [null] : tickers).map((ticker) => ({ type: 'update', ...item, ticker }));
}

/**
 * Returns the text of the event that a stream would have sent.
 * @param {Update} update
 */
export function eventText({ itemId, ticker, label, score, confidence, source, timestamp, title, url, shown }) {
  const values = Object.fromEntries(shown.map(({ name, value }) => [name, value]));
  return JSON.stringify({ ...values, item_id: itemId, ticker, label, score, confidence, source, timestamp, title, url });
}
