/**
 * What the page knows, and how each event changes it. Pure: no document, no network, no clock; the time of arrival
 * comes with the action. A state is never changed in place. Actions of an unknown type leave it as it is: pages outlive servers.
 */

/** Most entries of the live feed; the oldest leaves first. */
export const FEED_MAX = 200;
/** Most entries of the feed that were there before the page was opened. */
export const EARLIER_MAX = 20;
/** Most tickers whose last update is remembered; the one without news for longest leaves first. */
export const LAST_MAX = 1000;
/** Most updates that are remembered to tell repetitions; the one not heard of for longest leaves first. */
export const KNOWN_MAX = 2048;
/** Updates that are remembered apart until they are this many, so that hearing one does not copy all the others. */
const KNOWN_YOUNG_MAX = 64;
/** A clock that differs from the server's by less is right: the way takes time, too. */
const CLOCK_TOLERANCE_MS = 30_000;

/** @import { Update } from './event.js' */
/** @import { Status, Connection, FeedEntry, Verdict, Known, State, Shared, Action } from './state.js' */

/** Stands for what is said of a stream that asks for a user where there is none. */
export const SIGN_IN = 'sign-in';

/** @type {State} */
export const INITIAL_STATE = Object.freeze({
  connection: Object.freeze({
    phase: 'connecting', reason: null, retryAt: null, latencyMs: null, lastEventAt: null, role: 'alone', detail: null,
  }),
  clockOffsetMs: 0,
  instance: null,
  metrics: null,
  lastByTicker: new Map(),
  known: Object.freeze({ young: new Map(), old: new Map() }),
  feed: Object.freeze([]),
  received: 0,
  paused: null,
  gap: null,
  notice: null,
  filter: '',
});

/**
 * Returns the state after an action.
 * @param {State} state
 * @param {Action} action
 * @returns {State}
 */
export function reduce(state, action) {
  switch (action.type) {
    case 'status':
      return { ...state, connection: connectionAfter(state.connection, action.status) };
    case 'heartbeat':
      return { ...heard(state, action.at), instance: action, clockOffsetMs: clockOffset(action) };
    case 'metrics':
      return { ...heard(state, action.at), metrics: action };
    case 'update':
      return withUpdate(heard(state, action.at), action);
    case 'reset':
      return { ...heard(state, action.at), feed: withGap(state.feed), gap: { reason: action.reason } };
    case 'answered':
      // A heartbeat is not rounded to a second, and no cache keeps it.
      return state.instance ? state : { ...state, clockOffsetMs: clockOffset(action) };
    case 'deadline':
      return heard(state, action.at);
    case 'overloaded':
    case 'unavailable':
      return withDetail(heard(state, action.at), action.detail);
    case 'sign_in_needed':
      // An answer that came after the stream did is old.
      return state.connection.reason === 'status' ? withDetail(state, SIGN_IN) : state;
    case 'baseline':
      return action.updates.reduce((before, update) => withBaseline(before, update, action.heard), state);
    case 'latest':
      return { ...state, feed: withEarlier(state.feed, action.updates) };
    case 'switched':
      return { ...INITIAL_STATE, filter: state.filter, notice: state.notice };
    case 'restored':
      return withShared(state, action.shared);
    case 'filtered':
      return { ...state, filter: action.text };
    case 'noticed':
      return { ...state, notice: { text: action.text, action: action.action ?? null } };
    case 'notice_dismissed':
      return { ...state, notice: null };
    case 'pause_toggled':
      return { ...state, paused: state.paused ? null : { feed: state.feed, received: state.received } };
    case 'gap_dismissed':
      return { ...state, gap: null };
    default:
      return state;
  }
}

/** Returns what another tab needs to go on from here. @param {State} state @returns {Shared} */
export function shared({ clockOffsetMs, instance, metrics, lastByTicker, known, feed, received, gap }) {
  return { clockOffsetMs, instance, metrics, lastByTicker, known, feed, received, gap };
}

/** A feed that stands still goes on doing so, at the place where the other tab is. @param {State} state @param {Shared} known */
function withShared(state, known) {
  return { ...state, ...shared({ ...state, ...known }), paused: state.paused && { feed: known.feed, received: known.received } };
}

/** @param {State} state @param {number} at @returns {State} */
function heard(state, at) {
  return { ...state, connection: { ...state.connection, lastEventAt: at } };
}

/** @param {State} state @param {string | null} detail @returns {State} */
function withDetail(state, detail) {
  return { ...state, connection: { ...state.connection, detail } };
}

/** @param {Connection} before @param {Status} status @returns {Connection} */
function connectionAfter(before, status) {
  const { phase, reason, retryAt, latencyMs, role = before.role } = status;
  const lastEventAt = Math.max(before.lastEventAt ?? 0, status.lastEventAt ?? 0) || null;
  return { phase, reason, retryAt, latencyMs, lastEventAt, role, detail: reason === before.reason || reason === 'full' || reason === 'unavailable' ? before.detail : null };
}

/** @param {{timestamp: string | null, at: number}} stamped */
function clockOffset({ timestamp, at }) {
  const offset = timestamp === null ? 0 : Date.parse(timestamp) - at;
  return Math.abs(offset) > CLOCK_TOLERANCE_MS ? offset : 0; // NaN is not greater
}

/** @param {State} state @param {Update} update @returns {State} */
function withUpdate(state, update) {
  const before = lastKnown(state.known, update);
  // The server promises never to miss an update, not never to repeat one after a long gap. One that was changed and changed
  // back is no repetition: only the last one counts.
  if (before && before.label === update.label && before.score === update.score) return state;
  const entry = { kind: /** @type {const} */ ('update'), seq: nextSeq(state.feed), update, revised: before !== null };
  return {
    ...state,
    received: state.received + 1,
    known: withKnown(state.known, update),
    lastByTicker: withLast(state.lastByTicker, update),
    feed: [entry, ...withoutEarlier(state.feed, update).slice(0, FEED_MAX - 1)],
  };
}

/** What was there before is below all that is new, and no news. @param {readonly FeedEntry[]} feed @param {readonly Update[]} updates */
function withEarlier(feed, updates) {
  if (feed.some(({ kind }) => kind === 'earlier')) return feed;
  const heard = new Set(feed.map((entry) => (entry.kind === 'update' ? keyOf(entry.update) : null)));
  const earlier = updates.filter((update) => !heard.has(keyOf(update) ?? update.timestamp)).slice(0, EARLIER_MAX);
  if (earlier.length === 0) return feed;
  const entries = earlier.map((update, index) => ({ kind: /** @type {const} */ ('update'), seq: -1 - index, update, revised: false }));
  return [...feed, { kind: /** @type {const} */ ('earlier'), seq: 0 }, ...entries].slice(0, FEED_MAX);
}

/** What was read a moment before it is heard stands in the feed once. @param {readonly FeedEntry[]} feed @param {Update} update */
function withoutEarlier(feed, update) {
  const key = keyOf(update);
  const isIt = (/** @type {FeedEntry} */ entry) => entry.seq < 0 && entry.kind === 'update' && keyOf(entry.update) === key;
  return key === null || (feed.at(-1)?.seq ?? 0) >= 0 ? feed : feed.filter((entry) => !isIt(entry));
}

/**
 * What was there before the page was opened is no news. It may yet be the last of its ticker, and where it was read instead of
 * updates, hearing it again is a repetition.
 * @param {State} state @param {Update} update @param {boolean} isHeard @returns {State}
 */
function withBaseline(state, update, isHeard) {
  const known = isHeard && !lastKnown(state.known, update) ? withKnown(state.known, update) : state.known;
  const last = update.ticker === null ? undefined : state.lastByTicker.get(update.ticker);
  const isNewer = !last || (last.timestamp ?? '') < (update.timestamp ?? '');
  return { ...state, known, lastByTicker: isNewer ? withLast(state.lastByTicker, update) : state.lastByTicker };
}

/** A row is its id and its time; null where the id is missing. @param {Update} update */
function keyOf({ itemId, timestamp, ticker }) {
  return itemId === null ? null : JSON.stringify([itemId, timestamp, ticker]);
}

/**
 * Returns what was last heard of this item and ticker.
 * @param {Known} known
 * @param {Update} update
 * @returns {Verdict | null}
 */
export function lastKnown({ young, old }, update) {
  const key = keyOf(update);
  return key === null ? null : young.get(key) ?? old.get(key) ?? null;
}

/** @param {Known} known @param {Update} update @returns {Known} */
function withKnown({ young, old }, update) {
  const key = keyOf(update);
  if (key === null) return { young, old };
  const next = new Map(young);
  next.delete(key); // so that the order of the map is the order of the news
  next.set(key, { label: update.label, score: update.score });
  if (next.size < KNOWN_YOUNG_MAX) return { young: next, old };
  return { young: new Map(), old: merged(old, next) };
}

/** @param {ReadonlyMap<string, Verdict>} old @param {ReadonlyMap<string, Verdict>} young */
function merged(old, young) {
  const kept = [...old].filter(([key]) => !young.has(key));
  return new Map([...kept, ...young].slice(-(KNOWN_MAX - KNOWN_YOUNG_MAX)));
}

/**
 * Rows analysed late arrive after newer ones: they belong into the feed, but they are not the ticker's last.
 * @param {ReadonlyMap<string, Update>} last
 * @param {Update} update
 * @returns {ReadonlyMap<string, Update>}
 */
function withLast(last, update) {
  if (update.ticker === null) return last;
  const known = last.get(update.ticker);
  // RFC 3339 in UTC with milliseconds: the order of the texts is the order of the times.
  if (known && (known.timestamp ?? '') > (update.timestamp ?? '')) return last;
  const next = new Map(last);
  next.delete(update.ticker);
  next.set(update.ticker, update);
  if (next.size > LAST_MAX) next.delete(/** @type {string} */ (next.keys().next().value));
  return next;
}

/** @param {readonly FeedEntry[]} feed @returns {readonly FeedEntry[]} */
function withGap(feed) {
  if (feed.length === 0 || feed[0].kind !== 'update' || feed[0].seq < 0) return feed;
  return [{ kind: 'gap', seq: nextSeq(feed) }, ...feed.slice(0, FEED_MAX - 1)];
}

/** @param {readonly FeedEntry[]} feed @returns {number} */
function nextSeq(feed) {
  return feed.length === 0 ? 1 : feed[0].seq + 1;
}

/**
 * A ticker between quotes is meant as it is, with each quote in it twice; any other word is how tickers begin. One that is not yet
 * closed is such a word.
 */
const WORD = /"((?:[^"]|"")*)"|[^\s,;"][^\s,;]*/g;

/** Returns the filter that means this ticker and no other. @param {string} ticker */
export function quoted(ticker) {
  return `"${ticker.replaceAll('"', '""')}"`;
}

/** @param {string} filter @returns {{text: string, isWhole: boolean}[]} */
function wordsIn(filter) {
  return [...filter.matchAll(WORD)].map(([word, whole]) => ({ text: whole?.replaceAll('""', '"') ?? word, isWhole: whole !== undefined }));
}

/** @param {string} filter @returns {((ticker: string) => boolean)[]} a test for each word */
function wordsOf(filter) {
  return wordsIn(filter).map(({ text, isWhole }) => {
    if (isWhole) return (/** @type {string} */ ticker) => ticker === text;
    const start = text.toUpperCase();
    return (/** @type {string} */ ticker) => ticker.toUpperCase().startsWith(start);
  });
}

/**
 * Returns whether a ticker, or what has none, is to be seen: one of the words of the filter means it, or there are none.
 * @param {string} filter words between commas or spaces
 * @returns {(ticker: string | null) => boolean}
 */
export function matcher(filter) {
  const words = wordsOf(filter);
  return (ticker) => words.length === 0 || (ticker !== null && words.some((isMeant) => isMeant(ticker)));
}

/**
 * Returns the tickers that a filter means, for a server that knows whole ones only: those that are known, and a word that means none
 * of them as it is, for it may be a rare one. Null where nothing is filtered.
 * @param {string} filter
 * @param {Iterable<string>} known the most frequent first
 * @returns {string[] | null}
 */
export function tickersOf(filter, known) {
  const words = wordsOf(filter);
  if (words.length === 0) return null;
  const found = [...known].filter((ticker) => words.some((isMeant) => isMeant(ticker)));
  const typed = wordsIn(filter).map(({ text }) => text);
  const strange = typed.filter((word, index) => word !== '' && !found.some(words[index]));
  return [...new Set([...found, ...strange])];
}

/**
 * Returns the rows of the ticker table that pass the filter, the most frequent first. A ticker that has an update but is not
 * counted yet has no count; one that left the window has zero.
 * @param {State} state
 * @returns {{ticker: string, count: number | null, last: Update | null}[]}
 */
export function tickerRows({ metrics, lastByTicker, filter }) {
  const counts = metrics?.byTag ?? new Map();
  const tickers = new Set([...counts.keys(), ...lastByTicker.keys()]);
  return [...tickers]
    .filter(matcher(filter))
    .map((ticker) => ({
      ticker,
      count: counts.get(ticker) ?? (metrics ? 0 : null),
      last: lastByTicker.get(ticker) ?? null,
    }))
    .sort((left, right) => (right.count ?? 0) - (left.count ?? 0) || (left.ticker < right.ticker ? -1 : 1));
}
