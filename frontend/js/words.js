/**
 * The words of the page's language, and only those: the others are not loaded. config.js says which; a module that imports this one
 * waits until they are there.
 */

/** Languages that the page speaks, as `html lang` and Intl name them. */
export const LANGUAGES = Object.freeze(/** @type {const} */ (['en', 'de']));

/** @typedef {typeof LANGUAGES[number]} Language */
/** @typedef {typeof import('./words/en.js').default} Words */

const wanted = /** @type {{CONFIG?: {LANGUAGE?: unknown}}} */ (globalThis).CONFIG?.LANGUAGE;

/** A page outlives servers: a language that it does not have is English. @type {Language} */
export const LANGUAGE = LANGUAGES.find((language) => language === wanted) ?? 'en';

/** How numbers and times are written: as the reader has it, where that is the page's language (`de-CH`). */
export const LOCALE = globalThis.navigator?.languages?.find((locale) => locale.split('-')[0] === LANGUAGE) ?? LANGUAGE;

const wantedZone = /** @type {{CONFIG?: {TIME_ZONE?: unknown}}} */ (globalThis).CONFIG?.TIME_ZONE;

/** The zone of all times, as config.js says; undefined is the reader's own. */
export const TIME_ZONE = isZone(wantedZone) ? wantedZone : undefined;

/** A zone that config.js names and this browser does not know; null where there is none. */
export const UNKNOWN_ZONE = wantedZone !== undefined && TIME_ZONE === undefined ? String(wantedZone) : null;

/** @param {unknown} zone @returns {zone is string} */
function isZone(zone) {
  try {
    return typeof zone === 'string' && new Intl.DateTimeFormat(LANGUAGE, { timeZone: zone }) !== null;
  } catch {
    return false;
  }
}

/** @type {Words} */
export const TEXT = (await (LANGUAGE === 'de' ? import('./words/de.js') : import('./words/en.js'))).default;

const wantedTags = /** @type {{CONFIG?: {TAGS?: unknown}}} */ (globalThis).CONFIG?.TAGS;

/** Whether config.js says what tags are called here. */
const HAS_OWN_TAGS = Array.isArray(wantedTags) && wantedTags.length === 2 && wantedTags.every((name) => typeof name === 'string' && name !== '');

const labels = /** @type {{CONFIG?: {LABELS?: unknown}}} */ (globalThis).CONFIG?.LABELS;

/** Whether tags are tickers for all that is known: of other tables nothing is hinted of how tags look. */
export const HAS_TICKERS = !HAS_OWN_TAGS && Array.isArray(labels) && labels.includes('positive');

/** What one tag is called, and what several are. @type {readonly [string, string]} */
export const TAGS = HAS_OWN_TAGS ? /** @type {any} */ (wantedTags) : [TEXT.page.ticker, TEXT.page.tickers];
