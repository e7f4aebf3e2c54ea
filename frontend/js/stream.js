/**
 * A stream of server-sent events that a page can keep for days: one client, across any number of connections.
 * This file is complete in itself: any page may copy it and use it, see docs/stream_js.md. It knows EventSource and nothing of
 * what the events mean, but for those that are about the stream itself: `heartbeat`, `reset`, `deadline`, `overloaded`,
 * `unavailable`.
 *
 * A browser's EventSource comes back by itself, with `Last-Event-ID`, after a network error or a planned end. It gives up for
 * good after any status but 200, waits for ever on a connection that is dead or held back, and knows nothing of sleep and of
 * hidden tabs. Those are handled here, and what is going on is told in one word at every moment.
 */

/** Silence after which a connection counts as dead: this many heartbeats, but not less than the floor. */
const SILENT_HEARTBEATS = 3;
const SILENCE_MIN_MS = 10_000;
/** Silence after which what is shown may be old: so many heartbeats, and a moment for the way. */
const BEHIND_HEARTBEATS = 1.5;
const BEHIND_GRACE_MS = 2_000;
/** Time to the first event of a connection. A server sends one at once, so somebody holds it back who takes longer. */
const FIRST_EVENT_MS = 10_000;
/** Age of a heartbeat on arrival from which on the way counts as one that holds events back. */
const LATE_MS = 3_000;
/** What a browser waits at most before it reconnects by itself, if it was not told (Firefox: 5 s). */
const NATIVE_RETRY_MS = 5_000;
/** Failures in a row after which this file takes over from the browser, and asks REST meanwhile. */
const FAILURES_MAX = 3;
/** First and longest wait before a new connection; the longest one, too, between two failing polls. */
const BACKOFF_BASE_MS = 2_000;
const BACKOFF_MAX_MS = 60_000;
const POLL_BACKOFF_MAX_MS = 15_000;
/** Longest time for one poll. */
const POLL_TIMEOUT_MS = 10_000;
/** Time that a reconnect after a planned end may take, beyond what the server announced, before it is called trouble. */
const HANDOVER_GRACE_MS = 5_000;
/** How long `resumed` is said. */
const RESUMED_MS = 4_000;
/** Longest wait that a server may ask for. */
const RETRY_AFTER_MAX_MS = 600_000;
const WATCH_INTERVAL_MS = 1_000;
/** A watch that comes so much too late has slept, with the machine. */
const SLEPT_MS = 10_000;
const HIDDEN_MS = 60_000;
const HEARTBEAT_MS = 15_000;
const POLL_MS = 5_000;

/** Always listened to, because they are about the stream itself. */
const OWN_EVENTS = ['heartbeat', 'reset', 'deadline', 'overloaded', 'unavailable'];
/** Ends after which the same address is not asked again as it was: the page has to do something first. */
const ENDS_WITH_ADDRESS = ['token_expired', 'configuration_deleted'];
/** Reasons of a server that answers. @type {readonly (Reason | null)[]} */
const REFUSALS = ['status', 'full', 'unavailable'];
const UNCONNECTED = ['connecting', 'polling', 'refused', 'offline', 'suspended'];

/**
 * What is going on:
 * - `connecting`: no connection, and one is being made (`reason`: null, `unreachable`, `silent`)
 * - `live`: connected, and nothing is missing
 * - `resumed`: as `live`, just after an interruption without loss
 * - `behind`: connected, and what is shown may be old (`silent`: no heartbeat came; `late`: heartbeats come too late)
 * - `polling`: no stream, REST is asked instead (`reason`: why)
 * - `refused`: the server answers and gives no stream (`status`: any status but 200; `full`, `unavailable`: it said so)
 * - `offline`: the machine has no network
 * - `suspended`: the page is hidden, or the stream was stopped, and nothing is open
 * @typedef {'connecting' | 'live' | 'resumed' | 'behind' | 'polling' | 'refused' | 'offline' | 'suspended'} Phase
 * @typedef {'unreachable' | 'silent' | 'late' | 'status' | 'full' | 'unavailable'} Reason
 *
 * @typedef {object} Status
 * @property {Phase} phase
 * @property {Reason | null} reason why it is not `live`
 * @property {number | null} retryAt when the stream is tried again, milliseconds since 1970
 * @property {number | null} latencyMs how long the last heartbeat took from the server, corrected for clocks that differ
 * @property {number | null} lastEventAt when anything came last, milliseconds since 1970
 *
 * @typedef {object} StreamEvent
 * @property {string} name
 * @property {string} data as it came
 * @property {string} id the position after it; empty where it has none
 * @property {number} at when it came, milliseconds since 1970
 * @property {'stream' | 'poll'} source
 *
 * @typedef {object} Options
 * @property {string | (() => string)} url of the stream; a function is asked at each opening, where tokens change
 * @property {readonly string[]} events names to listen for
 * @property {(event: StreamEvent) => void} onEvent
 * @property {(status: Status) => void} [onStatus] hears every change of phase, reason, time of the next try and latency
 * @property {number} [heartbeatMs] the announced time between heartbeats
 * @property {number} [segmentMs] length of the parts in which many share the stream, if they do: what comes may be so old
 * @property {(signal: AbortSignal) => Promise<{name: string, data: string}[]>} [poll] asks REST, while there is no stream
 * @property {number} [pollMs] time between two polls
 * @property {number} [hiddenMs] time for which a page may be hidden before its stream is closed until it shows again; 0: any
 * @property {string} [healthUrl] anything that the stream's server answers: tells a refusal from a server that is not there
 * @property {string} [cursor] position to continue from
 * @property {{opened: (id: string) => unknown, ended: () => void, say: () => void} | null} [goodbye] tells the server who left
 * @property {Partial<Environment>} [env] for tests
 *
 * @typedef {object} Environment what the browser provides
 * @property {typeof EventSource} EventSource
 * @property {() => number} now
 * @property {() => number} random
 * @property {() => boolean} online
 * @property {() => boolean} hidden
 * @property {(url: string, signal: AbortSignal) => Promise<unknown>} reach resolves if anybody answers
 * @property {(error: unknown) => void} report tells of what the page's own code has thrown
 * @property {(type: string, listener: (event: any) => void) => () => void} listen to the page; returns the way back
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {(callback: () => void, ms: number) => any} setInterval
 * @property {(timer: any) => void} clearInterval
 */

/** Returns what this browser provides. @returns {Environment} */
export function browser() {
  return {
    EventSource: globalThis.EventSource,
    now: () => Date.now(), // not performance.now(): it may stand still while the machine sleeps
    random: () => Math.random(),
    online: () => navigator.onLine,
    hidden: () => document.visibilityState === 'hidden',
    // Without CORS: whether there is an answer is all that is asked.
    reach: (url, signal) => fetch(url, { mode: 'no-cors', cache: 'no-store', credentials: 'omit', signal }),
    report: (error) => (globalThis.reportError ?? console.error)(error),
    listen: (type, listener) => {
      // `visibilitychange`, `freeze` and `resume` are the document's and do not all bubble to the window.
      const target = ['visibilitychange', 'freeze', 'resume'].includes(type) ? document : window;
      target.addEventListener(type, listener);
      return () => target.removeEventListener(type, listener);
    },
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (timer) => clearTimeout(timer),
    setInterval: (callback, ms) => setInterval(callback, ms),
    clearInterval: (timer) => clearInterval(timer),
  };
}

/**
 * Returns the wait before the next try: doubled each time, half of it random, so that pages do not return in step.
 * @param {number} failures in a row, from 1
 * @param {number} random in 0..1
 */
export function backoffMs(failures, random) {
  const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(Math.max(0, failures - 1), 16));
  return Math.round(ceiling * (0.5 + random / 2));
}

/**
 * Returns the address that continues after `cursor`; a new EventSource cannot send the header itself.
 * @param {string} url
 * @param {string} cursor
 */
export function resumeUrl(url, cursor) {
  if (cursor === '') return url;
  // One position: where streams are shared, an address is what all who ask with it get.
  url = url.replace(/([?&])last_event_id=[^&]*&?/, '$1').replace(/[?&]$/, '');
  return `${url}${url.includes('?') ? '&' : '?'}last_event_id=${encodeURIComponent(cursor)}`;
}

/**
 * How far the clock here is ahead of the server's, in bounds: a heartbeat was not stamped before its connection was asked for,
 * and did not come before it was stamped. Where the bounds allow it, both clocks are taken to be right; elsewhere a heartbeat is
 * rather taken to be slow than quick.
 */
export class Skew {
  #low = -Infinity;
  #high = Infinity;

  /**
   * Returns how long a heartbeat took.
   * @param {number | null} openedAt when its connection was asked for, if it is the first one of it and that is known
   * @param {number} stampedAt by the server's clock
   * @param {number} now
   */
  latencyMs(openedAt, stampedAt, now) {
    // Where the clock here was set back in between, when the connection was asked for says nothing.
    const low = openedAt === null || openedAt > now ? -Infinity : openedAt - stampedAt;
    const high = now - stampedAt;
    // One of the clocks was set.
    if (low > this.#high || high < this.#low) [this.#low, this.#high] = [-Infinity, Infinity];
    this.#low = Math.max(this.#low, low);
    this.#high = Math.min(this.#high, high);
    if (this.#low <= 0 && 0 <= this.#high) return high;
    return high - (this.#low === -Infinity ? this.#high : this.#low);
  }
}

/** One client of a stream, from `start` to `stop`. */
export class LiveStream {
  #options;
  #env;
  #cursor;
  /** @type {Status} */
  #status = { phase: 'connecting', reason: null, retryAt: null, latencyMs: null, lastEventAt: null };
  /** @type {EventSource | null} */
  #source = null;
  #running = false;
  #suspended = false;
  /** When the present connection was asked for; null where the browser did it by itself. @type {number | null} */
  #openedAt = null;
  /** The present connection has brought an event. */
  #proven = false;
  /** Something was interrupted since the last event. */
  #interrupted;
  /** The next `error` is the end that the server announced. */
  #endAnnounced = false;
  #failures = 0;
  #quietUntil = 0;
  #watchedAt = 0;
  /** The stream that serves this client. */
  #streamId = '';
  #skew = new Skew();
  /** Why there is no stream, for as long as there is none. @type {Reason | null} */
  #trouble = null;
  /** @type {Record<'reopen' | 'grace' | 'resumed' | 'hidden' | 'poll', any>} */
  #timers = { reopen: null, grace: null, resumed: null, hidden: null, poll: null };
  #watch = null;
  /** Polls are being made. */
  #polls = false;
  /** Polls that failed in a row. */
  #pollsFailed = 0;
  /** What is being asked for. @type {Set<AbortController>} */
  #asking = new Set();
  /** @type {(() => void)[]} */
  #listening = [];

  /** @param {Options} options */
  constructor(options) {
    this.#options = { segmentMs: 0, heartbeatMs: HEARTBEAT_MS, pollMs: POLL_MS, hiddenMs: HIDDEN_MS, goodbye: null, ...options };
    this.#env = { ...browser(), ...options.env };
    this.#cursor = options.cursor ?? '';
    this.#interrupted = this.#cursor !== '';
  }

  /** The position after the last event. */
  get cursor() {
    return this.#cursor;
  }

  /** @returns {Status} */
  get status() {
    return this.#status;
  }

  /** Opens the stream and keeps it open. Throws where its first address is none, or cannot be had, and has begun nothing then. */
  start() {
    if (this.#running) return;
    const source = this.#connect();
    this.#running = true;
    const on = (type, listener) => this.#listening.push(this.#env.listen(type, (event) => this.#running && listener(event)));
    on('offline', () => this.#wentOffline());
    on('online', () => this.#cameOnline());
    on('visibilitychange', () => this.#visibilityChanged());
    // A page in the back/forward cache or one that is frozen must not hold a connection; one that is gone cannot be told from it.
    on('pagehide', () => this.suspend());
    on('freeze', () => this.suspend());
    on('pageshow', (event) => event.persisted && this.wake());
    on('resume', () => this.wake());
    this.#watchedAt = this.#env.now();
    this.#watch = this.#env.setInterval(() => this.check(), WATCH_INTERVAL_MS);
    this.#visibilityChanged();
    this.#opened(source);
  }

  /** Closes everything until the next `start`. The server cannot see that, so it is told. */
  stop() {
    if (!this.#running) return;
    this.#running = false;
    this.#suspended = false;
    for (const forget of this.#listening.splice(0)) forget();
    this.#env.clearInterval(this.#watch);
    this.#closeAll();
    this.#interrupted = true;
    // Not told: whoever stops it knows.
    this.#status = Object.freeze({ ...this.#status, phase: 'suspended', reason: null, retryAt: null, latencyMs: null });
  }

  /** Tries at once, whatever it was waiting for. */
  retryNow() {
    if (!this.#running) return;
    this.#suspended = false;
    this.#failures = 0;
    this.#open();
  }

  /** Closes everything until `wake`: nobody looks. */
  suspend() {
    if (!this.#running || this.#suspended) return;
    this.#suspended = true;
    this.#closeAll();
    this.#interrupted = true;
    this.#say({ phase: 'suspended', reason: null, retryAt: null });
  }

  /** Opens again after `suspend`: somebody looks. */
  wake() {
    // Timers of hidden pages come once a minute: that is no sign of sleep.
    this.#watchedAt = this.#env.now();
    if (this.#suspended) this.retryNow();
    else this.check();
  }

  /** Looks whether the stream still lives. Called once a second by itself; timers of hidden pages come less often. */
  check() {
    const now = this.#env.now();
    const slept = now - this.#watchedAt - WATCH_INTERVAL_MS > SLEPT_MS && !this.#env.hidden();
    this.#watchedAt = now;
    if (!this.#running || this.#suspended || !this.#source) return;
    if (slept) {
      // The connection may be dead without knowing it, and the clocks may have drifted.
      this.#skew = new Skew();
      this.#interrupted = true;
      this.retryNow();
    } else if (now >= this.#quietUntil) {
      this.#fellSilent();
    } else if (this.#proven && !this.#endAnnounced && now - (this.#status.lastEventAt ?? now) > this.#behindMs()) {
      this.#say({ phase: this.#env.online() ? 'behind' : 'offline', reason: 'silent', retryAt: null });
    }
  }

  #behindMs() {
    return BEHIND_HEARTBEATS * this.#options.heartbeatMs + BEHIND_GRACE_MS;
  }

  #silenceMs() {
    return Math.max(SILENCE_MIN_MS, SILENT_HEARTBEATS * this.#options.heartbeatMs);
  }

  // Connections

  /** @param {boolean} [isPlanned] not worth a word while it goes as planned */
  #open(isPlanned) {
    this.#closeSource();
    let source;
    try {
      source = this.#connect();
    } catch (error) {
      // Whoever makes the address may be able to next time.
      this.#env.report(error);
      this.#interrupted = true;
      this.#failures += 1;
      return this.#tryLater('unreachable');
    }
    this.#opened(source, isPlanned);
  }

  #connect() {
    const { url } = this.#options;
    return new this.#env.EventSource(resumeUrl(typeof url === 'function' ? url() : url, this.#cursor));
  }

  /** @param {EventSource} source @param {boolean} [isPlanned] */
  #opened(source, isPlanned) {
    this.#source = source;
    this.#openedAt = this.#env.now();
    this.#expectWithin(FIRST_EVENT_MS);
    for (const name of new Set([...OWN_EVENTS, ...this.#options.events])) {
      source.addEventListener(name, (message) => this.#received(source, name, /** @type {MessageEvent<string>} */ (message)));
    }
    source.addEventListener('error', () => this.#broke(source));
    // REST goes on being asked until the stream has shown that it flows.
    if (this.#status.phase !== 'polling' && !isPlanned) this.#say({ ...this.#waiting(), retryAt: null });
  }

  #closeSource() {
    this.#options.goodbye?.say();
    this.#source?.close();
    this.#source = null;
    this.#proven = false;
    this.#endAnnounced = false;
    for (const timer of ['reopen', 'grace', 'resumed']) this.#clear(timer);
  }

  #closeAll() {
    this.#closeSource();
    this.#stopPolls();
    this.#clear('hidden');
  }

  /** @param {number} ms */
  #reopenIn(ms) {
    this.#closeSource();
    this.#timers.reopen = this.#env.setTimeout(() => this.#open(), ms);
  }

  // What arrives

  /** @param {EventSource} source @param {string} name @param {MessageEvent<string>} message */
  #received(source, name, message) {
    if (source !== this.#source) return;
    const now = this.#env.now();
    if (message.lastEventId) this.#cursor = message.lastEventId;
    this.#clear('grace');
    const data = OWN_EVENTS.includes(name) ? parse(message.data) : null;
    if (name === 'deadline') this.#endComes(data);
    else if (name === 'overloaded') this.#putOff('full', data);
    else if (name === 'unavailable') this.#putOff('unavailable', data);
    else this.#flows(name, data, now);
    this.#emit({ name, data: message.data, id: message.lastEventId, at: now, source: 'stream' });
  }

  /** @param {string} name @param {Record<string, any> | null} data @param {number} now */
  #flows(name, data, now) {
    const isFirst = !this.#proven;
    const latencyMs = name === 'heartbeat' ? this.#heartbeat(data, now) : this.#status.latencyMs;
    const isLate = name === 'heartbeat' && latencyMs !== null && latencyMs > LATE_MS + this.#options.segmentMs;
    this.#proven = true;
    this.#endAnnounced = false;
    this.#expectWithin(this.#silenceMs());
    if (isFirst && name === 'reset') this.#interrupted = false;
    if (isFirst && isLate) return this.#heldBack(latencyMs, now);
    // Of a connection that holds back, nothing but a heartbeat in time shows that it no longer does.
    if (this.#trouble === 'late' && (name !== 'heartbeat' || isLate)) return;
    this.#failures = 0;
    this.#trouble = null;
    if (this.#polls) this.#stopPolls();
    if (isLate) return this.#say({ phase: 'behind', reason: 'late', retryAt: null, latencyMs, lastEventAt: now });
    const isBack = this.#interrupted;
    this.#interrupted = false;
    if (isBack) {
      this.#clear('resumed');
      this.#timers.resumed = this.#env.setTimeout(() => this.#settled(), RESUMED_MS);
    }
    const stays = this.#status.phase === 'resumed' && this.#timers.resumed !== null;
    this.#say({ phase: isBack || stays ? 'resumed' : 'live', reason: null, retryAt: null, latencyMs, lastEventAt: now });
  }

  #settled() {
    this.#timers.resumed = null;
    if (this.#status.phase === 'resumed') this.#say({ phase: 'live', reason: null });
  }

  /** @param {Record<string, any> | null} data @param {number} now @returns {number | null} how long it took */
  #heartbeat(data, now) {
    const { stream_id: streamId, timestamp } = data ?? {};
    if (typeof streamId === 'string' && streamId !== '' && streamId !== this.#streamId) {
      // Another stream than before: the one before it has lost its reader, if it did not end as announced.
      if (this.#streamId !== '') this.#options.goodbye?.say();
      this.#streamId = streamId;
      this.#options.goodbye?.opened(streamId);
    }
    const stampedAt = typeof timestamp === 'string' ? Date.parse(timestamp) : NaN;
    if (Number.isNaN(stampedAt)) return null;
    // What is shared was perhaps begun before it was asked for here.
    const openedAt = this.#proven || this.#options.segmentMs > 0 ? null : this.#openedAt;
    return Math.round(this.#skew.latencyMs(openedAt, stampedAt, now));
  }

  /** The first heartbeat has lain about on its way: somebody collects what should flow. @param {number} latencyMs @param {number} now */
  #heldBack(latencyMs, now) {
    this.#failures += 1;
    this.#trouble = 'late';
    this.#interrupted = true;
    if (this.#status.phase !== 'polling') this.#say({ phase: 'behind', reason: 'late', retryAt: null, latencyMs, lastEventAt: now });
    this.#pollIfHopeless();
  }

  /** @param {Record<string, any> | null} data */
  #endComes(data) {
    const wait = milliseconds(data?.reconnect_ms);
    this.#options.goodbye?.ended();
    this.#streamId = '';
    if (ENDS_WITH_ADDRESS.includes(data?.reason)) {
      this.#interrupted = true;
      this.#reopenIn(wait);
      this.#say({ phase: 'connecting', reason: null, retryAt: this.#env.now() + wait });
      return;
    }
    if (this.#options.segmentMs > 0) {
      // By a new address, the same for all who had this segment: the browser would send its old one along.
      this.#closeSource();
      this.#timers.reopen = this.#env.setTimeout(() => this.#open(true), wait);
      return;
    }
    this.#endAnnounced = true;
    this.#expectWithin(wait + this.#silenceMs());
    // Not worth a word while it goes as planned.
    this.#timers.grace = this.#env.setTimeout(() => this.#overdue(), wait + HANDOVER_GRACE_MS);
  }

  #overdue() {
    this.#timers.grace = null;
    this.#interrupted = true;
    this.#troubled('unreachable', null);
  }

  /** The browser comes back by itself, when the server said. @param {Reason} reason @param {Record<string, any> | null} data */
  #putOff(reason, data) {
    const wait = milliseconds(data?.retry_after_ms);
    this.#endAnnounced = true;
    this.#interrupted = true;
    this.#failures += 1;
    this.#expectWithin(wait + this.#silenceMs());
    this.#troubled(reason, this.#env.now() + wait);
    this.#pollIfHopeless();
  }

  // What goes wrong

  /** @param {EventSource} source */
  #broke(source) {
    if (source !== this.#source) return;
    const wasAnnounced = this.#endAnnounced;
    const isFinal = source.readyState === this.#env.EventSource.CLOSED;
    this.#proven = false;
    this.#openedAt = null;
    this.#endAnnounced = false;
    if (isFinal) {
      void this.#gaveUp();
      return;
    }
    // The way is known to hold back what passes: not as often as the server likes.
    if (wasAnnounced && this.#trouble === 'late' && this.#failures >= FAILURES_MAX) return this.#tryLater('late');
    const pause = wasAnnounced ? Math.max(0, (this.#status.retryAt ?? 0) - this.#env.now()) : 0;
    this.#expectWithin(pause + NATIVE_RETRY_MS + FIRST_EVENT_MS);
    if (wasAnnounced) return;
    this.#clear('grace');
    this.#interrupted = true;
    this.#failures += 1;
    if (this.#failures < FAILURES_MAX) this.#troubled('unreachable', null);
    else this.#tryLater('unreachable');
  }

  /** The browser has given up: because of a status, or, in Firefox, because nobody answered a request of another origin. */
  async #gaveUp() {
    this.#closeSource();
    this.#interrupted = true;
    this.#failures += 1;
    const wasUnreachable = this.#trouble === 'unreachable';
    const { healthUrl } = this.#options;
    if (healthUrl === undefined) return this.#tryLater('status');
    if (this.#status.phase !== 'polling') this.#say({ ...this.#waiting(), retryAt: null });
    const answers = await this.#ask((signal) => this.#env.reach(healthUrl, signal)).then(() => true, () => false);
    if (!this.#running || this.#suspended || this.#source || this.#timers.reopen !== null) return;
    if (answers && wasUnreachable) {
      // It came up between the two requests, as far as anybody can tell; if it did refuse, it will again.
      this.#trouble = null;
      return this.#open();
    }
    this.#tryLater(answers ? 'status' : 'unreachable');
  }

  #fellSilent() {
    const wasProven = this.#proven;
    this.#interrupted = true;
    this.#failures += 1;
    if (!wasProven || this.#failures > 1) return this.#tryLater('silent');
    // It flowed, and then died on the way: nobody refused anything, so nothing is waited for.
    this.#trouble = 'silent';
    this.#open();
  }

  /** @param {Reason} reason */
  #tryLater(reason) {
    const wait = backoffMs(this.#failures, this.#env.random());
    this.#reopenIn(wait);
    this.#troubled(reason, this.#env.now() + wait);
    this.#pollIfHopeless();
  }

  /** @param {Reason} reason @param {number | null} retryAt */
  #troubled(reason, retryAt) {
    this.#trouble = reason;
    if (this.#status.phase === 'polling') this.#say({ reason, retryAt });
    else this.#say({ ...this.#waiting(), retryAt });
  }

  /** What is to be said while there is no stream. @returns {{phase: Phase, reason: Reason | null}} */
  #waiting() {
    const reason = this.#trouble;
    if (!this.#env.online()) return { phase: 'offline', reason: null };
    if (reason === 'late') return { phase: 'behind', reason };
    return { phase: REFUSALS.includes(reason) ? 'refused' : 'connecting', reason };
  }

  // REST instead

  #pollIfHopeless() {
    if (this.#failures < FAILURES_MAX || !this.#options.poll || this.#polls) return;
    this.#polls = true;
    this.#pollsFailed = 0;
    void this.#poll();
  }

  async #poll() {
    const { poll, pollMs } = this.#options;
    const found = await this.#ask(poll).catch(() => null);
    if (!this.#polls) return;
    if (found) this.#polled(found);
    else this.#pollFailed();
    const wait = Math.min(Math.max(POLL_BACKOFF_MAX_MS, pollMs), pollMs * 2 ** Math.min(this.#pollsFailed, 8));
    this.#timers.poll = this.#env.setTimeout(() => void this.#poll(), wait);
  }

  /** @param {{name: string, data: string}[]} found */
  #polled(found) {
    const at = this.#env.now();
    const isBack = this.#pollsFailed > 0 && this.#trouble === 'unreachable';
    this.#pollsFailed = 0;
    this.#say({ phase: 'polling', reason: this.#trouble, lastEventAt: at });
    for (const { name, data } of found) this.#emit({ name, data, id: '', at, source: 'poll' });
    // Nobody answered, and now somebody does: no reason to wait any longer.
    if (isBack && this.#timers.reopen !== null) this.#open();
  }

  #pollFailed() {
    this.#pollsFailed += 1;
    if (this.#status.phase === 'polling') this.#say(this.#waiting());
  }

  #stopPolls() {
    this.#polls = false;
    this.#clear('poll');
    for (const asking of this.#asking) asking.abort();
  }

  /** @template T @param {(signal: AbortSignal) => Promise<T>} request @returns {Promise<T>} */
  async #ask(request) {
    const asking = new AbortController();
    this.#asking.add(asking);
    const timer = this.#env.setTimeout(() => asking.abort(), POLL_TIMEOUT_MS);
    try {
      return await request(asking.signal);
    } finally {
      this.#env.clearTimeout(timer);
      this.#asking.delete(asking);
    }
  }

  // The machine and the page

  #wentOffline() {
    // Where the server is on this machine, the stream goes on: its next event says so.
    if (!this.#suspended) this.#say({ phase: 'offline', reason: null });
  }

  #cameOnline() {
    if (this.#suspended || ['live', 'resumed'].includes(this.#status.phase)) return;
    this.#interrupted = true;
    this.retryNow();
  }

  #visibilityChanged() {
    this.#clear('hidden');
    if (!this.#env.hidden()) {
      this.wake();
    } else if (this.#options.hiddenMs > 0) {
      this.#timers.hidden = this.#env.setTimeout(() => this.suspend(), this.#options.hiddenMs);
    }
  }

  // Small things

  /** @param {number} ms */
  #expectWithin(ms) {
    this.#quietUntil = this.#env.now() + ms;
  }

  /** @param {string} timer */
  #clear(timer) {
    this.#env.clearTimeout(this.#timers[timer]);
    this.#timers[timer] = null;
  }

  /** @param {Partial<Status>} change */
  #say(change) {
    const before = this.#status;
    // Where there is no connection there is no latency.
    const latency = UNCONNECTED.includes(change.phase ?? before.phase) ? { latencyMs: null } : {};
    this.#status = Object.freeze({ ...before, ...change, ...latency });
    if (change.phase !== undefined && change.phase !== 'resumed') this.#clear('resumed');
    const told = ['phase', 'reason', 'retryAt', 'latencyMs'];
    if (told.some((key) => before[key] !== this.#status[key])) this.#call(() => this.#options.onStatus?.(this.#status));
  }

  /** @param {StreamEvent} event */
  #emit(event) {
    this.#call(() => this.#options.onEvent(event));
  }

  /** What the page's own code throws is reported, and ends nothing here. @param {() => void} callback */
  #call(callback) {
    try {
      callback();
    } catch (error) {
      this.#env.report(error);
    }
  }
}

/** @param {string} text @returns {Record<string, any> | null} */
function parse(text) {
  try {
    const data = JSON.parse(text);
    return typeof data === 'object' && data !== null ? data : null;
  } catch {
    return null;
  }
}

/** @param {unknown} value */
function milliseconds(value) {
  return typeof value === 'number' && value >= 0 ? Math.min(value, RETRY_AFTER_MAX_MS) : 0;
}
