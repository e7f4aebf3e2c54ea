/**
 * Turns `window.CONFIG`, which config.js sets, into the page's config, once. Pure; says in one sentence what is wrong.
 */

import { TEXT } from './words.js';

const RULES = TEXT.config.rules;
const HEARTBEAT_INTERVAL_DEFAULT_MS = 15_000;
const POLL_INTERVAL_DEFAULT_MS = 5_000;
const WINDOW_DEFAULT_MS = 86_400_000;
/** Names of app.css for what has the accent: marks and lines, text, what white text is on, and the ground of what is chosen. */
const ACCENTS = ['accent', 'accent-text', 'primary', 'flash'];
const COLOUR = /^#[0-9a-f]{6}$/;
const AUTH_MODES = ['off', 'trusted-header', 'session', 'jwt'];

/** @import { AuthMode, Config } from './config.js' */

/**
 * Returns the config.
 * @param {unknown} raw
 * @returns {Config}
 * @throws {Error} with a sentence for the reader
 */
export function readConfig(raw) {
  if (typeof raw !== 'object' || raw === null) throw new Error(TEXT.config.missing);
  const values = /** @type {Record<string, unknown>} */ (raw);
  const names = labels('LABELS', values.LABELS);
  const streamBase = baseUrl(values.SSE_BASE_URL);
  const restBase = typeof values.API_BASE_URL === 'string' ? baseUrl(values.API_BASE_URL) : '';
  return Object.freeze({
    streamBase,
    restBase,
    streamUrl: `${streamBase}/api/v2/stream`,
    environment: typeof values.ENVIRONMENT === 'string' ? values.ENVIRONMENT : '',
    labels: names,
    labelKeys: labelKeys(values.LABEL_KEYS, names),
    updateEvent: name('UPDATE_EVENT', values.UPDATE_EVENT),
    heartbeatIntervalMs: interval('HEARTBEAT_INTERVAL_MS', values.HEARTBEAT_INTERVAL_MS, HEARTBEAT_INTERVAL_DEFAULT_MS),
    pollIntervalMs: interval('POLL_INTERVAL_MS', values.POLL_INTERVAL_MS, POLL_INTERVAL_DEFAULT_MS),
    windowMs: interval('WINDOW_MS', values.WINDOW_MS, WINDOW_DEFAULT_MS),
    historyMs: interval('HISTORY_MS', values.HISTORY_MS, 0),
    segmentMs: interval('SEGMENT_MS', values.SEGMENT_MS, 0),
    title: text('TITLE', values.TITLE),
    logo: logo(values.LOGO),
    accent: accent(values.ACCENT),
    authMode: authMode(values.AUTH_MODE),
    isPrivate: flag('AUTH_PRIVATE', values.AUTH_PRIVATE),
    hasTags: flag('HAS_TAGS', values.HAS_TAGS, true),
    show: values.SHOW === undefined ? [] : labels('SHOW', values.SHOW),
    signedRequests: flag('SIGNED_REQUESTS', values.SIGNED_REQUESTS),
    goodbyeUrl: `${restBase}/api/v2/stream/goodbye`,
    goodbye: goodbye(values.GOODBYE),
  });
}

/** @param {unknown} value */
function baseUrl(value) {
  if (typeof value !== 'string') throw wrong('SSE_BASE_URL', RULES.url);
  return value.replace(/\/+$/, '');
}

/** @param {string} key @param {unknown} value @returns {readonly string[]} */
function labels(key, value) {
  const valid = Array.isArray(value) && value.length > 0 && value.every((label) => typeof label === 'string' && label !== '');
  if (!valid) throw wrong(key, RULES.names);
  return Object.freeze([.../** @type {string[]} */ (value)]);
}

/** @param {unknown} value @param {readonly string[]} names */
function labelKeys(value, names) {
  if (value === undefined) return names;
  const keys = labels('LABEL_KEYS', value);
  if (keys.length !== names.length) throw wrong('LABEL_KEYS', RULES.keys);
  return keys;
}

/** @param {string} key @param {unknown} value */
function name(key, value) {
  if (typeof value !== 'string' || value === '') throw wrong(key, RULES.name);
  return value;
}

/** @param {string} key @param {unknown} value @returns {string | null} */
function text(key, value) {
  if (value === undefined) return null;
  if (typeof value !== 'string' || value === '') throw wrong(key, RULES.text);
  return value;
}

/** Nothing that could lead anywhere. @param {unknown} value */
function logo(value) {
  const url = text('LOGO', value);
  if (url !== null && !/^data:image\/(?:svg\+xml|png);base64,/.test(url)) throw wrong('LOGO', RULES.logo);
  return url;
}

/** @param {unknown} value @returns {Config['accent']} */
function accent(value) {
  if (value === undefined) return null;
  const isPair = (/** @type {unknown} */ pair) => Array.isArray(pair) && pair.length === 2 && pair.every((colour) => COLOUR.test(String(colour)));
  const pairs = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (pairs.length === 0 || !pairs.every(([name, pair]) => ACCENTS.includes(name) && isPair(pair))) throw wrong('ACCENT', RULES.accent);
  return Object.fromEntries(pairs);
}

/** @param {string} key @param {unknown} value @param {number} otherwise */
function interval(key, value, otherwise) {
  if (value === undefined) return otherwise;
  if (typeof value !== 'number' || !(value > 0)) throw wrong(key, RULES.milliseconds);
  return value;
}

/** @param {unknown} value @returns {AuthMode} */
function authMode(value) {
  if (value === undefined) return 'off';
  if (typeof value !== 'string' || !AUTH_MODES.includes(value)) throw wrong('AUTH_MODE', RULES.oneOf(AUTH_MODES.map((mode) => `\`${mode}\``).join(', ')));
  return /** @type {AuthMode} */ (value);
}

/** @param {string} key @param {unknown} value @param {boolean} [otherwise] */
function flag(key, value, otherwise = false) {
  if (value === undefined) return otherwise;
  if (typeof value !== 'boolean') throw wrong(key, RULES.flag);
  return value;
}

/** @param {unknown} value @returns {import('./goodbye.js').Way | null} */
function goodbye(value) {
  if (value === undefined) return null;
  if (value !== 'beacon' && value !== 'signed') throw wrong('GOODBYE', RULES.goodbye);
  return value;
}

/** @param {string} key @param {string} rule */
function wrong(key, rule) {
  return new Error(TEXT.config.wrong(key, rule));
}
