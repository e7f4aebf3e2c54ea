/**
 * Wires config, stream, REST, reducer, history and view together. The only file that holds the current state.
 *
 * Scripts of this document can listen: for each update that it takes in, `window` gets a CustomEvent `live-update` whose `detail`
 * is the update (`itemId`, `ticker`, `label`, `score`, `confidence`, `source`, `timestamp`, `title`, `url`, `shown`). Repetitions do not
 * count. A page that shows this one in a frame has another `window`, and does not get it.
 */

import { address, goodbye, painted, restEnvironment, storage } from './browser.js';
import { ConfigurationBar } from './configuration_bar.js';
import { Configurations } from './configurations.js';
import { Counting } from './counting.js';
import { byId, setText } from './dom.js';
import { eventNames, parseEvent } from './event.js';
import { whole } from './format.js';
import { History } from './history.js';
import { Narrowing, TICKERS_MAX } from './narrowing.js';
import { narrowed, poller } from './poll.js';
import { rangeOf, rangesWithin } from './ranges.js';
import { readConfig } from './read_config.js';
import { INITIAL_STATE, lastKnown, reduce, shared, SIGN_IN } from './reduce.js';
import { Rest } from './rest.js';
import { SharedStream } from './share.js';
import { resumeUrl } from './stream.js';
import { View, showFailure } from './view.js';
import { TEXT, UNKNOWN_ZONE } from './words.js';

const TICK_INTERVAL_MS = 1_000;
/** A pause as long as this ends the stream. */
const PAUSE_MS = 60_000;

/** @typedef {import('./state.js').Action} Action */
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
  /** Whether what was there before has been read, from whatever place. */
  #hasBaseline = false;
  /** The stream begins at another place than the history, if there is one, and has brought nothing yet. */
  #joins = false;
  /** @type {Promise<void> | null} */
  #loading = null;
  #counting;
  #narrowing;
  #pausing = 0;
  /** Whether a pause has ended the stream. */
  #isPaused = false;
  /** What the button of the notice does. */
  #noticeAction = () => {};

  /** @param {import('./config.js').Config} config */
  constructor(config) {
    this.#config = config;
    this.#names = eventNames(config.updateEvent);
    this.#history = new History(config.labels, rangeOf(address.query('range'), rangesWithin(config)));
    const place = storage();
    this.#rest = new Rest(config, restEnvironment(place));
    this.#rest.onTime = (time) => this.#dispatch({ type: 'answered', timestamp: new Date(time).toISOString(), at: Date.now() });
    this.#configurations = new Configurations(this.#rest, place, address);
    this.#view = new View(document, config, this.#history, {
      dispatch: (action) => this.#dispatch(action),
      retryNow: () => this.#stream?.retryNow(),
      noticeAction: () => this.#noticeAction(),
      chooseRange: (range) => this.#chooseRange(range),
      isSaved: () => this.#configurations.chosen !== '',
      items: {
        get: (path) => this.#rest.get(path),
        narrowed: () => narrowed('&', this.#narrowing.tickers),
        now: () => this.#now(),
      },
    });
    this.#narrowing = new Narrowing({
      saved: () => this.#configurations.current?.tickers ?? null,
      typed: () => this.#state.filter,
      onChange: (isCut) => {
        this.#switched();
        if (isCut) this.#notice(TEXT.tickers.tooMany(whole(TICKERS_MAX)));
      },
    });
    this.#counting = new Counting(this.#history, {
      config,
      get: (path, signal) => this.#rest.get(path, signal),
      now: () => this.#now(),
      named: () => (this.#configurations.chosen !== '' && !this.#configurations.current ? this.#loadConfigurations() : Promise.resolve()),
      tickers: () => this.#narrowing.tickers,
      onCounted: () => this.#draw(),
      onLatest: (updates) => this.#dispatch({ type: 'latest', updates }),
      onBaseline: (updates) => this.#takeBaseline(updates, false),
    });
    if (config.hasTags) this.#restoreFilter();
  }

  start() {
    if (UNKNOWN_ZONE !== null) this.#notice(TEXT.config.unknownZone(UNKNOWN_ZONE));
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
    const list = byId(document, 'export');
    list.addEventListener('toggle', () => void this.#offerExport().catch((error) => setText(byId(document, 'export-status'), String(error))), { once: true });
    this.#open();
    painted().then(() => this.#view.loadChart());
  }

  async #offerExport() {
    const { offerExport } = await import('./export_links.js');
    offerExport(document, {
      link: (path) => this.#rest.link(path),
      page: (path, signal) => this.#rest.page(path, signal),
      shown: () => ({ range: this.#history.range, now: this.#now(), narrowed: narrowed('&', this.#narrowing.tickers) }),
    });
  }

  // State and drawing

  /** @param {Action} action */
  #dispatch(action) {
    this.#state = reduce(this.#state, action);
    if (action.type === 'filtered') this.#narrowing.typed();
    if (action.type === 'pause_toggled') this.#pauseToggled();
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
    this.#forgetPause();
    const signal = this.#counting.anew();
    this.#hasBaseline = false;
    const { streamUrl, streamBase, pollIntervalMs, heartbeatIntervalMs, segmentMs, updateEvent } = this.#config;
    const { chosen } = this.#configurations;
    const { range } = this.#history;
    const key = JSON.stringify([streamUrl, chosen, this.#narrowing.chosen, range.name]);
    // What many share begins where it does, with some of what REST has counted: that is read once more when it has come.
    this.#joins = segmentMs > 0 && (chosen === '' || this.#narrowing.isNarrowed);
    const isShared = this.#joins;
    let begin = '';
    // An EventSource that is refused gives up for good: asking REST first makes a user where one is needed.
    const counting = this.#counting.begin(signal).then((position) => {
      begin = position ?? '';
      if (!signal.aborted) this.#joins ||= position === null;
    });
    const stream = new SharedStream({
      ready: () => counting,
      key,
      snapshot: () => ({ state: shared(this.#state), history: this.#history.snapshot() }),
      onSnapshot: (snapshot) => isShown() && this.#restore(snapshot),
      // Where it has a position of its own, that one stands in its place.
      url: () => resumeUrl(this.#address(chosen), isShared ? '' : begin),
      healthUrl: `${streamBase}/health`,
      events: ['metrics', updateEvent],
      onEvent: (event) => isShown() && this.#received(event),
      onStatus: (status) => isShown() && this.#statusChanged(status, chosen),
      heartbeatMs: heartbeatIntervalMs,
      segmentMs: isShared ? segmentMs : 0,
      pollMs: pollIntervalMs,
      poll: this.#poller(),
      goodbye: goodbye(this.#config),
    });
    // What another stream has still to say is about other numbers.
    const isShown = () => this.#stream === stream;
    this.#stream = stream;
    stream.start();
    painted().then(() => {
      if (signal.aborted) return;
      this.#counting.readLatest(signal);
      this.#counting.readItems(signal);
    });
  }

  /** @param {string} chosen */
  #address(chosen) {
    // What everybody may have is asked for without a token.
    const { isNarrowed } = this.#narrowing;
    const all = `${this.#config.streamUrl}${isNarrowed ? narrowed('?', this.#narrowing.tickers) : ''}`;
    if (chosen === '' && !this.#rest.isPrivate) return all;
    const url = chosen === '' || isNarrowed ? all : `${this.#config.streamBase}/api/v2/configurations/${encodeURIComponent(chosen)}/stream`;
    const isForeign = new URL(url, location.href).origin !== location.origin;
    // The session's cookie does not get to another origin, and an EventSource sends no header.
    const { token } = this.#rest;
    return isForeign && token !== null ? `${url}${url.includes('?') ? '&' : '?'}token=${encodeURIComponent(token)}` : url;
  }

  /** @param {import('./stream.js').StreamEvent} event */
  #received({ name, data, at }) {
    const type = this.#names.get(name);
    const event = type === undefined ? null : parseEvent(type, data, this.#config.labels, this.#config.labelKeys, this.#config.show);
    if (!event) return;
    const before = this.#state.received;
    this.#dispatch({ ...event, at });
    if (event.type === 'update') {
      if (this.#history.take(event, at + this.#state.clockOffsetMs)) this.#counting.doubt();
      if (this.#state.received > before) window.dispatchEvent(new CustomEvent('live-update', { detail: event }));
    }
    if (event.type === 'metrics') {
      this.#counting.drift();
      this.#narrowing.know(event.byTag);
    }
    if (event.type === 'reset' || (event.type === 'metrics' && this.#joins)) {
      this.#joins = false;
      this.#counting.catchUp();
    }
    if (event.type === 'deadline' && event.reason === 'configuration_deleted') this.#fallBack();
  }

  /** @param {import('./state.js').Status} status @param {string} chosen */
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
    this.#counting.anew();
    this.#view.clear();
    this.#history.restore(history);
    this.#joins ||= !this.#history.isRead;
    this.#dispatch({ type: 'restored', shared: state });
  }

  // REST

  #poller() {
    return poller({
      get: (path, signal) => this.#rest.get(path, signal),
      updateEvent: this.#config.updateEvent,
      show: this.#config.show,
      tickers: () => this.#narrowing.tickers,
      isKnown: (update) => this.#isKnown(update),
      isBlank: () => this.#state.received === 0 && !this.#hasBaseline,
      onBaseline: (updates) => this.#takeBaseline(updates, true),
    });
  }

  /** @param {Update} update */
  #isKnown(update) {
    const known = lastKnown(this.#state.known, update);
    return known ? known.label === update.label && known.score === update.score : this.#history.knows(update);
  }

  // The range

  /** @param {import('./ranges.js').Range} range */
  #chooseRange(range) {
    if (range === this.#history.range) return;
    address.setQuery('range', range.name);
    this.#history.choose(range);
    this.#view.draw(this.#state, Date.now());
    this.#open();
  }

  // The pause

  #pauseToggled() {
    const hasEnded = this.#isPaused;
    this.#forgetPause();
    if (hasEnded && !this.#state.paused) this.#stream?.start(); // from the position at which it stopped
  }

  /** What the pause has ended, or would end, is another stream now; a feed that goes on standing still will end this one. */
  #forgetPause() {
    clearTimeout(this.#pausing);
    if (this.#isPaused && this.#state.notice?.text === TEXT.feed.paused) this.#dispatch({ type: 'notice_dismissed' });
    this.#isPaused = false;
    if (this.#state.paused) this.#pausing = setTimeout(() => this.#endStream(), PAUSE_MS);
  }

  /** A stream costs as long as it is open, whether anybody reads or not. */
  #endStream() {
    this.#isPaused = true;
    this.#stream?.stop();
    const { role: _role, detail: _detail, ...connection } = this.#state.connection;
    this.#dispatch({ type: 'status', status: { ...connection, phase: 'suspended', reason: null, retryAt: null, latencyMs: null } });
    this.#notice(TEXT.feed.paused, TEXT.feed.resume, () => this.#dispatch({ type: 'pause_toggled' }));
  }

  // The filter

  /** A browser keeps what was typed across a reload. */
  #restoreFilter() {
    const text = this.#view.filter;
    if (text === '') return;
    this.#state = reduce(this.#state, { type: 'filtered', text });
    this.#narrowing.restore(text);
  }

  // Items

  /** The server's clock. */
  #now() {
    return Date.now() + this.#state.clockOffsetMs;
  }

  /** @param {Update[]} updates @param {boolean} isPolled whether hearing them again is a repetition */
  #takeBaseline(updates, isPolled) {
    this.#hasBaseline = true;
    for (const update of updates) this.#history.note(update);
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
      this.#notice(TEXT.configurations.gone);
    }
    addEventListener('hashchange', () => {
      if (!this.#configurations.isStale) return;
      this.#configurations.followAddress();
      this.#narrowing.forget();
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
    this.#narrowing.forget();
    this.#switched();
  }

  /** Shows another stream, from its beginning. */
  #switched() {
    this.#history.clear();
    this.#view.clear();
    this.#dispatch({ type: 'switched' });
    this.#counting.settle();
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
    this.#notice(TEXT.configurations.deleted(name), TEXT.configurations.undo, async () => {
      this.#dispatch({ type: 'notice_dismissed' });
      await this.#save(null, { name, tickers }).catch((error) => this.#notice(error.message));
    });
  }

  /** Back to everything, from a configuration that is not there any more. */
  #fallBack() {
    this.#configurations.drop(this.#configurations.chosen);
    this.#choose('');
    this.#notice(TEXT.configurations.gone);
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
