/**
 * Turns what REST says of items into typed items, and an item into the updates that a stream would have sent of it. Pure.
 */

import { isObject, own, parseUpdate } from './event.js';

/** Most tickers taken over of one item. */
const TICKERS_MAX = 50;

/**
 * @typedef {import('./event.js').Update} Update
 * @typedef {Omit<Update, 'type' | 'ticker'> & {tickers: readonly string[]}} Item
 */

/**
 * Returns the items of a list, in its order; what is no item is left out.
 * @param {unknown} list
 * @param {readonly string[]} [show] names of what items say beside their own fields
 * @param {readonly string[]} [narrow] tickers that are meant, which an item may have beside many others; none: all
 * @returns {Item[]}
 */
export function parseItems(list, show = [], narrow = []) {
  return Array.isArray(list) ? list.map((data) => parseItem(data, show, narrow)).filter((item) => item !== null) : [];
}

/** @param {unknown} data @param {readonly string[]} show @param {readonly string[]} narrow @returns {Item | null} */
function parseItem(data, show, narrow) {
  if (!isObject(data)) return null;
  const all = own(data, 'tickers');
  if (!Array.isArray(all)) return null;
  const tickers = narrow.length === 0 ? all : all.filter((ticker) => narrow.includes(ticker));
  if (narrow.length > 0 && tickers.length === 0) return null;
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
