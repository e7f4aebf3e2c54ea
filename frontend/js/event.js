/**
 * Turns the text of one server event into a typed event, once; nobody checks its fields again after this.
 * Pure: no document, no network, no clock. A newer server may send more fields and more events; both are ignored.
 */

/** Longest text taken over from an event, in UTF-16 units; the rest is cut. */
export const TEXT_MAX = 200;
/** Longest id taken over: two ids must not become one, and no key of a table is longer. */
export const ID_MAX = 2048;
/** Longest source taken over. */
export const SOURCE_MAX = 500;
/** Longest title and longest link taken over; the server cuts and refuses earlier. */
export const TITLE_MAX = 400;
export const URL_MAX = 2048;
/** Most tags kept of one `metrics` event, the largest ones. */
export const TAGS_MAX = 5000;

/**
 * @typedef {{type: 'heartbeat', connections: number | null, uptimeSeconds: number | null, streamId: string | null,
 *   timestamp: string | null}} Heartbeat
 * @typedef {{type: 'metrics', total: number, byLabel: ReadonlyMap<string, number>, byTag: ReadonlyMap<string, number>,
 *   rateLastHour: number | null, timestamp: string | null}} Metrics
 * @typedef {{type: 'update', itemId: string | null, ticker: string | null, label: string, score: number | null,
 *   confidence: number | null, source: string | null, timestamp: string | null, title: string | null, url: string | null,
 *   shown: readonly Shown[]}} Update
 * @typedef {{name: string, value: string | number | boolean}} Shown
 * @typedef {{type: 'reset', reason: string | null}} Reset
 * @typedef {{type: 'deadline', reason: string | null, reconnectMs: number | null}} Deadline
 * @typedef {{type: 'overloaded', detail: string | null, maxConnections: number | null, retryAfterMs: number | null}} Overloaded
 * @typedef {{type: 'unavailable', detail: string | null, retryAfterMs: number | null}} Unavailable
 * @typedef {Heartbeat | Metrics | Update | Reset | Deadline | Overloaded | Unavailable} ServerEvent
 */

/** @type {Readonly<Record<string, (data: object, labels: readonly string[], keys: readonly string[], show: readonly string[]) => ServerEvent | null>>} */
const PARSERS = Object.freeze({
  heartbeat: parseHeartbeat,
  metrics: parseMetrics,
  update: (data, _labels, _keys, show) => parseUpdate(data, show),
  reset: (data) => ({ type: 'reset', reason: text(data, 'reason') }),
  deadline: (data) => ({ type: 'deadline', reason: text(data, 'reason'), reconnectMs: count(data, 'reconnect_ms') }),
  overloaded: parseOverloaded,
  unavailable: (data) => ({ type: 'unavailable', detail: text(data, 'detail'), retryAfterMs: count(data, 'retry_after_ms') }),
});

/**
 * Returns the names to listen for, each with the type it is parsed as.
 * @param {string} updateEvent
 * @returns {ReadonlyMap<string, string>}
 */
export function eventNames(updateEvent) {
  const names = new Map(Object.keys(PARSERS).filter((type) => type !== 'update').map((type) => [type, type]));
  return names.set(updateEvent, 'update');
}

/**
 * Returns the typed event, or null when the text is not what an event of this type looks like.
 * @param {string} type one of the values of {@link eventNames}
 * @param {string} json
 * @param {readonly string[]} labels
 * @param {readonly string[]} [keys] of `metrics`, in the order of the labels
 * @param {readonly string[]} [show] names of what updates say beside their own fields
 * @returns {ServerEvent | null}
 */
export function parseEvent(type, json, labels, keys = labels, show = []) {
  if (!Object.hasOwn(PARSERS, type)) return null;
  let data;
  try {
    data = JSON.parse(json);
  } catch {
    return null;
  }
  return isObject(data) ? PARSERS[type](data, labels, keys, show) : null;
}

/** @param {object} data @returns {Heartbeat} */
function parseHeartbeat(data) {
  return {
    type: 'heartbeat',
    connections: count(data, 'connections'),
    uptimeSeconds: count(data, 'uptime_seconds'),
    streamId: text(data, 'stream_id'),
    timestamp: text(data, 'timestamp'),
  };
}

/** @param {object} data @param {readonly string[]} labels @param {readonly string[]} keys @returns {Metrics | null} */
function parseMetrics(data, labels, keys) {
  const total = count(data, 'total');
  if (total === null) return null;
  return {
    type: 'metrics',
    total,
    byLabel: new Map(labels.map((label, index) => [label, count(data, keys[index]) ?? 0])),
    byTag: parseTags(own(data, 'by_tag')),
    rateLastHour: count(data, 'rate_last_hour'),
    timestamp: text(data, 'timestamp'),
  };
}

/** @param {unknown} tags @returns {ReadonlyMap<string, number>} */
function parseTags(tags) {
  if (!isObject(tags)) return new Map();
  // Object.entries and Map, never `tags[name]`: a tag may be called `__proto__`.
  const counted = Object.entries(tags).filter(([, value]) => isCount(value));
  if (counted.length > TAGS_MAX) counted.sort(([, left], [, right]) => right - left).splice(TAGS_MAX);
  return new Map(counted.map(([tag, value]) => [cut(tag), value]));
}

/** An item without a ticker says so. @param {object} data @param {readonly string[]} show @returns {Update | null} */
export function parseUpdate(data, show) {
  const ticker = text(data, 'ticker');
  const label = text(data, 'label');
  if ((ticker === null && own(data, 'ticker') !== null) || label === null) return null;
  return {
    type: 'update',
    itemId: text(data, 'item_id', ID_MAX),
    ticker,
    label,
    score: number(data, 'score'),
    confidence: number(data, 'confidence'),
    source: text(data, 'source', SOURCE_MAX),
    timestamp: text(data, 'timestamp'),
    title: text(data, 'title', TITLE_MAX),
    url: link(own(data, 'url')),
    shown: show.map((name) => ({ name, value: plain(own(data, name)) })).filter(isShown),
  };
}

/** Only what leads elsewhere by `https:`: anything else could run in this page. @param {unknown} value */
function link(value) {
  if (typeof value !== 'string' || value.length > URL_MAX || !URL.canParse(value)) return null;
  const { protocol, href } = new URL(value);
  return protocol === 'https:' ? href : null;
}

/** @param {unknown} value @returns {Shown['value'] | null} */
function plain(value) {
  if (typeof value === 'string') return value === '' ? null : cut(value);
  return typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)) ? value : null;
}

/** @param {{name: string, value: Shown['value'] | null}} shown @returns {shown is Shown} */
function isShown({ value }) {
  return value !== null;
}

/** @param {object} data @returns {Overloaded} */
function parseOverloaded(data) {
  return {
    type: 'overloaded',
    detail: text(data, 'detail'),
    maxConnections: count(data, 'max_connections'),
    retryAfterMs: count(data, 'retry_after_ms'),
  };
}

/** @param {unknown} value @returns {value is object} */
export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param {unknown} value @returns {value is number} */
function isCount(value) {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

// A label may be called `constructor`: only the object's own fields count.
/** @param {object} data @param {string} key @returns {unknown} */
export function own(data, key) {
  return Object.hasOwn(data, key) ? /** @type {Record<string, unknown>} */ (data)[key] : undefined;
}

/** @param {object} data @param {string} key @returns {number | null} */
function number(data, key) {
  const value = own(data, key);
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** @param {object} data @param {string} key @returns {number | null} */
function count(data, key) {
  const value = own(data, key);
  return isCount(value) ? value : null;
}

/** @param {object} data @param {string} key @param {number} [max] @returns {string | null} */
function text(data, key, max = TEXT_MAX) {
  const value = own(data, key);
  return typeof value === 'string' && value !== '' ? cut(value, max) : null;
}

/** @param {string} value @param {number} [max] @returns {string} */
function cut(value, max = TEXT_MAX) {
  if (value.length <= max) return value;
  // Half of a character of two units is none.
  return `${value.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
