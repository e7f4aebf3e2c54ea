/**
 * The live feed, newest first. Entries never change, so drawing is adding the new ones and dropping the old ones.
 */

import { chip, element, flash, scoreBar, setText } from './dom.js';
import { clock, fullTime, percent, score, whole, words } from './format.js';

/** Entries that arrive together beyond this many do not light up: it would be noise. */
const FLASHES_MAX = 8;

/**
 * @typedef {import('./reduce.js').FeedEntry} FeedEntry
 * @typedef {import('./event.js').Update} Update
 */

export class FeedList {
  /** @type {HTMLElement[]} newest first */
  #nodes = [];
  /** @type {readonly FeedEntry[] | null} */
  #drawn = null;
  #lastSeq = 0;
  #list;
  #aside;
  #empty;
  #pause;
  #toneOf;

  /**
   * @param {{list: HTMLElement, aside: HTMLElement, empty: HTMLElement, pause: HTMLElement}} nodes
   * @param {(label: string) => string} toneOf
   */
  constructor({ list, aside, empty, pause }, toneOf) {
    this.#list = list;
    this.#aside = aside;
    this.#empty = empty;
    this.#pause = pause;
    this.#toneOf = toneOf;
  }

  /** @param {import('./reduce.js').State} state @param {number} now */
  draw({ feed, paused, received }, now) {
    const shown = paused?.feed ?? feed;
    const waiting = paused ? received - paused.received : 0;
    setText(this.#pause, paused ? 'Resume' : 'Pause');
    this.#pause.setAttribute('aria-pressed', String(paused !== null));
    setText(this.#aside, paused ? `${whole(waiting)} new while paused` : received ? `${whole(received)} since you opened this page` : '');
    this.#empty.hidden = shown.length > 0;
    if (shown === this.#drawn) return;
    this.#drawn = shown;
    this.#add(shown.filter(({ seq }) => seq > this.#lastSeq), now);
    for (const node of this.#nodes.splice(shown.length)) node.remove();
  }

  /** @param {readonly FeedEntry[]} entries newest first @param {number} now */
  #add(entries, now) {
    if (entries.length === 0) return;
    const nodes = entries.map((entry) => (entry.kind === 'gap' ? gapNode() : this.#updateNode(entry.update, entry.revised, now)));
    this.#lastSeq = entries[0].seq;
    this.#nodes.unshift(...nodes);
    this.#list.prepend(...nodes);
    nodes.slice(0, FLASHES_MAX).forEach(flash);
  }

  /** @param {Update} update @param {boolean} revised @param {number} now */
  #updateNode(update, revised, now) {
    const tone = this.#toneOf(update.label);
    const name = element('strong', 'name', update.ticker);
    name.title = update.ticker;
    const time = element('time', 'time', clock(update.timestamp, now));
    time.title = fullTime(update.timestamp);
    const first = element('div', 'entry-line', name, chip(words(update.label), tone));
    if (revised) first.append(element('span', 'revised', 'revised'));
    if (update.score !== null) first.append(scoreBar(update.score, tone), element('span', 'score-value', score(update.score)));
    if (update.source === null && update.confidence === null) {
      first.append(time);
      return element('li', `entry ${tone}`, first);
    }
    const second = element('div', 'entry-line', element('span', 'source', update.source ?? ''));
    if (update.confidence !== null) second.append(element('span', 'confidence', `${percent(update.confidence)} confident`));
    second.append(time);
    return element('li', `entry ${tone}`, first, second);
  }
}

function gapNode() {
  return element('li', 'entry-gap', 'Updates may be missing here');
}
