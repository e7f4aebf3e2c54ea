/**
 * Wires config, stream, REST, reducer, history and view together. The only file that holds the current state.
 *
 * A page that embeds this one can listen: for each update that it takes in, `window` gets a CustomEvent `live-update` whose `detail`
 * is the update (`itemId`, `ticker`, `label`, `score`, `confidence`, `source`, `timestamp`, `title`, `url`,
 * `shown`). Repetitions do not count.
 */

import { address, goodbye, painted, restEnvironment, storage } from './browser.js';
import { ConfigurationBar } from './configuration_bar.js';
import { Configurations } from './configurations.js';
import { eventNames, parseEvent } from './event.js';
import { History } from './history.js';
import { parsePoints } from './items.js';
import { itemPages, narrowed, poller, updatesIn } from './poll.js';
import { readConfig } from './read_config.js';
import { EARLIER_MAX, INITIAL_STATE, lastKnown, reduce, shared, SIGN_IN } from './reduce.js';
import { Rest } from './rest.js';
import { SharedStream } from './share.js';
import { View, showFailure } from './view.js';

const TICK_INTERVAL_MS = 1_000;
const PAGES_MAX = 5;
const HOUR_MS = 3_600_000;
const DELETED = 'The saved configuration that was shown is not there any more, so here is everything.';

/** @typedef {import('./reduce.js').Action} Action */
/** @typedef {import('./event.js').Update} Update */

class Page {
  #config;
  #names;
  #state = INITIAL_STATE;
  #isDrawing = false;
  #history;
  #rest;
  #configurations;
  #view;
  /** @type {ConfigurationBar | null} */
  #bar = null;
  /** @type {SharedStream | null} */
  #stream = null;
  /** Ends what is being read for the stream before this one. */
  #reading = new AbortController();
  /** Whether what was there before has been read, from whatever place. */
  #hasBaseline = false;
  /** @type {Promise<void> | null} */
  #loading = null;
  /** What the button of the notice does. */
  #noticeAction = () => {};

  /** @param {import('./read_config.js').Config} config */
  constructor(config) {
    this.#config = config;
    this.#names = eventNames(config.updateEvent);
    this.#history = new History(config.labels);
    const place = storage();
    this.#rest = new Rest(config, restEnvironment(place));
    this.#configurations = new Configurations(this.#rest, place, address);
    this.#view = new View(document, config, this.#history, {
      dispatch: (action) => this.#dispatch(action),
      retryNow: () => this.#stream?.retryNow(),
      noticeAction: () => this.#noticeAction(),
    });
  }

  start() {
    this.#view.draw(this.#state, Date.now());
    setInterval(() => this.#draw(), TICK_INTERVAL_MS); // ages, countdowns and the minutes of the chart
    document.addEventListener('visibilitychange', () => {
      this.#draw();
      // A sign-in elsewhere may have set the cookie meanwhile.
      if (!document.hidden && this.#state.connection.detail === SIGN_IN) this.#stream?.retryNow();
      // Another tab may have saved or deleted one.
      if (this.#bar && !document.hidden) this.#loadConfigurations();
    });
    // A configuration is a list of tickers.
    const hasConfigurations = this.#config.authMode !== 'off' && this.#config.hasTags;
    if (hasConfigurations) this.#offerConfigurations();
    else if (this.#configurations.chosen !== '') this.#configurations.choose('');
    this.#open();
    painted().then(() => this.#view.loadChart());
  }

  // State and drawing

  /** @param {Action} action */
  #dispatch(action) {
    this.#state = reduce(this.#state, action);
    this.#draw();
  }

  /** A burst of events is drawn once, and a hidden tab draws nothing. */
  #draw() {
    if (this.#isDrawing || document.hidden) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      this.#view.draw(this.#state, Date.now());
    });
  }

  // The stream

  /** Opens the stream of what is chosen. */
  #open() {
    this.#stream?.stop();
    this.#reading.abort();
    this.#reading = new AbortController();
    this.#hasBaseline = false;
    const { streamUrl, streamBase, pollIntervalMs, heartbeatIntervalMs, updateEvent } = this.#config;
    const { chosen } = this.#configurations;
    const key = JSON.stringify([streamUrl, chosen]);
    const stream = new SharedStream({
      key,
      snapshot: () => ({ state: shared(this.#state), history: this.#history.snapshot() }),
      onSnapshot: (snapshot) => isShown() && this.#restore(snapshot),
      url: () => this.#address(chosen),
      healthUrl: `${streamBase}/health`,
      events: ['metrics', updateEvent],
      onEvent: (event) => isShown() && this.#received(event),
      onStatus: (status) => isShown() && this.#statusChanged(status, chosen),
      heartbeatMs: heartbeatIntervalMs,
      pollMs: pollIntervalMs,
      poll: this.#poller(),
      goodbye: goodbye(this.#config),
    });
    // What another stream has still to say is about other numbers.
    const isShown = () => this.#stream === stream;
    this.#stream = stream;
    // An EventSource that is refused gives up for good. One that cannot get a user now finds out as others do.
    if (this.#rest.lacksUser) this.#rest.admitted().catch(() => {}).finally(() => isShown() && stream.start());
    else stream.start();
    const { signal } = this.#reading;
    painted().then(() => {
      if (signal.aborted) return;
      this.#readLatest(signal);
      this.#readHistory(signal);
    });
  }

  /** @param {string} chosen */
  #address(chosen) {
    // What everybody may have is asked for without a token.
    if (chosen === '' && !this.#rest.isPrivate) return this.#config.streamUrl;
    const url = chosen === '' ? this.#config.streamUrl : `${this.#config.streamBase}/api/v2/configurations/${encodeURIComponent(chosen)}/stream`;
    const isForeign = new URL(url, location.href).origin !== location.origin;
    // The session's cookie does not get to another origin, and an EventSource sends no header.
    const { token } = this.#rest;
    return isForeign && token !== null ? `${url}?token=${encodeURIComponent(token)}` : url;
  }

  /** @param {import('./stream.js').StreamEvent} event */
  #received({ name, data, at }) {
    const type = this.#names.get(name);
    const event = type === undefined ? null : parseEvent(type, data, this.#config.labels, this.#config.labelKeys, this.#config.show);
    if (!event) return;
    const before = this.#state.received;
    this.#dispatch({ ...event, at });
    if (event.type === 'update' && this.#state.received > before) {
      this.#history.take(event, at + this.#state.clockOffsetMs);
      window.dispatchEvent(new CustomEvent('live-update', { detail: event }));
    }
    if (event.type === 'reset') this.#readHistory(this.#reading.signal);
    if (event.type === 'deadline' && event.reason === 'configuration_deleted') this.#fallBack();
  }

  /** @param {import('./reduce.js').Status} status @param {string} chosen */
  #statusChanged(status, chosen) {
    const wasRefused = this.#state.connection.reason === 'status';
    this.#dispatch({ type: 'status', status });
    if (status.reason !== 'status' || wasRefused) return;
    if (chosen === '') this.#admit();
    else this.#check(chosen);
  }

  /** A stream that is refused may be one that asks for a user: REST says so, and in mode `session` makes one. */
  async #admit() {
    const stream = this.#stream;
    const refusal = await this.#rest.get('/metrics').then(() => null, (error) => error);
    if (stream !== this.#stream) return;
    if (refusal?.status === 401) this.#dispatch({ type: 'sign_in_needed' });
    // There is a user now who may not have been there when the stream was asked for.
    else if (refusal === null && this.#rest.isPrivate) stream?.retryNow();
  }

  /** A stream that is refused may be one of a configuration that is gone. @param {string} chosen */
  async #check(chosen) {
    if ((await this.#configurations.isThere()) === false && chosen === this.#configurations.chosen) this.#fallBack();
  }

  /** @param {any} snapshot */
  #restore({ state, history }) {
    this.#hasBaseline = true;
    this.#reading.abort();
    this.#reading = new AbortController();
    this.#view.clear();
    this.#history.restore(history);
    this.#dispatch({ type: 'restored', shared: state });
  }

  // REST

  #poller() {
    return poller({
      get: (path, signal) => this.#rest.get(path, signal),
      updateEvent: this.#config.updateEvent,
      show: this.#config.show,
      tickers: () => this.#tickers(),
      isKnown: (update) => this.#isKnown(update),
      isBlank: () => this.#state.received === 0 && !this.#hasBaseline,
      onBaseline: (updates) => this.#takeBaseline(updates, true),
    });
  }

  /** @returns {readonly string[]} */
  #tickers() {
    return this.#configurations.current?.tickers ?? [];
  }

  /** @param {Update} update */
  #isKnown(update) {
    const known = lastKnown(this.#state.known, update);
    return known ? known.label === update.label && known.score === update.score : this.#history.knows(update);
  }

  /** Reads what the feed begins with. @param {AbortSignal} signal */
  async #readLatest(signal) {
    try {
      if (this.#configurations.chosen !== '' && !this.#configurations.current) await this.#loadConfigurations();
      const { items } = await this.#rest.get(`/items?limit=${EARLIER_MAX}${narrowed('&', this.#tickers())}`, signal);
      if (!signal.aborted) this.#dispatch({ type: 'latest', updates: updatesIn(items, this.#tickers(), this.#config.show) });
    } catch {
      // The feed begins with the next update.
    }
  }

  /** Reads the last hour, newest first, while nobody waits for it. @param {AbortSignal} signal */
  async #readHistory(signal) {
    try {
      if (this.#configurations.chosen !== '' && !this.#configurations.current) await this.#loadConfigurations();
      const get = (/** @type {string} */ path) => this.#rest.get(path, signal);
      let [pages, oldest] = [0, NaN];
      for await (const updates of itemPages(get, this.#tickers(), PAGES_MAX, signal, this.#config.show)) {
        if (signal.aborted) return;
        this.#takeBaseline(updates, false);
        [pages, oldest] = [pages + 1, Date.parse(updates.at(-1)?.timestamp ?? '')];
        if (oldest < this.#hourAgo()) return;
      }
      // More happened within the hour than is read item by item: the server has counted it.
      if (pages < PAGES_MAX || Number.isNaN(oldest)) return;
      const from = new Date(this.#hourAgo()).toISOString();
      const { points } = await get(`/history?step=1m&from=${from}${narrowed('&', this.#tickers())}`);
      if (signal.aborted) return;
      this.#history.fill(parsePoints(points, this.#config.labelKeys), oldest, this.#hourAgo() + HOUR_MS);
      this.#draw();
    } catch {
      // The page goes on with what the stream brings; a server that is not there is told of elsewhere.
    }
  }

  #hourAgo() {
    return Date.now() + this.#state.clockOffsetMs - HOUR_MS;
  }

  /** @param {Update[]} updates @param {boolean} isPolled whether hearing them again is a repetition */
  #takeBaseline(updates, isPolled) {
    this.#hasBaseline = true;
    const now = Date.now() + this.#state.clockOffsetMs;
    for (const update of updates) this.#history.take(update, now, false);
    this.#dispatch({ type: 'baseline', updates, heard: isPolled });
  }

  // Configurations

  #offerConfigurations() {
    this.#bar = new ConfigurationBar(document, this.#configurations, {
      choose: (id) => this.#choose(id),
      known: () => [...(this.#state.metrics?.byTag.keys() ?? [])],
      save: (id, values) => this.#save(id, values),
      remove: (configuration) => this.#remove(configuration),
    }, this.#config.authMode === 'session');
    if (this.#configurations.chosen !== '' && !this.#rest.hasSession) {
      // Somebody else's address, or a session that has ended.
      this.#configurations.choose('');
      this.#notice(DELETED);
    }
    addEventListener('hashchange', () => {
      if (!this.#configurations.isStale) return;
      this.#configurations.followAddress();
      this.#switched();
    });
    painted().then(() => this.#loadConfigurations());
  }

  #loadConfigurations() {
    this.#loading ??= this.#readConfigurations().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async #readConfigurations() {
    try {
      await this.#configurations.load();
      const { chosen, current } = this.#configurations;
      if (chosen !== '' && !current) this.#fallBack();
    } catch (error) {
      const { status = null } = /** @type {any} */ (error);
      if (status === 401) this.#isNobody();
    }
    this.#bar?.draw();
  }

  /** A session that is over; where there are no sessions, the bar is of no use. */
  #isNobody() {
    this.#rest.forget();
    if (this.#config.authMode !== 'session') {
      this.#bar?.hide();
      this.#bar = null;
    }
    if (this.#configurations.chosen !== '') this.#fallBack();
  }

  /** @param {string} id */
  #choose(id) {
    this.#dispatch({ type: 'notice_dismissed' });
    this.#configurations.choose(id);
    this.#switched();
  }

  /** Shows another stream, from its beginning. */
  #switched() {
    this.#history.clear();
    this.#view.clear();
    this.#dispatch({ type: 'switched' });
    // At once: the name of the one with the numbers of the other would be a lie, however short.
    this.#view.draw(this.#state, Date.now());
    this.#bar?.draw();
    this.#open();
  }

  /** @param {string | null} id @param {{name: string, tickers: string[]}} values */
  async #save(id, values) {
    if (id === null) {
      this.#choose((await this.#configurations.add(values)).config_id);
      return;
    }
    const before = String(this.#configurations.current?.tickers);
    await this.#configurations.edit(id, values);
    if (before !== String(values.tickers)) this.#switched();
    else this.#bar?.draw();
  }

  /** @param {import('./configurations.js').Configuration} configuration */
  async #remove({ config_id: id, name, tickers }) {
    try {
      await this.#configurations.remove(id);
    } catch (error) {
      this.#notice(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#choose('');
    this.#notice(`“${name}” is deleted.`, 'Undo', async () => {
      this.#dispatch({ type: 'notice_dismissed' });
      await this.#save(null, { name, tickers }).catch((error) => this.#notice(error.message));
    });
  }

  /** Back to everything, from a configuration that is not there any more. */
  #fallBack() {
    this.#configurations.drop(this.#configurations.chosen);
    this.#choose('');
    this.#notice(DELETED);
  }

  /** @param {string} text @param {string | null} [action] @param {() => void} [then] */
  #notice(text, action = null, then = () => {}) {
    this.#noticeAction = then;
    this.#dispatch({ type: 'noticed', text, action });
  }
}

try {
  new Page(readConfig(/** @type {any} */ (window).CONFIG)).start();
} catch (error) {
  showFailure(document, error instanceof Error ? error.message : String(error));
}
