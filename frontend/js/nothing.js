/**
 * Explains a page on which there is nothing: what may be the matter with the table, and what there is to do. It stands in the place of
 * the panels, and goes as soon as anything counts.
 */

import { element, setText } from './dom.js';
import { withinWindow } from './format.js';
import { TEXT } from './words.js';

/** More labels than these are not all named. */
const LABELS_MAX = 8;

/**
 * Returns what is the matter: `table` where nothing of the whole table counts, `filter` or `saved` where nothing of what the
 * reader typed or saved does, null where something does or that is not known yet.
 * @param {Pick<import('./state.js').State, 'metrics' | 'filter'>} state
 * @param {boolean} isSaved whether a saved configuration is shown
 * @returns {'table' | 'filter' | 'saved' | null}
 */
export function whatIsMissing({ metrics, filter }, isSaved) {
  if (metrics === null || metrics.total > 0) return null;
  return filter.trim() !== '' ? 'filter' : isSaved ? 'saved' : 'table';
}

/**
 * Returns the likely reasons, the commonest first.
 * @param {Pick<import('./config.js').Config, 'labels' | 'windowMs'>} config
 */
export function causes({ labels, windowMs }) {
  const named = labels.slice(0, LABELS_MAX).map((label) => `\`${label}\``).join(', ');
  const all = labels.length > LABELS_MAX ? `${named}, …` : named;
  return [TEXT.empty.noRows, TEXT.empty.oldRows(withinWindow(windowMs)), TEXT.empty.otherLabels(all), TEXT.empty.otherNames];
}

export class Nothing {
  #nodes;
  #config;
  /** @type {ReturnType<typeof whatIsMissing> | undefined} */
  #drawn = undefined;

  /**
   * @param {{section: HTMLElement, title: HTMLElement, intro: HTMLElement, causes: HTMLElement, doctor: HTMLElement}} nodes
   * @param {import('./config.js').Config} config
   */
  constructor(nodes, config) {
    this.#nodes = nodes;
    this.#config = config;
  }

  /** @param {import('./state.js').State} state @param {boolean} isSaved */
  draw(state, isSaved) {
    const missing = whatIsMissing(state, isSaved);
    if (missing === this.#drawn) return;
    this.#drawn = missing;
    const { section, title, intro, causes: list, doctor } = this.#nodes;
    section.hidden = missing === null;
    document.body.classList.toggle('has-nothing', missing !== null);
    if (missing === null) return;
    setText(title, TEXT.empty.title(withinWindow(this.#config.windowMs)));
    setText(intro, { table: TEXT.empty.intro, filter: TEXT.empty.narrowed, saved: TEXT.empty.saved }[missing]);
    list.replaceChildren(...(missing === 'table' ? causes(this.#config).map((text) => element('li', '', ...withCode(text))) : []));
    doctor.replaceChildren(...(missing === 'table' ? withCode(TEXT.empty.doctor) : []));
  }
}

/** Names of keys and commands, between backticks, as such. @param {string} text @returns {(string | Node)[]} */
function withCode(text) {
  return text.split('`').map((part, index) => (index % 2 === 0 ? part : element('code', '', part)));
}
