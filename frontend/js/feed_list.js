/**
 * The live feed, newest first. Entries never change, so drawing is adding the new ones and dropping the old ones. None of those in
 * between is laid out again: each has its place on a strip that grows upwards, and what moves is the strip as a whole.
 */

import { chip, element, flash, linkNode, scoreBar, setText } from './dom.js';
import { clock, DASH, fullTime, percent, score, shownText, whole, words } from './format.js';
import { matcher } from './reduce.js';
import { TEXT } from './words.js';

/** Heights of entries by their lines, in the size of the text, as app.css has them: nothing is measured. */
const HEIGHTS = [0, 2.75, 4.15, 5.55];
const HEIGHT_MARK = 2;
/** Length from which the strip begins anew: beyond some thirty million pixels a browser counts no further. */
const STRIP_MAX = 20_000;

/**
 * @typedef {import('./state.js').FeedEntry} FeedEntry
 * @typedef {import('./event.js').Update} Update
 */

export class FeedList {
  /** @type {Map<number, HTMLElement>} by number of the entry */
  #nodes = new Map();
  /** @type {readonly FeedEntry[] | null} */
  #drawn = null;
  #drawnFilter = '';
  /** Ends of the strip, in the size of the text: up to where entries were added, and down to the last one that is left. */
  #top = 0;
  #bottom = 0;
  /** The reader has scrolled down; asking for that at each drawing would lay out the page each time. */
  #isRead = false;
  #list;
  #scroll;
  #strip;
  #aside;
  #empty;
  #pause;
  #toneOf;
  /** @type {WeakMap<Element, Update>} what each entry says */
  #updates = new WeakMap();

  /**
   * @param {{list: HTMLElement, scroll: HTMLElement, strip: HTMLElement, aside: HTMLElement, empty: HTMLElement, pause: HTMLElement}} nodes
   * @param {(label: string) => string} toneOf
   * @param {(update: Update) => void} onOpen hears which entry somebody wants to see whole
   */
  constructor({ list, scroll, strip, aside, empty, pause }, toneOf, onOpen) {
    this.#list = list;
    this.#scroll = scroll;
    this.#strip = strip;
    this.#aside = aside;
    this.#empty = empty;
    this.#pause = pause;
    this.#toneOf = toneOf;
    // A button in each entry makes a click of Enter.
    list.addEventListener('click', ({ target }) => {
      const node = target instanceof Element && !target.closest('a') ? target.closest('.entry') : null;
      const update = node && this.#updates.get(node);
      if (update && getSelection()?.isCollapsed !== false) onOpen(update);
    });
    scroll.addEventListener('scroll', () => (this.#isRead = scroll.scrollTop > 0), { passive: true });
  }

  /** @param {import('./state.js').State} state @param {number} now */
  draw({ feed, paused, received, filter }, now) {
    const all = paused?.feed ?? feed;
    const waiting = paused ? received - paused.received : 0;
    setText(this.#pause, paused ? TEXT.feed.resume : TEXT.feed.pause);
    this.#pause.setAttribute('aria-pressed', String(paused !== null));
    setText(this.#aside, paused ? TEXT.feed.newWhilePaused(whole(waiting)) : received ? TEXT.feed.soFar(whole(received)) : '');
    if (all === this.#drawn && filter === this.#drawnFilter) return;
    if (filter !== this.#drawnFilter) this.#scroll.scrollTop = 0;
    if (filter !== this.#drawnFilter || this.#top > STRIP_MAX) this.clear();
    const matches = matcher(filter);
    const shown = all.filter((entry) => entry.kind !== 'update' || matches(entry.update.ticker));
    if (shown.at(-1)?.kind === 'earlier') shown.pop();
    setText(this.#empty, filter.trim() !== '' && received > 0 ? TEXT.feed.noMatch : TEXT.feed.waiting);
    this.#empty.hidden = shown.length > 0;
    this.#place(shown, now);
    this.#drawn = all;
    this.#drawnFilter = filter;
  }

  /** @param {readonly FeedEntry[]} shown newest first @param {number} now */
  #place(shown, now) {
    // One from the middle is gone: the others close up.
    const seqs = new Set(shown.map(({ seq }) => seq));
    if ([...this.#nodes.keys()].some((seq) => seq > (shown.at(-1)?.seq ?? Infinity) && !seqs.has(seq))) this.clear();
    const last = shown.at(-1)?.seq ?? Infinity;
    for (const [seq, node] of this.#nodes) {
      if (seq >= last) break; // oldest first
      this.#bottom -= heightOf(node);
      node.remove();
      this.#nodes.delete(seq);
    }
    const added = shown.filter(({ seq }) => !this.#nodes.has(seq));
    if (added.length === 0 && this.#drawn) return;
    const before = this.#top;
    const first = this.#nodes.keys().next().value ?? -Infinity;
    const below = added.filter(({ seq }) => seq < first);
    for (const entry of added.slice(0, added.length - below.length).reverse()) this.#add(entry.seq, this.#node(entry, now));
    this.#addBelow(below, now);
    this.#list.style.setProperty('transform', `translateY(${this.#top.toFixed(2)}em)`);
    this.#strip.style.setProperty('height', `${(this.#top + this.#bottom).toFixed(2)}em`);
    // Who reads further down goes on reading there.
    if (this.#isRead && this.#drawn) this.#scroll.scrollTop += (this.#top - before) * parseFloat(getComputedStyle(this.#list).fontSize);
  }

  /** @param {number} seq @param {HTMLElement} node */
  #add(seq, node) {
    this.#top += heightOf(node);
    node.style.setProperty('top', `${(-this.#top).toFixed(2)}em`);
    this.#nodes.set(seq, node);
    this.#list.prepend(node);
    // What was there at the beginning is no news.
    if (this.#drawn && seq > 0) flash(node);
  }

  /** @param {readonly FeedEntry[]} entries what was there before all others, newest first @param {number} now */
  #addBelow(entries, now) {
    /** @type {[number, HTMLElement][]} */
    const added = [];
    for (const entry of entries) {
      const node = this.#node(entry, now);
      node.style.setProperty('top', `${this.#bottom.toFixed(2)}em`);
      this.#bottom += heightOf(node);
      added.unshift([entry.seq, node]);
      this.#list.append(node);
    }
    if (added.length > 0) this.#nodes = new Map([...added, ...this.#nodes]);
  }

  /** Begins anew: numbers of entries start again. */
  clear() {
    this.#list.replaceChildren();
    this.#strip.style.setProperty('height', '0');
    this.#nodes.clear();
    this.#top = 0;
    this.#bottom = 0;
    this.#drawn = null;
  }

  /** @param {FeedEntry} entry @param {number} now */
  #node(entry, now) {
    if (entry.kind === 'gap') return element('li', 'entry-gap', TEXT.feed.gap);
    if (entry.kind === 'earlier') return element('li', 'entry-earlier', TEXT.feed.earlier);
    const node = this.#updateNode(entry.update, entry.revised, now);
    node.classList.toggle('earlier', entry.seq < 0);
    this.#updates.set(node, entry.update);
    return node;
  }

  /** @param {Update} update @param {boolean} revised @param {number} now */
  #updateNode(update, revised, now) {
    const tone = this.#toneOf(update.label);
    // An item without a ticker goes by its id.
    const called = update.ticker ?? update.itemId ?? DASH;
    const name = element('button', 'name', called);
    name.type = 'button';
    name.title = called;
    name.setAttribute('aria-haspopup', 'dialog');
    const time = element('time', 'time', clock(update.timestamp, now));
    time.title = fullTime(update.timestamp);
    const first = element('div', 'entry-line', name, chip(words(update.label), tone));
    if (revised) first.append(element('span', 'revised', TEXT.feed.revised));
    if (update.score !== null) first.append(scoreBar(update.score, tone), element('span', 'score-value', score(update.score)));
    const lines = update.title === null ? [first] : [titleNode(update.title, update.url), first];
    const beneath = [...(update.source === null ? [] : [update.source]), ...update.shown.map(shownText)].join(' · ');
    if (beneath === '' && update.confidence === null) {
      first.append(time);
      return entryNode(tone, lines);
    }
    const source = element('span', 'source', beneath);
    source.title = beneath;
    const second = element('div', 'entry-line', source);
    if (update.confidence !== null) second.append(element('span', 'confidence', TEXT.feed.confident(percent(update.confidence))));
    second.append(time);
    return entryNode(tone, [...lines, second]);
  }
}

/** @param {string} tone @param {HTMLElement[]} lines */
function entryNode(tone, lines) {
  return element('li', `entry lines-${lines.length} ${tone}`, ...lines);
}

/** @param {string} title @param {string | null} url */
function titleNode(title, url) {
  const node = url === null ? element('span', '', title) : linkNode(title, url);
  // An entry is one stop of the Tab key, its button: what that opens begins with this link.
  if (url !== null) node.tabIndex = -1;
  node.dir = 'auto'; // and apart from what is beside it
  node.title = title;
  return element('div', 'entry-title', node);
}

/** @param {HTMLElement} node */
function heightOf({ classList }) {
  return HEIGHTS.find((_, lines) => classList.contains(`lines-${lines}`)) ?? HEIGHT_MARK;
}
