/**
 * What is shown, as files: items and history under the present filter and range. The history is a link, made when the list is opened; the
 * items are many pages, put together when somebody asks for them.
 */

import { byId, setText } from './dom.js';
import { collect } from './export_items.js';
import { whole } from './format.js';
import { firstMoment, historyPath } from './ranges.js';
import { TEXT } from './words.js';

/**
 * @typedef {object} Shown
 * @property {import('./ranges.js').Range} range
 * @property {number} now of the server
 * @property {string} narrowed `&tickers=…`, or nothing
 *
 * @typedef {object} Means
 * @property {(path: string) => string} link the address of a path, with what it takes to be let in
 * @property {(path: string, signal: AbortSignal) => Promise<import('./export_items.js').Page>} page
 * @property {() => Shown} shown
 */

/**
 * Returns the path of each file that is one answer.
 * @param {Shown} shown
 * @returns {Record<string, string>} by what the link is called in index.html
 */
export function exportPaths({ range, now, narrowed }) {
  const history = historyPath(range, now, narrowed).replace(/&by_ticker=[^&]*/, '');
  return { 'history-csv': `${history}&format=csv`, 'history-json': history };
}

/** Returns what narrows the items to those that are shown; of hours before the window there are none. @param {Shown} shown */
export function itemsQuery({ range, now, narrowed }) {
  return `${range.isWindow || range.isKept ? '' : `&from=${firstMoment(range, now)}`}${narrowed}`;
}

/**
 * Takes up the list, which may be open already: it is what most readers never ask for, and comes when it is opened first.
 * @param {Document} root
 * @param {Means} means
 */
export function offerExport(root, { link, page, shown }) {
  const list = /** @type {HTMLDetailsElement} */ (byId(root, 'export'));
  const point = () => {
    if (!list.open) return;
    for (const [name, path] of Object.entries(exportPaths(shown()))) {
      /** @type {HTMLAnchorElement} */ (byId(root, `export-${name}`)).href = link(path);
    }
  };
  list.addEventListener('toggle', point);
  list.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !list.open) return;
    list.open = false;
    list.querySelector('summary')?.focus();
  });
  root.addEventListener('click', ({ target }) => {
    if (target instanceof Node && !list.contains(target)) list.open = false;
  });
  const items = new ItemsFile(root, page);
  for (const format of /** @type {const} */ (['csv', 'json'])) {
    const button = /** @type {HTMLButtonElement} */ (byId(root, `export-items-${format}`));
    button.addEventListener('click', () => items.make(format, shown(), button));
    // A click before this came would be lost.
    button.disabled = false;
  }
  byId(root, 'export-cancel').addEventListener('click', () => items.cancel());
  point();
}

/** The file of items that is being made, one at a time. */
class ItemsFile {
  #said;
  #cancel;
  #page;
  /** @type {AbortController | null} */
  #making = null;
  /** What it was asked for by. @type {HTMLElement | null} */
  #asked = null;

  /** @param {Document} root @param {Means['page']} page */
  constructor(root, page) {
    this.#said = byId(root, 'export-status');
    this.#cancel = byId(root, 'export-cancel');
    this.#page = page;
  }

  /** @param {import('./export_items.js').Format} format @param {Shown} shown @param {HTMLElement} asked what it was asked for by */
  async make(format, shown, asked) {
    this.cancel();
    this.#asked = asked;
    const making = new AbortController();
    this.#making = making;
    this.#cancel.hidden = false;
    const say = (/** @type {string} */ text) => {
      if (this.#making === making) setText(this.#said, text);
    };
    const onCount = (/** @type {number} */ count) => say(TEXT.export.soFar(whole(count)));
    onCount(0);
    try {
      const { parts, count, isCut } = await collect(itemsQuery(shown), format, { get: (path) => this.#page(path, making.signal), onCount });
      if (making.signal.aborted) return;
      saveFile(`items${isCut ? '-newest' : ''}.${format}`, parts);
      const older = shown.range.isKept ? TEXT.export.noOlder : '';
      say(`${isCut ? TEXT.export.cut(whole(count)) : TEXT.export.done(whole(count))}${older}`);
    } catch (error) {
      say(TEXT.export.failed(error instanceof Error ? error.message : String(error)));
    }
    if (this.#making === making) this.#end();
  }

  cancel() {
    this.#making?.abort();
    this.#end();
    setText(this.#said, '');
  }

  #end() {
    this.#making = null;
    // What is hidden has no place for whoever is there by keys.
    if (this.#cancel === this.#cancel.ownerDocument.activeElement) this.#asked?.focus();
    this.#cancel.hidden = true;
  }
}

/** Has the browser save a file. @param {string} name @param {string[]} parts */
function saveFile(name, parts) {
  const kind = name.endsWith('.csv') ? 'text/csv' : 'application/json';
  const url = URL.createObjectURL(new Blob(parts, { type: kind }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun by then, and holds on to what it needs.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
