/**
 * Turns `window.CONFIG`, which config.js sets, into the page's config, once. Pure; says in one sentence what is wrong.
 */

const HEARTBEAT_INTERVAL_DEFAULT_MS = 15_000;

/**
 * @typedef {object} Config
 * @property {string} streamUrl relative to the page's origin when the base URL is empty
 * @property {string} environment
 * @property {readonly string[]} labels
 * @property {string} updateEvent name of the event that carries one update
 * @property {number} heartbeatIntervalMs
 * @property {string} goodbyeUrl
 * @property {import('./goodbye.js').Way | null} goodbye how the page says goodbye, if it does
 */

/**
 * Returns the config.
 * @param {unknown} raw
 * @returns {Config}
 * @throws {Error} with a sentence for the reader
 */
export function readConfig(raw) {
  if (typeof raw !== 'object' || raw === null) throw new Error('config.js is missing or sets no CONFIG. Render it, then reload.');
  const values = /** @type {Record<string, unknown>} */ (raw);
  return Object.freeze({
    streamUrl: `${baseUrl(values.SSE_BASE_URL)}/api/v2/stream`,
    environment: typeof values.ENVIRONMENT === 'string' ? values.ENVIRONMENT : '',
    labels: labels(values.LABELS),
    updateEvent: name('UPDATE_EVENT', values.UPDATE_EVENT),
    heartbeatIntervalMs: interval(values.HEARTBEAT_INTERVAL_MS),
    goodbyeUrl: `${typeof values.API_BASE_URL === 'string' ? values.API_BASE_URL.replace(/\/+$/, '') : ''}/api/v2/stream/goodbye`,
    goodbye: goodbye(values.GOODBYE),
  });
}

/** @param {unknown} value */
function baseUrl(value) {
  if (typeof value !== 'string') throw wrong('SSE_BASE_URL', 'a URL, or empty for the same origin');
  return value.replace(/\/+$/, '');
}

/** @param {unknown} value */
function labels(value) {
  const valid = Array.isArray(value) && value.length > 0 && value.every((label) => typeof label === 'string' && label !== '');
  if (!valid) throw wrong('LABELS', 'a list of at least one name');
  return Object.freeze([.../** @type {string[]} */ (value)]);
}

/** @param {string} key @param {unknown} value */
function name(key, value) {
  if (typeof value !== 'string' || value === '') throw wrong(key, 'a name');
  return value;
}

/** @param {unknown} value */
function interval(value) {
  if (value === undefined) return HEARTBEAT_INTERVAL_DEFAULT_MS;
  if (typeof value !== 'number' || !(value > 0)) throw wrong('HEARTBEAT_INTERVAL_MS', 'a positive number of milliseconds');
  return value;
}

/** @param {unknown} value @returns {import('./goodbye.js').Way | null} */
function goodbye(value) {
  if (value === undefined) return null;
  if (value !== 'beacon' && value !== 'signed') throw wrong('GOODBYE', '`beacon` or `signed`, or left out');
  return value;
}

/** @param {string} key @param {string} rule */
function wrong(key, rule) {
  return new Error(`${key} in config.js must be ${rule}.`);
}
