/**
 * What is behind a bar of the chart: how many of each label, and the newest items, in a dialog. Each item opens whole.
 */

import { byId, chip, element, setText } from './dom.js';
import { clock, DASH, period, whole, words } from './format.js';
import { parseItems } from './items.js';
import { TEXT } from './words.js';

/** Items that are listed: who wants more chooses a shorter range, or has the file. */
export const LISTED_MAX = 50;

/**
 * @typedef {import('./event.js').Update} Update
 * @typedef {object} Step
 * @property {number} from milliseconds since 1970
 * @property {number} to where the next one begins
 * @property {boolean} hasDays whether its times need their day
 * @property {readonly {label: string, count: number}[]} counts of the labels that it has
 *
 * @typedef {object} Means
 * @property {(path: string) => Promise<any>} get what REST says
 * @property {() => string} narrowed `&tickers=…`, or nothing
 * @property {() => number} now of the server
 * @property {readonly string[]} show names of what items say beside their own fields
 * @property {(label: string) => string} toneOf
 * @property {(update: Update) => void} onOpen hears which item somebody wants to see whole
 */

/** Returns the path of the items of a step. @param {Pick<Step, 'from' | 'to'>} step @param {string} narrowed */
export const itemsPath = ({ from, to }, narrowed) => `/items?limit=${LISTED_MAX}&from=${moment(from)}&to=${moment(to)}${narrowed}`;

/**
 * Returns the items of an answer, each once, with all its tickers as one text.
 * @param {unknown} answer @param {readonly string[]} show @returns {Update[]}
 */
export function listed(answer, show) {
  return parseItems(/** @type {any} */ (answer)?.items, show).map(({ tickers, ...item }) => ({ type: 'update', ...item, ticker: tickers.length === 0 ? null : tickers.join(', ') }));
}

/**
 * Returns what a list leaves unsaid.
 * @param {number} total of the step @param {number} shown @returns {string}
 */
export function remark(total, shown) {
  // Items are gone with the window, and their sums are kept.
  if (shown === 0) return total > 0 ? TEXT.step.onlySums : '';
  return total > shown ? TEXT.step.newest(whole(shown)) : '';
}

export class StepList {
  #dialog;
  #title;
  #counts;
  #list;
  #note;
  #means;
  /** The step that was opened last: what is read for another one comes too late. @type {Step | null} */
  #step = null;

  /** @param {Document} root @param {Means} means */
  constructor(root, means) {
    this.#dialog = /** @type {HTMLDialogElement} */ (byId(root, 'step'));
    this.#title = byId(root, 'step-title');
    this.#counts = byId(root, 'step-counts');
    this.#list = byId(root, 'step-items');
    this.#note = byId(root, 'step-note');
    this.#means = means;
    byId(root, 'step-close').addEventListener('click', () => this.#dialog.close());
    // Beside it is its backdrop.
    this.#dialog.addEventListener('click', ({ target }) => target === this.#dialog && this.#dialog.close());
  }

  /** @param {Step} step */
  async show(step) {
    this.#step = step;
    const { get, narrowed, show } = this.#means;
    const total = step.counts.reduce((sum, { count }) => sum + count, 0);
    setText(this.#title, period(step.from, step.to, step.hasDays));
    this.#counts.replaceChildren(...step.counts.map(({ label, count }) => element('li', '', chip(words(label), this.#means.toneOf(label)), ' ', element('strong', '', whole(count)))));
    this.#list.replaceChildren();
    setText(this.#note, total === 0 ? TEXT.step.nothing : TEXT.step.reading);
    this.#dialog.showModal();
    if (total === 0) return;
    try {
      const items = listed(await get(itemsPath(step, narrowed())), show);
      if (this.#step !== step) return;
      this.#list.replaceChildren(...items.map((item) => this.#entry(item)));
      setText(this.#note, remark(total, items.length));
    } catch (error) {
      if (this.#step === step) setText(this.#note, error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {Update} item */
  #entry(item) {
    const called = item.title ?? item.ticker ?? item.itemId ?? DASH;
    const name = element('button', 'link', called);
    name.type = 'button';
    name.dir = 'auto';
    name.title = called;
    name.setAttribute('aria-haspopup', 'dialog');
    name.addEventListener('click', () => this.#means.onOpen(item));
    return element('li', '', name, chip(words(item.label), this.#means.toneOf(item.label)), element('time', '', clock(item.timestamp, this.#means.now())));
  }
}

/** @param {number} at milliseconds since 1970 */
const moment = (at) => new Date(at).toISOString();
