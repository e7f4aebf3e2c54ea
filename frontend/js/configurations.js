/**
 * The caller's saved configurations, and which one of them the page shows. Knows REST and where the choice is kept, not the document.
 */

import { RestError } from './rest.js';
import { TEXT } from './words.js';

const PATH = '/configurations';
const CHOICE_KEY = 'configuration';
const HASH = /[#&]configuration=([^&]+)/;

/** The server's own rules: a mistake is told before it is sent. */
export const NAME_MAX = 50;
export const TICKERS_MAX = 50;
const TICKER_BYTES_MAX = 64;

/** @typedef {{config_id: string, name: string, tickers: string[]}} Configuration */
/** @typedef {{field: 'name' | 'tickers', detail: string}} Mistake */

/**
 * Returns what the reader typed as a configuration, with every mistake in it.
 * @param {string} name
 * @param {string} tickers between commas
 * @param {readonly string[]} [known] tickers that there are: what differs from one of them in its letters' case only is that one
 * @returns {{name: string, tickers: string[], mistakes: Mistake[]}}
 */
export function parseForm(name, tickers, known = []) {
  const form = { name: name.trim(), tickers: [...new Set(tickers.split(/[,;\n]/).flatMap((text) => asKnown(text.trim(), known)))] };
  /** @type {Mistake[]} */
  const mistakes = [];
  if (form.name === '') mistakes.push({ field: 'name', detail: TEXT.configurations.noName });
  if ([...form.name].length > NAME_MAX) mistakes.push({ field: 'name', detail: TEXT.configurations.nameTooLong(NAME_MAX) });
  if (form.tickers.length === 0) mistakes.push({ field: 'tickers', detail: TEXT.configurations.noTicker });
  if (form.tickers.length > TICKERS_MAX) mistakes.push({ field: 'tickers', detail: TEXT.configurations.tooManyTickers(TICKERS_MAX) });
  const wrong = form.tickers.filter((ticker) => new TextEncoder().encode(ticker).length > TICKER_BYTES_MAX);
  if (wrong.length > 0) mistakes.push({ field: 'tickers', detail: TEXT.configurations.tickerTooLong(TICKER_BYTES_MAX, wrong.join(', ')) });
  return { ...form, mistakes };
}

/**
 * Returns the tickers that a reader means who typed this between two commas. A ticker may have spaces in it, and readers put
 * spaces between tickers: it is several where each of its words is known.
 * @param {string} text @param {readonly string[]} known @returns {string[]}
 */
function asKnown(text, known) {
  if (text === '' || known.includes(text)) return text === '' ? [] : [text];
  const find = (/** @type {string} */ word) => known.find((ticker) => ticker.toUpperCase() === word.toUpperCase());
  const whole = find(text);
  if (whole !== undefined) return [whole];
  const words = text.split(/\s+/).map((word) => (known.includes(word) ? word : find(word)));
  return words.every((word) => word !== undefined) ? words : [text];
}

export class Configurations {
  #rest;
  #storage;
  #place;
  /** @type {Configuration[]} */
  #list = [];
  #chosen = '';

  /**
   * @param {import('./rest.js').Rest} rest
   * @param {import('./storage.js').Storage} storage
   * @param {{hash: () => string, setHash: (hash: string) => void}} place the address of the page
   */
  constructor(rest, storage, place) {
    this.#rest = rest;
    this.#storage = storage;
    this.#place = place;
    this.#chosen = this.#fromHash() ?? (rest.hasSession ? storage.get(CHOICE_KEY) : null) ?? '';
  }

  /** @returns {readonly Configuration[]} */
  get list() {
    return this.#list;
  }

  /** Id of the one that is shown; empty for everything. */
  get chosen() {
    return this.#chosen;
  }

  /** @returns {Configuration | null} */
  get current() {
    return this.#list.find(({ config_id: id }) => id === this.#chosen) ?? null;
  }

  /** Whether the chosen one is the one in the address. */
  get isStale() {
    return (this.#fromHash() ?? '') !== this.#chosen;
  }

  /** Takes over the choice from the address. */
  followAddress() {
    this.choose(this.#fromHash() ?? '');
  }

  /** @param {string} id empty for everything */
  choose(id) {
    this.#chosen = id;
    this.#storage.set(CHOICE_KEY, id === '' ? null : id);
    this.#place.setHash(id === '' ? '' : `#configuration=${encodeURIComponent(id)}`);
  }

  /** Reads the list. Who has never saved anything has none, and is not asked for. */
  async load() {
    if (!this.#rest.hasSession) return;
    const before = this.#list;
    const { configurations } = await this.#rest.get(PATH);
    // What was saved meanwhile may be missing in it.
    if (this.#list !== before) return;
    this.#list = Array.isArray(configurations) ? configurations.filter(isConfiguration) : [];
  }

  /** Whether the chosen one is there; null where that cannot be told. @returns {Promise<boolean | null>} */
  async isThere() {
    if (!this.#rest.hasSession) return false;
    try {
      await this.#rest.get(`${PATH}/${encodeURIComponent(this.#chosen)}`);
      return true;
    } catch (error) {
      return error instanceof RestError && (error.status === 404 || error.status === 401) ? false : null;
    }
  }

  /** @param {{name: string, tickers: string[]}} values @returns {Promise<Configuration>} */
  async add(values) {
    const added = await this.#rest.change('POST', PATH, values);
    this.#replace(added.config_id, added);
    return added;
  }

  /** @param {string} id @param {{name: string, tickers: string[]}} values */
  async edit(id, values) {
    this.#replace(id, await this.#rest.change('PUT', `${PATH}/${encodeURIComponent(id)}`, values));
  }

  /** @param {string} id */
  async remove(id) {
    await this.#rest.change('DELETE', `${PATH}/${encodeURIComponent(id)}`);
    this.#replace(id, null);
  }

  /** Forgets one that is not there any more. @param {string} id */
  drop(id) {
    this.#replace(id, null);
  }

  /** @param {string} id @param {Configuration | null} configuration */
  #replace(id, configuration) {
    const others = this.#list.filter(({ config_id: other }) => other !== id);
    this.#list = (configuration ? [...others, configuration] : others).sort((left, right) => left.name.localeCompare(right.name));
  }

  #fromHash() {
    const found = HASH.exec(this.#place.hash());
    try {
      return found && decodeURIComponent(found[1]);
    } catch {
      return null; // somebody typed half an escape
    }
  }
}

/** @param {any} value @returns {value is Configuration} */
function isConfiguration(value) {
  return typeof value?.config_id === 'string' && typeof value.name === 'string' && Array.isArray(value.tickers)
    && value.tickers.every((ticker) => typeof ticker === 'string');
}
