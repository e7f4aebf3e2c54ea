/**
 * Asks REST for what a stream would have sent: the numbers, and the updates that nobody has heard. Keeps nothing itself; what is
 * known is asked for.
 */

import { eventText, parseItems, updatesOf } from './items.js';

const PAGE_ITEMS = 200;
/** Most pages read to find the place where the news begin. */
const PAGES_MAX = 5;

/**
 * @typedef {import('./event.js').Update} Update
 * @typedef {object} Options
 * @property {(path: string, signal?: AbortSignal) => Promise<any>} get
 * @property {string} updateEvent
 * @property {readonly string[]} [show] names of what items say beside their own fields
 * @property {() => readonly string[]} tickers to which the stream is narrowed; none: all
 * @property {(update: Update) => boolean} isKnown this very update was heard, or was there before
 * @property {() => boolean} isBlank nothing is known yet, so that nothing can be news
 * @property {(updates: Update[]) => void} onBaseline hears what was there before
 */

/** Returns the function that a stream asks in its place. @param {Options} options */
export function poller({ get, updateEvent, show = [], tickers, isKnown, isBlank, onBaseline }) {
  /** @param {AbortSignal} signal @returns {Promise<{name: string, data: string}[]>} */
  return async (signal) => {
    const { recent_items: recentItems, ...metrics } = await get(`/metrics${narrowed('?', tickers())}`, signal);
    const events = [{ name: 'metrics', data: JSON.stringify(metrics) }];
    const recent = updatesIn(recentItems, tickers(), show);
    if (isBlank()) {
      onBaseline(recent);
      return events;
    }
    const isCutOff = recent.length > 0 && !recent.some(isKnown);
    const updates = isCutOff ? await pages(get, tickers(), show, isKnown, signal) : recent;
    const news = updates.filter((update) => !isKnown(update)).reverse();
    return [...events, ...news.map((update) => ({ name: updateEvent, data: eventText(update) }))];
  };
}

/**
 * Returns the newest updates down to the page that has a known one.
 * @param {Options['get']} get @param {readonly string[]} tickers @param {readonly string[]} show @param {Options['isKnown']} isKnown @param {AbortSignal} signal
 */
async function pages(get, tickers, show, isKnown, signal) {
  const updates = [];
  for await (const page of itemPages(get, tickers, PAGES_MAX, signal, show)) {
    updates.push(...page);
    if (page.some(isKnown)) break;
  }
  return updates;
}

/**
 * Gives the newest updates page by page, newest first.
 * @param {Options['get']} get @param {readonly string[]} tickers @param {number} pagesMax @param {AbortSignal} signal @param {readonly string[]} [show]
 * @returns {AsyncGenerator<Update[]>}
 */
export async function* itemPages(get, tickers, pagesMax, signal, show = []) {
  let after = '';
  for (let page = 0; page < pagesMax; page += 1) {
    const { items, next } = await get(`/items?limit=${PAGE_ITEMS}${after}${narrowed('&', tickers)}`, signal);
    yield updatesIn(items, tickers, show);
    if (typeof next !== 'string' || next === '') return;
    after = `&after=${encodeURIComponent(next)}`;
  }
}

/** An item has all its tickers, a narrowed stream only some of them. @param {unknown} items @param {readonly string[]} tickers @param {readonly string[]} show */
export function updatesIn(items, tickers, show) {
  return parseItems(items, show, tickers).flatMap(updatesOf);
}

/** @param {string} sign @param {readonly string[]} tickers */
export function narrowed(sign, tickers) {
  return tickers.length === 0 ? '' : `${sign}tickers=${tickers.map(encodeURIComponent).join(',')}`;
}
