/** Links to what is shown, as files: items and history under the present filter and range. They are made when the list is opened. */

import { byId } from './dom.js';
import { historyPath } from './ranges.js';

const ITEMS = 200;

/**
 * @typedef {object} Shown
 * @property {import('./ranges.js').Range} range
 * @property {number} now of the server
 * @property {string} narrowed `&tickers=…`, or nothing
 */

/**
 * Returns the path of each file.
 * @param {Shown} shown
 * @returns {Record<string, string>} by what the link is called in index.html
 */
export function exportPaths({ range, now, narrowed }) {
  const items = `/items?limit=${ITEMS}${narrowed}`;
  const history = historyPath(range, now, narrowed).replace(/&by_ticker=[^&]*/, '');
  return { 'items-csv': `${items}&format=csv`, 'items-json': items, 'history-csv': `${history}&format=csv`, 'history-json': history };
}

/**
 * @param {Document} root
 * @param {(path: string) => string} link the address of a path, with what it takes to be let in
 * @param {() => Shown} shown
 */
export function offerExport(root, link, shown) {
  const list = /** @type {HTMLDetailsElement} */ (byId(root, 'export'));
  list.addEventListener('toggle', () => {
    if (!list.open) return;
    for (const [name, path] of Object.entries(exportPaths(shown()))) {
      /** @type {HTMLAnchorElement} */ (byId(root, `export-${name}`)).href = link(path);
    }
  });
  list.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !list.open) return;
    list.open = false;
    list.querySelector('summary')?.focus();
  });
  root.addEventListener('click', ({ target }) => {
    if (target instanceof Node && !list.contains(target)) list.open = false;
  });
}
