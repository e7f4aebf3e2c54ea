/**
 * All items of a range as one file, put together from the pages of the server: their order is that of a cursor, so that rows which come in
 * meanwhile neither double an item nor hide one. Knows neither the document nor the network.
 */

import { TEXT } from './words.js';

/** Items of a page: the most that the server gives at once. */
const PAGE_ITEMS = 1_000;
/** A browser has to hold the file before it saves it: so many items at most, and so many characters. */
export const EXPORT_ITEMS_MAX = 100_000;
const EXPORT_CHARS_MAX = 64 * 1024 * 1024;
/** A page that does not come is asked for again, so often and after so long. */
const TRIES = 3;
const PAUSE_MS = 2_000;

/**
 * @typedef {'csv' | 'json'} Format
 * @typedef {{text: string, next: string | null}} Page as it was sent, and where the next one begins
 * @typedef {object} Export
 * @property {string[]} parts of the file
 * @property {number} count of items in it
 * @property {boolean} isCut whether older ones are not in it
 *
 * @typedef {object} Reading
 * @property {(path: string) => Promise<Page>} get
 * @property {(count: number) => void} onCount hears how many items there are so far
 * @property {() => Promise<void>} [wait] before a page is asked for again
 */

/**
 * Reads page after page until there is no more, or as much as a file may have.
 * @param {string} query what narrows the items: `&from=…&tickers=…`, or nothing
 * @param {Format} format
 * @param {Reading} reading
 * @returns {Promise<Export>}
 */
export async function collect(query, format, { get, onCount, wait = pause }) {
  const path = `/items?limit=${PAGE_ITEMS}${query}${format === 'csv' ? '&format=csv' : ''}`;
  const form = format === 'csv' ? new Table() : new List();
  let after = '';
  let chars = 0;
  for (;;) {
    const { text, next } = await persistent(() => get(`${path}${after}`), wait);
    form.add(text);
    chars += text.length;
    onCount(form.count);
    const isCut = next !== null && (form.count >= EXPORT_ITEMS_MAX || chars >= EXPORT_CHARS_MAX);
    if (next === null || isCut) return { parts: form.end(next), count: form.count, isCut };
    after = `&after=${encodeURIComponent(next)}`;
  }
}

/** A table has its head once, and each page brings it. */
class Table {
  /** @type {string[]} */
  parts = [];
  count = 0;
  #head = '';

  /** @param {string} text */
  add(text) {
    this.#head ||= text.slice(0, firstEnd(text));
    // Another head is another table: the server was deployed anew, with other columns.
    if (!text.startsWith(this.#head)) throw new Error(TEXT.export.changed);
    const rows = text.slice(this.#head.length);
    this.count += ends(rows);
    this.parts.push(this.parts.length === 0 ? text : rows);
  }

  end() {
    return this.parts;
  }
}

/** A list as one page has it: `{"items":[…],"next":…}`. Numbers stay as they were written, which reading and writing them would not promise. */
class List {
  /** @type {string[]} */
  parts = ['{"items":['];
  count = 0;

  /** @param {string} text */
  add(text) {
    const { length } = JSON.parse(text).items;
    if (length === 0) return;
    // `next` comes after it, and is a cursor without brackets.
    const items = text.slice(text.indexOf('[') + 1, text.lastIndexOf(']'));
    this.parts.push(this.count === 0 ? items : `,${items}`);
    this.count += length;
  }

  /** @param {string | null} next */
  end(next) {
    return [...this.parts, `],"next":${JSON.stringify(next)}}`];
  }
}

/** Where the first row of a table ends: a line may go on within quotes. @param {string} text */
function firstEnd(text) {
  let end = 0;
  do {
    const found = text.indexOf('\r\n', end);
    if (found === -1) return text.length;
    end = found + 2;
  } while (text.slice(0, end).split('"').length % 2 === 0);
  return end;
}

/** How many rows end in a text: what stands between quotes is in every second part. @param {string} text */
function ends(text) {
  return text.split('"').reduce((count, part, index) => (index % 2 === 0 ? count + part.split('\r\n').length - 1 : count), 0);
}

/**
 * @template T
 * @param {() => Promise<T>} ask @param {() => Promise<void>} wait
 * @returns {Promise<T>}
 */
async function persistent(ask, wait) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      const { status = 0 } = /** @type {any} */ (error);
      const mayPass = status === null || status === 429 || status >= 500;
      if (!mayPass || tries === TRIES) throw error;
      await wait();
    }
  }
}

/** @returns {Promise<void>} */
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
