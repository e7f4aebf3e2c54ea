/**
 * The few ways in which this page touches the document. Text only ever goes in as text.
 */

const FLASH_MS = 1_400;
const FLASHES_MAX = 6;

/** How many rows are lit. */
let lit = 0;

/**
 * Returns a new element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {(string | Node)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, className = '', ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children); // a string becomes a text node
  return node;
}

/**
 * Returns the element that index.html promises under this id.
 * @param {Document} root
 * @param {string} id
 */
export function byId(root, id) {
  const node = root.getElementById(id);
  if (!node) throw new Error(`index.html has no element \`${id}\``);
  return node;
}

/**
 * Sets the text if it is another one: an unchanged node costs no layout and keeps a selection.
 * @param {HTMLElement} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Sets the text that shows under the pointer, if it is another one.
 * @param {HTMLElement} node
 * @param {string} text
 */
export function setTitle(node, text) {
  if (node.title !== text) node.title = text;
}

/**
 * Sets a custom property; unlike a style attribute the content security policy allows it.
 * @param {HTMLElement} node
 * @param {string} property
 * @param {number} value
 */
export function setNumber(node, property, value) {
  const text = value.toFixed(4);
  if (node.style.getPropertyValue(property) !== text) node.style.setProperty(property, text);
}

/**
 * Lights a row up for a moment, unless the reader asked for less motion, or so many are lit that it would be noise.
 * @param {HTMLElement} node
 */
export function flash(node) {
  if (lit >= FLASHES_MAX || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  lit += 1;
  const light = node.animate([{ backgroundColor: 'var(--flash)' }, { backgroundColor: 'transparent' }], { duration: FLASH_MS, easing: 'ease-out' });
  const out = () => (lit -= 1);
  light.finished.then(out, out);
}

/**
 * A link that leads away from the page, and tells the other one nothing of it.
 * @param {string} text
 * @param {string} url by `https:` only
 */
export function linkNode(text, url) {
  const node = element('a', '', text);
  node.href = url;
  node.target = '_blank';
  node.rel = 'noopener noreferrer';
  return node;
}

/**
 * A label with its colour, which is never the only sign.
 * @param {string} text
 * @param {string} tone
 */
export const chip = (text, tone) => Object.assign(element('span', `chip ${tone}`, text), { title: text }); // where there is no room for all of it

/**
 * A bar from the middle: left for a negative score, right for a positive one.
 * @param {number} score in -1..1; anything beyond fills the bar
 * @param {string} tone
 */
export function scoreBar(score, tone) {
  const bar = element('span', `score-bar ${tone}${score < 0 ? ' below' : ''}`);
  setNumber(bar, '--score', Math.min(1, Math.abs(score)));
  return bar;
}
