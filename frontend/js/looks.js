/**
 * What the page looks like before anything is known: its words, its language, its name, logo and accent as config.js says, and what
 * the address says (`embed`, `tv`, `theme`). A script of its own, which is there before the others are.
 */

import { address } from './browser.js';
import { readConfig } from './read_config.js';
import { HAS_TICKERS, LANGUAGE, TAGS, TEXT } from './words.js';

const WORDS = /** @type {Readonly<Record<string, string>>} */ ({ ...TEXT.page, ticker: TAGS[0], tickers: TAGS[1], ...(!HAS_TICKERS && { filterHint: '', nameOfTickers: '' }) });
const THEMES = ['light', 'dark'];

/** Where a word goes that an element of index.html names: as its text, or as what is said or hinted of it. */
const PLACES = Object.freeze({ text: null, label: 'aria-label', title: 'title', placeholder: 'placeholder' });

/** @param {Document} root */
function putWords(root) {
  root.documentElement.lang = LANGUAGE;
  for (const [name, attribute] of Object.entries(PLACES)) {
    for (const node of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(`[data-${name}]`))) {
      const word = WORDS[node.dataset[name] ?? ''];
      if (attribute === null) node.textContent = word;
      else node.setAttribute(attribute, word);
    }
  }
}

/** @param {Document} root @param {import('./config.js').Config} config */
function putOwn(root, { title, logo, accent }) {
  const heading = root.getElementById('title');
  if (heading && title !== null) heading.textContent = title;
  root.title = title ?? WORDS.title;
  const image = /** @type {HTMLImageElement | null} */ (root.getElementById('logo'));
  if (image && logo !== null) {
    image.src = logo;
    image.hidden = false;
    root.getElementById('logo-own')?.remove();
    root.querySelector('link[rel="icon"]')?.setAttribute('href', logo);
  }
  if (accent === null) return;
  for (const [name, colours] of Object.entries(accent)) root.documentElement.style.setProperty(`--${name}`, `light-dark(${colours.join(', ')})`);
}

/** @param {Document} root */
function putAddress(root) {
  const { dataset, classList } = root.documentElement;
  const theme = address.query('theme');
  if (theme !== null && THEMES.includes(theme)) {
    dataset.theme = theme;
    for (const meta of root.querySelectorAll('meta[name="theme-color"]')) {
      if (meta.getAttribute('media')?.includes(theme)) meta.removeAttribute('media');
      else meta.remove();
    }
  }
  for (const name of ['embed', 'tv']) classList.toggle(name, address.query(name) === '1');
}

putWords(document);
putAddress(document);
try {
  putOwn(document, readConfig(/** @type {any} */ (window).CONFIG));
} catch {
  // main.js says what is wrong with it.
}
document.documentElement.classList.remove('wordless');
