/**
 * The live feed, newest first. Entries never change, so drawing is adding the new ones and dropping the old ones.
 */

import { chip, element, flash, scoreBar, setText } from './dom.js';
import { clock, fullTime, percent, score, whole, words } from './format.js';
import { matcher } from './reduce.js';

/** Entries that arrive together beyond this many do not light up: it would be noise. */
const FLASHES_MAX = 8;

/**
 * @typedef {import('./reduce.js').FeedEntry} FeedEntry
 * @typedef {import('./event.js').Update} Update
 */

export class FeedList {
  /** @type {Map<number, HTMLElement>} by number of the entry */
  #nodes = new Map();
  /** @type {readonly FeedEntry[] | null} */
  #drawn = null;
  #drawnFilter = '';
  #lastSeq = 0;
  #list;
  #aside;
  #empty;
  #pause;
  #toneOf;
  #emptyText;

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
    this.#emptyText = empty.textContent ?? '';
  }

  /** @param {import('./reduce.js').State} state @param {number} now */
  draw({ feed, paused, received, filter }, now) {
    const all = paused?.feed ?? feed;
    const waiting = paused ? received - paused.received : 0;
    setText(this.#pause, paused ? 'Resume' : 'Pause');
    this.#pause.setAttribute('aria-pressed', String(paused !== null));
    setText(this.#aside, paused ? `${whole(waiting)} new while paused` : received ? `${whole(received)} so far` : '');
    if (all === this.#drawn && filter === this.#drawnFilter) return;
    const matches = matcher(filter);
    const shown = all.filter((entry) => entry.kind === 'gap' || matches(entry.update.ticker));
    setText(this.#empty, filter.trim() !== '' && received > 0 ? 'No update of these tickers yet.' : this.#emptyText);
    this.#empty.hidden = shown.length > 0;
    if (shown.length > 0 || this.#nodes.size > 0) this.#place(shown, now);
    this.#drawn = all;
    this.#drawnFilter = filter;
  }

  /**
   * Entries never change and never change places, so this is adding some and taking some out.
   * @param {readonly FeedEntry[]} shown newest first @param {number} now
   */
  #place(shown, now) {
    const kept = new Set(shown.map(({ seq }) => seq));
    for (const [seq, node] of this.#nodes) {
      if (kept.has(seq)) continue;
      node.remove();
      this.#nodes.delete(seq);
    }
    const added = [];
    let place = this.#list.firstElementChild;
    for (const entry of shown) {
      const known = this.#nodes.get(entry.seq);
      if (known) {
        place = known.nextElementSibling;
        continue;
      }
      const node = entry.kind === 'gap' ? gapNode() : this.#updateNode(entry.update, entry.revised, now);
      this.#nodes.set(entry.seq, node);
      this.#list.insertBefore(node, place);
      if (entry.seq > this.#lastSeq) added.push(node);
    }
    // What was there at the beginning is no news.
    if (this.#drawn) added.slice(0, FLASHES_MAX).forEach(flash);
    this.#lastSeq = Math.max(this.#lastSeq, shown[0]?.seq ?? 0);
  }

  /** Begins anew: numbers of entries start again. */
  clear() {
    for (const node of this.#nodes.values()) node.remove();
    this.#nodes.clear();
    this.#lastSeq = 0;
    this.#drawn = null;
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
