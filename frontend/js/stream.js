/**
 * Keeps one EventSource open and reports what arrives. The only file that knows EventSource; it keeps no page state.
 *
 * A browser reconnects by itself, with `Last-Event-ID`, after a network error or a planned end. It gives up for good after
 * any status but 200, and it cannot tell a silent connection from a dead one: those two cases are handled here.
 */

import { eventNames, parseEvent } from './event.js';

/** Silence after which a connection counts as dead: this many heartbeats, but not less than the floor. */
const SILENT_HEARTBEATS = 3;
const SILENCE_MIN_MS = 10_000;
const WATCHDOG_INTERVAL_MS = 1_000;
/** First and longest wait before a stream that the server refused is opened again. */
const BACKOFF_BASE_MS = 2_000;
const BACKOFF_MAX_MS = 60_000;
/** Time that a reconnect after a planned end may take, beyond what the server announced, before it is called trouble. */
const HANDOVER_GRACE_MS = 5_000;
/** Longest wait that a server may ask for. */
const RETRY_AFTER_MAX_MS = 600_000;

const STATUS_DETAIL = 'The server gave no stream: it may be full, or this page may not be allowed to read it.';

/**
 * @typedef {import('./reduce.js').Action} Action
 * @typedef {object} Environment what the browser provides, replaceable in tests
 * @property {typeof EventSource} EventSource
 * @property {() => number} now
 * @property {() => number} random
 * @property {() => boolean} online
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {(callback: () => void, ms: number) => any} setInterval
 * @property {(timer: any) => void} clearInterval
 * @property {import('./goodbye.js').Goodbye | null} goodbye where pages say goodbye
 */

/**
 * Returns the wait before reopening a refused stream: doubled each time, half of it random, so that pages do not return in step.
 * @param {number} attempt counted from 0
 * @param {number} random in 0..1
 */
export function backoffMs(attempt, random) {
  const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(attempt, 16));
  return Math.round(ceiling * (0.5 + random / 2));
}

/**
 * Returns the address that continues after `lastEventId`; a new EventSource cannot send the header itself.
 * @param {string} url
 * @param {string} lastEventId
 */
export function resumeUrl(url, lastEventId) {
  if (lastEventId === '') return url;
  return `${url}${url.includes('?') ? '&' : '?'}last_event_id=${encodeURIComponent(lastEventId)}`;
}

/** One client of the stream, from `open` to `close`, across any number of connections. */
export class Stream {
  #url;
  #labels;
  #names;
  #silenceMs;
  #onAction;
  #env;
  /** @type {EventSource | null} */
  #source = null;
  #lastEventId = '';
  /** The stream that serves this client. */
  #streamId = '';
  #attempt = 0;
  #quietUntil = 0;
  /** The next `error` is the end that the server announced. */
  #endAnnounced = false;
  #reopenTimer = null;
  #graceTimer = null;
  #watchdog = null;

  /**
   * @param {string} url
   * @param {import('./read_config.js').Config} config
   * @param {(action: Action) => void} onAction
   * @param {Environment} env
   */
  constructor(url, config, onAction, env) {
    this.#url = url;
    this.#labels = config.labels;
    this.#names = eventNames(config.updateEvent);
    this.#silenceMs = Math.max(SILENCE_MIN_MS, SILENT_HEARTBEATS * config.heartbeatIntervalMs);
    this.#onAction = onAction;
    this.#env = env;
  }

  /** Connects, or drops the connection and connects anew after the last event seen. */
  open() {
    this.close();
    const source = new this.#env.EventSource(resumeUrl(this.#url, this.#lastEventId));
    this.#source = source;
    for (const [name, type] of this.#names) {
      source.addEventListener(name, (message) => this.#received(source, type, message));
    }
    source.addEventListener('error', () => this.#failed(source));
    this.#expectNewsWithin(0);
    this.#watchdog = this.#env.setInterval(() => this.#watch(), WATCHDOG_INTERVAL_MS);
  }

  /** Disconnects and stays so until `open`. The server cannot see that, so it is told. */
  close() {
    this.#env.goodbye?.say();
    this.#source?.close();
    this.#source = null;
    this.#endAnnounced = false;
    this.#env.clearTimeout(this.#reopenTimer);
    this.#env.clearTimeout(this.#graceTimer);
    this.#env.clearInterval(this.#watchdog);
  }

  /** Reports that the machine lost its network; the next event says otherwise. */
  wentOffline() {
    this.#onAction({ type: 'connection', phase: 'offline' });
  }

  /** @param {EventSource} source @param {string} type @param {MessageEvent<string>} message */
  #received(source, type, message) {
    if (source !== this.#source) return;
    if (message.lastEventId) this.#lastEventId = message.lastEventId;
    this.#env.clearTimeout(this.#graceTimer);
    const event = parseEvent(type, message.data, this.#labels);
    if (event?.type === 'heartbeat' && event.streamId) this.#serves(event.streamId);
    if (event?.type === 'deadline') this.#endComes(event.reconnectMs ?? 0, true);
    else if (event?.type === 'overloaded') this.#endComes(event.retryAfterMs ?? 0, false);
    else this.#streams();
    if (event) this.#onAction({ ...event, at: this.#env.now() });
  }

  #streams() {
    this.#attempt = 0;
    this.#endAnnounced = false;
    this.#expectNewsWithin(0);
  }

  /**
   * Another stream than before: the one before it has lost its reader, if it did not end as announced.
   * @param {string} streamId
   */
  #serves(streamId) {
    if (streamId === this.#streamId) return;
    if (this.#streamId !== '') this.#env.goodbye?.say();
    this.#streamId = streamId;
    this.#env.goodbye?.opened(streamId);
  }

  /** @param {number} waitMs @param {boolean} silently whether the reader need not hear of it while it goes as planned */
  #endComes(waitMs, silently) {
    const wait = Math.min(waitMs, RETRY_AFTER_MAX_MS);
    this.#endAnnounced = true;
    this.#env.goodbye?.ended();
    this.#expectNewsWithin(wait);
    if (!silently) return;
    this.#graceTimer = this.#env.setTimeout(() => this.#trouble(), wait + HANDOVER_GRACE_MS);
  }

  /** @param {EventSource} source */
  #failed(source) {
    if (source !== this.#source) return;
    if (source.readyState === this.#env.EventSource.CLOSED) {
      this.#reopenLater();
    } else if (this.#endAnnounced) {
      this.#endAnnounced = false;
    } else {
      this.#expectNewsWithin(0);
      this.#trouble();
    }
  }

  #reopenLater() {
    this.close();
    const wait = backoffMs(this.#attempt, this.#env.random());
    this.#attempt += 1;
    const retryAt = this.#env.now() + wait;
    const phase = this.#env.online() ? 'refused' : 'offline';
    const detail = phase === 'refused' ? STATUS_DETAIL : null;
    this.#onAction({ type: 'connection', phase, retryAt, detail });
    this.#reopenTimer = this.#env.setTimeout(() => this.open(), wait);
  }

  #trouble() {
    this.#onAction({ type: 'connection', phase: this.#env.online() ? 'reconnecting' : 'offline' });
  }

  /** @param {number} waitMs a pause the server asked for, on top of the silence that is allowed anyway */
  #expectNewsWithin(waitMs) {
    this.#quietUntil = this.#env.now() + waitMs + this.#silenceMs;
  }

  #watch() {
    if (this.#env.now() < this.#quietUntil) return;
    this.#trouble();
    this.open();
  }
}
