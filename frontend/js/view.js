/**
 * Draws a state into index.html: connection, notices and totals here, table, chart and feed in their own files. Decides nothing
 * about the stream and keeps no state but what it drew last.
 */

import { byId, element, setNumber, setText, setTitle } from './dom.js';
import { Chart } from './chart.js';
import { FeedList } from './feed_list.js';
import { ago, capital, DASH, fullTime, heading, latency, percent, rate, share, tones, totalOf, uptime, whole, words } from './format.js';
import { rangesWithin } from './ranges.js';
import { INITIAL_STATE, quoted } from './reduce.js';
import { TickerTable } from './ticker_table.js';
import { phaseWord, troubleText, waitText } from './trouble.js';
import { TEXT } from './words.js';

const TONE_OTHER = 'tone-other';
/** What passes sooner is no trouble to a reader, and no news to a listener. */
const SETTLE_MS = 1_500;
/** Phases that last, or that a reader had better know of at once. */
const AT_ONCE = ['polling', 'refused', 'offline'];
/** More labels than these do not fit between total and rates. */
const LABELS_BESIDE_MAX = 5;
/** More characters do not either, with all labels as long as the longest. */
const CHARS_BESIDE_MAX = 40;
const TRENDS_INTERVAL_MS = 1_000;

/**
 * @typedef {import('./state.js').State} State
 * @typedef {{count: HTMLElement, share: HTMLElement, tile: HTMLElement, part: HTMLElement}} LabelTile
 * @typedef {{dispatch: (action: import('./state.js').Action) => void, retryNow: () => void, noticeAction: () => void,
 *   chooseRange: (range: import('./ranges.js').Range) => void, isSaved: () => boolean,
 *   items: Pick<import('./step_list.js').Means, 'get' | 'narrowed' | 'now'>}} Handlers `isSaved`: whether a saved configuration is
 *   shown; `items`: how those of a step are read
 */

export class View {
  #root;
  #pollMs;
  /** Whether labels are those of sentiment: a score may be of anything. */
  #isSentiment;
  #history;
  #table;
  #feed;
  #chart;
  /** @type {Map<string, LabelTile>} */
  #tiles = new Map();
  /** What was said last, and since when it is so. */
  #trouble = { text: '', since: 0 };
  #said = { text: '', since: 0 };
  #trendsAt = 0;
  #trendsDrawn = '';
  /** @type {State['metrics'] | undefined} */
  #totals = undefined;
  #filter;
  #nothing;
  #hadNothing = false;
  /** What was drawn last. @type {State} */
  #shown = INITIAL_STATE;
  #isSaved;

  /**
   * @param {Document} root
   * @param {import('./config.js').Config} config
   * @param {import('./history.js').History} history
   * @param {Handlers} handlers
   */
  constructor(root, config, history, { dispatch, retryNow, noticeAction, chooseRange, isSaved, items }) {
    this.#isSaved = isSaved;
    this.#root = root;
    this.#pollMs = config.pollIntervalMs;
    this.#isSentiment = config.labelKeys.includes('positive');
    this.#history = history;
    const toneByLabel = tones(config.labels, config.labelKeys);
    const toneOf = (/** @type {string} */ label) => toneByLabel.get(label) ?? TONE_OTHER;
    const nodes = (/** @type {Record<string, string>} */ ids) =>
      /** @type {any} */ (Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, this.#id(id)])));
    this.#table = new TickerTable(nodes({ body: 'tickers', aside: 'tickers-aside', empty: 'tickers-empty', skeleton: 'tickers-skeleton' }), toneOf, (ticker) => this.#chooseTicker(ticker));
    const feed = { list: 'feed', scroll: 'feed-scroll', strip: 'feed-strip', aside: 'feed-aside', empty: 'feed-empty', pause: 'pause' };
    const details = later(async () => {
      const { Details } = await import('./details.js');
      return new Details(nodes({ dialog: 'details', title: 'details-title', list: 'details-list', close: 'details-close' }), toneOf);
    });
    const asked = (/** @type {Promise<unknown>} */ opening) => void opening.catch((error) => dispatch({ type: 'noticed', text: String(error) }));
    const openItem = (/** @type {import('./event.js').Update} */ update) => asked(details().then((found) => found.show(update)));
    this.#feed = new FeedList(nodes(feed), toneOf, openItem);
    const chart = { box: 'chart', legend: 'chart-legend', time: 'chart-time', empty: 'chart-empty', table: 'chart-table', toggle: 'chart-toggle' };
    const steps = later(async () => {
      const { StepList } = await import('./step_list.js');
      return new StepList(root, { ...items, show: config.show, toneOf, onOpen: openItem });
    });
    this.#chart = new Chart(nodes(chart), config.labels, toneOf, history.range, (step) => asked(steps().then((list) => list.show(step))));
    for (const label of config.labels) this.#addTile(label, toneOf(label));
    this.#nothing = later(async () => {
      const { Nothing } = await import('./nothing.js');
      return new Nothing(nodes({ section: 'nothing', title: 'nothing-title', intro: 'nothing-intro', causes: 'nothing-causes', doctor: 'nothing-doctor' }), config);
    });
    this.#id('totals').classList.toggle('many', !fitBeside(config.labels));
    setText(this.#id('environment'), config.environment);
    this.#id('environment').hidden = config.environment === '';
    const onClick = (/** @type {string} */ id, /** @type {() => void} */ then) => this.#id(id).addEventListener('click', then);
    onClick('pause', () => dispatch({ type: 'pause_toggled' }));
    onClick('gap-dismiss', () => dispatch({ type: 'gap_dismissed' }));
    onClick('retry', retryNow);
    onClick('notice-action', noticeAction);
    onClick('notice-dismiss', () => dispatch({ type: 'notice_dismissed' }));
    root.body.classList.toggle('no-tags', !config.hasTags);
    setText(this.#id('window-title'), totalOf(config.windowMs));
    for (const range of rangesWithin(config)) this.#addRange(range, chooseRange);
    this.#filter = /** @type {HTMLInputElement} */ (this.#id('filter'));
    this.#filter.addEventListener('input', () => dispatch({ type: 'filtered', text: this.#filter.value }));
  }

  /** Fetches what draws the chart, which the page does not wait for. */
  async loadChart() {
    try {
      await this.#chart.load();
    } catch {
      this.#chart.failed();
    }
    this.#trendsAt = 0;
  }

  /** What was typed: a browser keeps it across a reload. */
  get filter() {
    return this.#filter.value;
  }

  /** @param {string} ticker chosen once more it is one of all again */
  #chooseTicker(ticker) {
    const word = quoted(ticker);
    this.#filter.value = this.#filter.value === word ? '' : word;
    this.#filter.dispatchEvent(new Event('input'));
  }

  /** @param {import('./ranges.js').Range} range @param {Handlers['chooseRange']} choose */
  #addRange(range, choose) {
    const button = element('button', '', TEXT.ranges[range.name].text);
    button.type = 'button';
    button.dataset.range = range.name;
    button.addEventListener('click', () => choose(range));
    this.#id('ranges').append(button);
  }

  #drawRange() {
    const { name, isKept } = this.#history.range;
    for (const button of this.#id('ranges').children) button.setAttribute('aria-pressed', String(/** @type {HTMLElement} */ (button).dataset.range === name));
    setText(this.#id('trend-title'), capital(TEXT.ranges[isKept ? '24h' : name].last));
  }

  /** Begins anew, for another stream. */
  clear() {
    this.#feed.clear();
    this.#trendsAt = 0;
  }

  /** @param {State} state @param {number} now */
  draw(state, now) {
    const { connection } = state;
    const badge = this.#id('badge').dataset;
    badge.phase = connection.phase;
    badge.role = connection.role ?? 'alone';
    setText(this.#id('phase'), phaseWord(connection));
    setText(this.#id('latency'), latency(connection.latencyMs));
    this.#drawAge(connection, now);
    this.#drawTrouble(connection, now);
    this.#drawInstance(state);
    this.#drawGap(state);
    this.#drawNotice(state);
    this.#root.body.classList.toggle('has-notice', ['notice', 'gap', 'trouble'].some((id) => !this.#id(id).hidden));
    this.#drawTotals(state);
    this.#drawNothing(state);
    this.#table.draw(state, now);
    this.#feed.draw(state, now);
    this.#drawTrends(state, now);
  }

  /** @param {State['connection']} connection @param {number} now */
  #drawAge({ lastEventAt }, now) {
    setText(this.#id('age'), lastEventAt === null ? DASH : ago(lastEventAt, now));
    setTitle(this.#id('badge'), lastEventAt === null ? '' : TEXT.times.lastEvent(fullTime(lastEventAt)));
  }

  /** @param {State['connection']} connection @param {number} now */
  #drawTrouble(connection, now) {
    const text = troubleText(connection, this.#pollMs) ?? '';
    if (text !== this.#trouble.text) this.#trouble = { text, since: now };
    const isShown = text !== '' && (AT_ONCE.includes(connection.phase) || now - this.#trouble.since >= SETTLE_MS);
    this.#id('trouble').hidden = !isShown;
    setText(this.#id('trouble-text'), text);
    setText(this.#id('trouble-wait'), waitText(connection, now));
    this.#announce(`${phaseWord(connection)}. ${text}`.trim(), now);
  }

  /** Listeners hear of what lasts: neither each word of the badge nor the countdown. @param {string} text @param {number} now */
  #announce(text, now) {
    if (text !== this.#said.text) this.#said = { text, since: now };
    if (now - this.#said.since >= SETTLE_MS) setText(this.#id('announcer'), text);
  }

  /** Fetches what explains it where there is nothing; that goes on to be told when there is something. @param {State} state */
  #drawNothing(state) {
    this.#shown = state;
    this.#hadNothing ||= state.metrics?.total === 0;
    // What did not come is asked for again with the next drawing.
    if (this.#hadNothing) this.#nothing().then((found) => found.draw(this.#shown, this.#isSaved())).catch(() => undefined);
  }

  /** @param {State} state */
  #drawInstance({ instance }) {
    if (!instance) return;
    const { connections, uptimeSeconds, streamId } = instance;
    setText(this.#id('instance'), TEXT.totals.instance(whole(connections), uptime(uptimeSeconds)));
    setTitle(this.#id('instance'), streamId === null ? '' : TEXT.totals.stream(streamId));
  }

  /** @param {State} state */
  #drawGap({ gap }) {
    this.#id('gap').hidden = gap === null;
    if (!gap) return;
    setText(this.#id('gap-text'), TEXT.gap.text(gapReason(gap.reason)));
  }

  /** @param {State} state */
  #drawNotice({ notice }) {
    this.#id('notice').hidden = notice === null;
    if (!notice) return;
    setText(this.#id('notice-text'), notice.text);
    setText(this.#id('notice-action'), notice.action ?? '');
    this.#id('notice-action').hidden = notice.action === null;
  }

  /** @param {State} state */
  #drawTotals({ metrics }) {
    if (metrics === this.#totals) return;
    this.#totals = metrics;
    setText(this.#id('total'), whole(metrics?.total ?? null));
    setTitle(this.#id('total'), metrics?.timestamp ? TEXT.times.asOf(fullTime(metrics.timestamp)) : '');
    setText(this.#id('rate-hour'), rate(metrics?.rateLastHour ?? null));
    const spoken = [];
    for (const [label, tile] of this.#tiles) {
      const count = metrics ? metrics.byLabel.get(label) ?? 0 : null;
      const part = metrics ? share(count ?? 0, metrics.total) : null;
      setText(tile.count, whole(count));
      setText(tile.share, percent(part));
      setNumber(tile.tile, '--share', part ?? 0);
      setNumber(tile.part, '--share', part ?? 0);
      tile.part.hidden = !part; // nothing has no gap beside it either
      spoken.push(`${words(label)} ${percent(part)}`);
    }
    this.#id('shares').setAttribute('aria-label', spoken.join(', '));
  }

  /** The chart and the small lines: no more often than a reader can follow. @param {State} state @param {number} now */
  #drawTrends({ clockOffsetMs, metrics }, now) {
    const serverNow = now + clockOffsetMs;
    const { range, version } = this.#history;
    const due = `${range.name}|${version}|${metrics?.timestamp}|${Math.floor(serverNow / 60_000)}`;
    const isOther = !this.#trendsDrawn.startsWith(`${range.name}|`);
    if (!isOther && this.#trendsAt !== 0 && (due === this.#trendsDrawn || now - this.#trendsAt < TRENDS_INTERVAL_MS)) return;
    if (isOther) this.#drawRange();
    this.#trendsDrawn = due;
    this.#trendsAt = now;
    const hasScores = this.#history.hasScores ?? true;
    this.#root.body.classList.toggle('no-scores', !hasScores);
    setText(this.#id('chart-title'), hasScores && this.#isSentiment ? TEXT.chart.withScores : TEXT.chart.withoutScores);
    setText(this.#id('chart-empty'), this.#emptyText(metrics !== null));
    this.#chart.draw(this.#history.chart(serverNow, metrics && [...metrics.byLabel.values()]), range);
    this.#table.drawTrends(this.#history, serverNow);
  }

  /** Why the chart is empty: nothing is said of what is not known. @param {boolean} isCounting whether there are numbers @returns {string} */
  #emptyText(isCounting) {
    const { isRead, range } = this.#history;
    if (isRead === false) return TEXT.chart.unread;
    return isRead && isCounting ? TEXT.chart.nothing(TEXT.ranges[range.name].within) : TEXT.chart.reading;
  }

  /** @param {string} label @param {string} tone */
  #addTile(label, tone) {
    const [count, shareText] = [element('p', 'figure', DASH), element('p', 'unit', DASH)];
    const tile = element('div', `card tile ${tone}`, element('h3', '', heading(label)), count, shareText, element('span', 'bar'));
    tile.dataset.label = label;
    tile.title = words(label);
    const part = element('span', tone);
    part.title = words(label);
    this.#id('labels').append(tile);
    this.#id('shares').append(part);
    this.#tiles.set(label, { count, share: shareText, tile, part });
  }

  /** @param {string} id */
  #id(id) {
    return byId(this.#root, id);
  }
}

/**
 * Says that the page cannot start, and why.
 * @param {Document} root
 * @param {string} sentence
 */
export function showFailure(root, sentence) {
  const node = byId(root, 'failure');
  node.hidden = false;
  setText(node, sentence);
}

/** @param {string | null} reason */
function gapReason(reason) {
  const { unknown, foreign, expired, overflow } = TEXT.gap;
  return new Map(Object.entries({ unknown, foreign, expired, overflow })).get(reason ?? '') ?? '';
}

/** Returns whether the labels can be told apart where they stand between total and rates. @param {readonly string[]} labels */
function fitBeside(labels) {
  const longest = Math.max(...labels.map((label) => label.length));
  return labels.length <= LABELS_BESIDE_MAX && labels.length * longest <= CHARS_BESIDE_MAX;
}

/**
 * Returns what has something fetched when it is asked for first; what did not come is asked for again.
 * @template T
 * @param {() => Promise<T>} fetched
 * @returns {() => Promise<T>}
 */
function later(fetched) {
  /** @type {Promise<T> | null} */
  let coming = null;
  return () => (coming ??= fetched().catch((error) => {
    coming = null;
    throw error;
  }));
}
