/**
 * One item with all that is known of it, in a dialog. It shows what the entry said when somebody opened it.
 */

import { chip, element, linkNode, setText } from './dom.js';
import { DASH, fullTime, percent, score, words } from './format.js';
import { TAGS, TEXT } from './words.js';

/** @typedef {import('./event.js').Update} Update */

export class Details {
  #dialog;
  #title;
  #list;
  #toneOf;

  /**
   * @param {{dialog: HTMLDialogElement, title: HTMLElement, list: HTMLElement, close: HTMLElement}} nodes
   * @param {(label: string) => string} toneOf
   */
  constructor({ dialog, title, list, close }, toneOf) {
    this.#dialog = dialog;
    this.#title = title;
    this.#list = list;
    this.#toneOf = toneOf;
    close.addEventListener('click', () => dialog.close());
    // Beside it is its backdrop.
    dialog.addEventListener('click', ({ target }) => target === dialog && dialog.close());
  }

  /** @param {Update} update */
  show(update) {
    setText(this.#title, update.title ?? update.ticker ?? update.itemId ?? DASH);
    this.#list.replaceChildren(...rows(update, this.#toneOf(update.label)));
    this.#dialog.showModal();
  }
}

/** @param {Update} update @param {string} tone @returns {Node[]} */
function rows(update, tone) {
  /** @type {[string, string | Node | null][]} */
  const all = [
    [TEXT.details.link, update.url === null ? null : linkNode(update.url, update.url)],
    [TAGS[0], update.ticker],
    [TEXT.details.label, chip(words(update.label), tone)],
    [TEXT.details.score, update.score === null ? null : score(update.score)],
    [TEXT.details.confidence, update.confidence === null ? null : percent(update.confidence)],
    [TEXT.details.source, update.source],
    ...update.shown.map(({ name, value }) => /** @type {[string, string]} */ ([words(name), String(value)])),
    [TEXT.details.time, fullTime(update.timestamp)],
    [TEXT.details.item, update.itemId],
  ];
  return all.flatMap(([name, value]) => (value === null || value === '' ? [] : [element('dt', '', name), valueNode(value)]));
}

/** @param {string | Node} value */
function valueNode(value) {
  const node = element('dd', '', value);
  node.dir = 'auto';
  return node;
}
