/**
 * What the page knows, and how each event changes it. Pure: no document, no network, no clock; the time of arrival
 * comes with the action. A state is never changed in place. Actions of an unknown type leave it as it is: pages outlive servers.
 */

/** Most entries of the live feed; the oldest leaves first. */
export const FEED_MAX = 200;
/** Most tickers whose last update is remembered; the one without news for longest leaves first. */
export const LAST_MAX = 1000;

/**
 * @typedef {import('./event.js').ServerEvent} ServerEvent
 * @typedef {import('./event.js').Update} Update
 * @typedef {import('./event.js').Metrics} Metrics
 * @typedef {import('./event.js').Heartbeat} Heartbeat
 * @typedef {'connecting' | 'live' | 'reconnecting' | 'refused' | 'offline'} Phase
 *
 * Times are milliseconds since 1970, as the shell's clock said.
 * @typedef {{phase: Phase, lastEventAt: number | null, retryAt: number | null, detail: string | null}} Connection
 * @typedef {{kind: 'update', seq: number, update: Update, revised: boolean}} UpdateEntry
 * @typedef {{kind: 'gap', seq: number}} GapEntry a place where updates may be missing
 * @typedef {UpdateEntry | GapEntry} FeedEntry
 *
 * @typedef {object} State
 * @property {Connection} connection
 * @property {Heartbeat | null} instance
 * @property {Metrics | null} metrics
 * @property {ReadonlyMap<string, Update>} lastByTicker the newest update of each ticker, by the item's own time
 * @property {readonly FeedEntry[]} feed newest first
 * @property {number} received updates since the page was opened
 * @property {{feed: readonly FeedEntry[], received: number} | null} paused what was shown when the reader paused the feed
 * @property {{reason: string | null} | null} gap set after a `reset` until the reader dismisses it
 *
 * @typedef {(ServerEvent & {at: number})
 *   | {type: 'connection', phase: Phase, retryAt?: number | null, detail?: string | null}
 *   | {type: 'pause_toggled'}
 *   | {type: 'gap_dismissed'}} Action
 */

/** @type {State} */
export const INITIAL_STATE = Object.freeze({
  connection: Object.freeze({ phase: 'connecting', lastEventAt: null, retryAt: null, detail: null }),
  instance: null,
  metrics: null,
  lastByTicker: new Map(),
  feed: Object.freeze([]),
  received: 0,
  paused: null,
  gap: null,
});

/**
 * Returns the state after an action.
 * @param {State} state
 * @param {Action} action
 * @returns {State}
 */
export function reduce(state, action) {
  switch (action.type) {
    case 'heartbeat':
      return { ...alive(state, action.at), instance: action };
    case 'metrics':
      return { ...alive(state, action.at), metrics: action };
    case 'update':
      return withUpdate(alive(state, action.at), action);
    case 'reset':
      return { ...alive(state, action.at), feed: withGap(state.feed), gap: { reason: action.reason } };
    case 'deadline':
      // A planned end: the browser is back in about a second, so the phase stays what it was.
      return { ...state, connection: { ...state.connection, lastEventAt: action.at } };
    case 'overloaded':
      return { ...state, connection: refusal(action) };
    case 'connection':
      return { ...state, connection: withPhase(state.connection, action) };
    case 'pause_toggled':
      return { ...state, paused: state.paused ? null : { feed: state.feed, received: state.received } };
    case 'gap_dismissed':
      return { ...state, gap: null };
    default:
      return state;
  }
}

/** @param {State} state @param {number} at @returns {State} */
function alive(state, at) {
  return { ...state, connection: { phase: 'live', lastEventAt: at, retryAt: null, detail: null } };
}

/** @param {import('./event.js').Overloaded & {at: number}} event @returns {Connection} */
function refusal({ at, retryAfterMs, detail }) {
  return { phase: 'refused', lastEventAt: at, retryAt: retryAfterMs === null ? null : at + retryAfterMs, detail };
}

/**
 * @param {Connection} connection
 * @param {{phase: Phase, retryAt?: number | null, detail?: string | null}} change
 * @returns {Connection}
 */
function withPhase(connection, { phase, retryAt = null, detail = null }) {
  return { phase, lastEventAt: connection.lastEventAt, retryAt, detail };
}

/** @param {State} state @param {Update} update @returns {State} */
function withUpdate(state, update) {
  const earlier = update.itemId === null ? [] : sameItem(state.feed, update);
  // The server promises never to miss an update, not never to repeat one after a long gap.
  if (earlier.some((entry) => entry.update.label === update.label && entry.update.score === update.score)) return state;
  const entry = { kind: /** @type {const} */ ('update'), seq: nextSeq(state.feed), update, revised: earlier.length > 0 };
  return {
    ...state,
    received: state.received + 1,
    lastByTicker: withLast(state.lastByTicker, update),
    feed: [entry, ...state.feed.slice(0, FEED_MAX - 1)],
  };
}

/** @param {readonly FeedEntry[]} feed @param {Update} update @returns {UpdateEntry[]} */
function sameItem(feed, { itemId, ticker }) {
  return /** @type {UpdateEntry[]} */ (
    feed.filter((entry) => entry.kind === 'update' && entry.update.itemId === itemId && entry.update.ticker === ticker)
  );
}

/**
 * Rows analysed late arrive after newer ones: they belong into the feed, but they are not the ticker's last.
 * @param {ReadonlyMap<string, Update>} last
 * @param {Update} update
 * @returns {ReadonlyMap<string, Update>}
 */
function withLast(last, update) {
  const known = last.get(update.ticker);
  // RFC 3339 in UTC with milliseconds: the order of the texts is the order of the times.
  if (known && (known.timestamp ?? '') > (update.timestamp ?? '')) return last;
  const next = new Map(last);
  next.delete(update.ticker); // so that the order of the map is the order of the news
  next.set(update.ticker, update);
  if (next.size > LAST_MAX) next.delete(/** @type {string} */ (next.keys().next().value));
  return next;
}

/** @param {readonly FeedEntry[]} feed @returns {readonly FeedEntry[]} */
function withGap(feed) {
  if (feed.length === 0 || feed[0].kind === 'gap') return feed;
  return [{ kind: 'gap', seq: nextSeq(feed) }, ...feed.slice(0, FEED_MAX - 1)];
}

/** @param {readonly FeedEntry[]} feed @returns {number} */
function nextSeq(feed) {
  return feed.length === 0 ? 1 : feed[0].seq + 1;
}

/**
 * Returns the rows of the ticker table, the most frequent first. A ticker that has an update but is not counted yet has
 * no count; one that left the window has zero.
 * @param {State} state
 * @returns {{ticker: string, count: number | null, last: Update | null}[]}
 */
export function tickerRows({ metrics, lastByTicker }) {
  const counts = metrics?.byTag ?? new Map();
  const tickers = new Set([...counts.keys(), ...lastByTicker.keys()]);
  return [...tickers]
    .map((ticker) => ({
      ticker,
      count: counts.get(ticker) ?? (metrics ? 0 : null),
      last: lastByTicker.get(ticker) ?? null,
    }))
    .sort((left, right) => (right.count ?? 0) - (left.count ?? 0) || (left.ticker < right.ticker ? -1 : 1));
}
