/**
 * Draws a state into index.html: connection, notices and totals here, table and feed in their own files. Decides nothing
 * about the stream and keeps no state but what it drew last.
 */

import { byId, element, setNumber, setText } from './dom.js';
import { FeedList } from './feed_list.js';
import { ago, DASH, fullTime, heading, percent, rate, share, span, tones, uptime, whole, words } from './format.js';
import { TickerTable } from './ticker_table.js';

/** @type {Readonly<Record<import('./reduce.js').Phase, string>>} */
const PHASE_WORDS = Object.freeze({
  connecting: 'Connecting',
  live: 'Live',
  reconnecting: 'Reconnecting',
  refused: 'Refused',
  offline: 'Offline',
});

const GAP_REASONS = new Map([
  ['unknown', 'the server did not know the last position of this page'],
  ['foreign', 'the server reads another table now'],
  ['expired', 'this page was away for too long'],
  ['overflow', 'too much happened while this page was away'],
]);

const TONE_OTHER = 'tone-other';

/**
 * @typedef {import('./reduce.js').State} State
 * @typedef {{count: HTMLElement, share: HTMLElement, tile: HTMLElement, part: HTMLElement}} LabelTile
 */

export class View {
  #root;
  #table;
  #feed;
  /** @type {Map<string, LabelTile>} */
  #tiles = new Map();

  /**
   * @param {Document} root
   * @param {import('./read_config.js').Config} config
   * @param {(action: import('./reduce.js').Action) => void} dispatch
   */
  constructor(root, config, dispatch) {
    this.#root = root;
    const toneByLabel = tones(config.labels);
    const toneOf = (/** @type {string} */ label) => toneByLabel.get(label) ?? TONE_OTHER;
    this.#table = new TickerTable({ body: this.#id('tickers'), aside: this.#id('tickers-aside'), empty: this.#id('tickers-empty') }, toneOf);
    this.#feed = new FeedList(
      { list: this.#id('feed'), aside: this.#id('feed-aside'), empty: this.#id('feed-empty'), pause: this.#id('pause') },
      toneOf,
    );
    for (const label of config.labels) this.#addTile(label, toneOf(label));
    setText(this.#id('environment'), config.environment);
    this.#id('environment').hidden = config.environment === '';
    this.#id('pause').addEventListener('click', () => dispatch({ type: 'pause_toggled' }));
    this.#id('gap-dismiss').addEventListener('click', () => dispatch({ type: 'gap_dismissed' }));
  }

  /** @param {State} state @param {number} now */
  draw(state, now) {
    this.#id('badge').dataset.phase = state.connection.phase;
    setText(this.#id('phase'), PHASE_WORDS[state.connection.phase]);
    this.drawAges(state, now);
    this.#drawTrouble(state);
    this.#drawInstance(state);
    this.#drawGap(state);
    this.#drawTotals(state);
    this.#table.draw(state, now);
    this.#feed.draw(state, now);
  }

  /** Draws what changes by the passing of time alone. @param {State} state @param {number} now */
  drawAges({ connection }, now) {
    const { lastEventAt, retryAt, detail } = connection;
    const wait = retryAt === null ? '' : retryAt > now ? `next try in ${span(retryAt - now)}` : 'trying again';
    setText(this.#id('wait'), wait);
    setText(this.#id('age'), lastEventAt === null ? '' : ago(lastEventAt, now));
    this.#id('last').hidden = lastEventAt === null || wait !== '';
    this.#id('badge').title = [detail, lastEventAt === null ? '' : `Last event: ${fullTime(lastEventAt)}`].filter(Boolean).join('\n');
  }

  /** @param {State} state */
  #drawTrouble({ connection: { detail } }) {
    this.#id('trouble').hidden = detail === null;
    setText(this.#id('trouble'), detail ?? '');
  }

  /** @param {State} state */
  #drawInstance({ instance }) {
    if (!instance) return;
    const { connections, uptimeSeconds, streamId } = instance;
    const noun = connections === 1 ? 'connection' : 'connections';
    setText(this.#id('instance'), `Instance has ${whole(connections)} ${noun}, up ${uptime(uptimeSeconds)}`);
    this.#id('instance').title = streamId === null ? '' : `Stream ${streamId}`;
  }

  /** @param {State} state */
  #drawGap({ gap }) {
    this.#id('gap').hidden = gap === null;
    if (!gap) return;
    const reason = GAP_REASONS.get(gap.reason ?? '');
    setText(this.#id('gap-text'), `Some updates may be missing from the feed${reason ? `: ${reason}` : ''}. All numbers are current.`);
  }

  /** @param {State} state */
  #drawTotals({ metrics }) {
    if (!metrics) return;
    setText(this.#id('total'), whole(metrics.total));
    this.#id('total').title = metrics.timestamp === null ? '' : `As of ${fullTime(metrics.timestamp)}`;
    setText(this.#id('rate-hour'), rate(metrics.rateLastHour));
    setText(this.#id('rate-day'), rate(metrics.rateLast24h));
    const spoken = [];
    for (const [label, tile] of this.#tiles) {
      const count = metrics.byLabel.get(label) ?? 0;
      const part = share(count, metrics.total);
      setText(tile.count, whole(count));
      setText(tile.share, percent(part));
      setNumber(tile.tile, '--share', part ?? 0);
      setNumber(tile.part, '--share', part ?? 0);
      spoken.push(`${words(label)} ${percent(part)}`);
    }
    this.#id('shares').setAttribute('aria-label', spoken.join(', '));
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
