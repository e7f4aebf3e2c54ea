/**
 * One stream for all tabs of a browser. One tab leads: it holds a Web Lock and the stream, and passes on what arrives over a
 * BroadcastChannel. The others follow; when the leader is closed, crashes or freezes, one of them takes over from the position
 * it has reached, and nobody loses or repeats an event. Where there are no Web Locks each tab has a stream of its own.
 *
 * A lock ends with its tab, however that ends. A frozen tab keeps it, so whoever is looked at asks a leader that has gone quiet
 * whether it is still there, and takes the lock from one that does not answer.
 */

import { browser, LiveStream } from './stream.js';

/** How often a visible follower looks whether it has heard of its leader. */
const LOOK_INTERVAL_MS = 500;
/** Quiet time after which the leader is asked, and time it has to answer. Messages are not throttled in hidden tabs. */
const QUIET_MS = 1_000;
const ANSWER_MS = 1_500;
/** So that not all followers take the lock from each other. */
const STEAL_SPREAD_MS = 200;
/** Longest wait for what the last leader had still sent, and for what others know. */
const DRAIN_MS = 250;
/** Shortest time between two requests for a snapshot. */
const HELLO_MS = 250;
/** Time that hidden tabs have to say that one of them is not hidden. */
const WHO_MS = 500;
/** Events remembered, to know what was heard before a new leader begins. */
const HEARD_MAX = 512;
/** How long what was heard ahead of a new leader is kept from being told again. */
const AHEAD_MS = 30_000;
const HIDDEN_MS = 60_000;
/** Until an address that could not be had is asked for again. */
const RETRY_MS = 5_000;

/**
 * @typedef {import('./stream.js').StreamEvent} StreamEvent
 * @typedef {import('./stream.js').Status} Status
 * @typedef {'alone' | 'leader' | 'follower'} Role
 *
 * @typedef {object} Sharing what the browser provides
 * @property {LockManager | undefined} locks
 * @property {typeof BroadcastChannel | undefined} Channel
 * @property {() => string} id
 *
 * @typedef {object} SharedOptions
 * @property {string} key what is shared: tabs with the same key show the same stream
 * @property {() => unknown} snapshot what a new tab needs to show at once; anything that can be cloned
 * @property {(snapshot: any) => void} onSnapshot
 * @property {() => Promise<unknown>} [ready] what a stream of this tab's own waits for; what another tab tells is heard at once
 * @property {(status: Status & {role: Role}) => void} [onStatus]
 * @property {Partial<Sharing>} [sharing] for tests
 *
 * A leadership is a term; later ones have greater numbers. `n` counts the events of a term, so that nobody misses one unnoticed.
 * @typedef {{term: number, n: number}} Place
 */

/** @returns {Sharing} */
function browserSharing() {
  return {
    locks: globalThis.navigator?.locks,
    Channel: globalThis.BroadcastChannel,
    id: () => crypto.randomUUID(),
  };
}

export class SharedStream {
  #options;
  #sharing;
  #env;
  /** @type {Role} */
  #role = 'alone';
  #id = '';
  #running = false;
  /** Counts starts and stops: what was begun before the last of them has no say any more. */
  #life = 0;
  /** @type {LiveStream | null} */
  #stream = null;
  /** @type {Status} */
  #status = { phase: 'connecting', reason: null, retryAt: null, latencyMs: null, lastEventAt: null };
  #cursor = '';
  /** @type {BroadcastChannel | null} */
  #channel = null;
  /** Ends the leadership. @type {(() => void) | null} */
  #release = null;
  /** Ends the wait for the lock. @type {AbortController | null} */
  #queue = null;
  /** @type {Place} */
  #place = { term: 0, n: 0 };
  #isSynced = false;
  /** The last events of this term, oldest first. @type {string[]} */
  #heard = [];
  /** Events that this tab had before its new leader tells them. @type {Map<string, number>} */
  #ahead = new Map();
  #aheadUntil = 0;
  #heardAt = 0;
  #askedAt = 0;
  #helloAt = 0;
  #look = null;
  #hidden = null;
  /** Whether another tab said lately that it is looked at. */
  #isSeen = false;
  /** @type {(() => void)[]} */
  #listening = [];

  /** @param {SharedOptions & Omit<import('./stream.js').Options, 'onStatus'>} options */
  constructor({ sharing, ...options }) {
    this.#options = { hiddenMs: HIDDEN_MS, ...options };
    this.#sharing = { ...browserSharing(), ...sharing };
    this.#cursor = options.cursor ?? '';
    this.#env = { ...browser(), ...options.env };
  }

  /** Takes part: leads if nobody does. */
  start() {
    if (this.#running) return;
    this.#running = true;
    const { locks, Channel } = this.#sharing;
    if (!locks || !Channel) return this.#goAlone();
    const on = (type, listener) => this.#listening.push(this.#env.listen(type, listener));
    on('pagehide', () => this.#part());
    on('freeze', () => this.#part());
    on('pageshow', (event) => event.persisted && this.#join());
    on('resume', () => this.#join());
    on('visibilitychange', () => this.#visibilityChanged());
    this.#join();
  }

  /** Takes part no longer. */
  stop() {
    if (!this.#running) return;
    this.#running = false;
    for (const forget of this.#listening.splice(0)) forget();
    this.#part();
  }

  /** Tries at once, whatever the stream was waiting for. */
  retryNow() {
    if (this.#stream) this.#stream.retryNow();
    else this.#post({ type: 'retry' });
  }

  /** The position after the last event. */
  get cursor() {
    return this.#cursor;
  }

  #goAlone() {
    this.#role = 'alone';
    const { key, snapshot, onSnapshot, ready, ...options } = this.#options;
    this.#stream = new LiveStream({ ...options, cursor: this.#cursor, onStatus: (status) => this.#show(status) });
    this.#whenReady(this.#stream, () => {});
    this.#show(this.#stream.status);
  }

  // Taking part and leaving

  #join() {
    if (!this.#running || this.#channel) return;
    this.#life += 1;
    this.#id = this.#sharing.id();
    this.#role = 'follower';
    this.#channel = new this.#sharing.Channel(`sse:${this.#options.key}`);
    this.#channel.addEventListener('message', ({ data }) => this.#heardMessage(data));
    this.#heardAt = this.#env.now();
    this.#askedAt = 0;
    this.#helloAt = 0;
    this.#catchUp();
    this.#look = this.#env.setInterval(() => this.#lookForLeader(), LOOK_INTERVAL_MS);
    this.#wait(false);
    this.#show(this.#status);
  }

  #part() {
    if (this.#stream) this.#cursor = this.#stream.cursor;
    this.#stream?.stop();
    this.#stream = null;
    if (!this.#channel) return;
    this.#life += 1;
    this.#env.clearInterval(this.#look);
    this.#env.clearTimeout(this.#hidden);
    this.#queue?.abort();
    this.#release?.();
    this.#release = null;
    this.#channel.close();
    this.#channel = null;
  }

  /** Waits for the lock, or takes it from whoever has it. @param {boolean} steal */
  #wait(steal) {
    const life = this.#life;
    this.#queue?.abort();
    this.#queue = new AbortController();
    const options = steal ? { steal } : { signal: this.#queue.signal };
    const isMine = () => life === this.#life && this.#running;
    const began = this.#env.now();
    let granted = false;
    const held = this.#sharing.locks.request(`sse:${this.#options.key}`, options, () => {
      if (!isMine()) return undefined;
      granted = true;
      return new Promise((release) => {
        this.#release = () => release(undefined);
        // Whoever had to wait is not the first, and others may know more.
        void this.#lead(steal || this.#env.now() - began >= DRAIN_MS);
      });
    });
    held.catch((error) => {
      if (!isMine()) return;
      // The lock was taken: this tab was frozen, or was taken for it.
      if (granted) this.#stepDown();
      else if (error?.name !== 'AbortError') this.#shareNothing();
    });
  }

  /** There are locks, and this page may not have any: in a frame without an origin of its own, for one. */
  #shareNothing() {
    this.#part();
    this.#goAlone();
  }

  /** @param {boolean} othersMayKnow */
  async #lead(othersMayKnow) {
    const life = this.#life;
    await this.#drained();
    if (othersMayKnow && !this.#isSynced) {
      this.#post({ type: 'hello', isSeen: !this.#env.hidden(), anybody: true });
      await new Promise((resolve) => this.#env.setTimeout(() => resolve(undefined), DRAIN_MS));
    }
    if (life !== this.#life || !this.#release) return;
    const before = this.#place;
    this.#role = 'leader';
    this.#isSynced = true;
    this.#place = { term: Math.max(before.term + 1, this.#env.now()), n: 0 };
    this.#heard = [];
    this.#ahead.clear();
    this.#post({ type: 'lead', term: this.#place.term, before });
    const { key, snapshot, onSnapshot, ready, ...options } = this.#options;
    // Whether anybody looks is for all tabs together to say.
    const own = { hiddenMs: 0, cursor: this.#cursor };
    this.#stream = new LiveStream({
      ...options, ...own,
      onEvent: (event) => this.#tell(event),
      onStatus: (status) => this.#tellStatus(status),
    });
    this.#whenReady(this.#stream, () => this.#visibilityChanged());
    this.#tellStatus(this.#stream.status);
  }

  /** Opens a stream of this tab's own, which may have to wait for where it begins. @param {LiveStream} stream @param {() => void} then */
  #whenReady(stream, then) {
    const begin = () => {
      if (this.#stream !== stream) return;
      try {
        stream.start();
        then();
      } catch (error) {
        // Others wait for what it brings: whoever makes the address may be able to next time.
        this.#env.report(error);
        this.#env.setTimeout(begin, RETRY_MS);
      }
    };
    const { ready } = this.#options;
    if (ready) ready().then(begin);
    else begin();
  }

  /**
   * Waits until everything that the last leader sent has arrived: a message of one's own, on a second channel, comes after it,
   * as far as browsers keep the order of different tabs, which no standard promises. What comes later is not lost: the stream
   * begins at this tab's position, and terms and numbers tell the others apart.
   * @returns {Promise<void>}
   */
  #drained() {
    return new Promise((resolve) => {
      const marker = new this.#sharing.Channel(`sse:${this.#options.key}`);
      const done = () => {
        this.#env.clearTimeout(timer);
        marker.close();
        this.#onDrained = null;
        resolve();
      };
      const timer = this.#env.setTimeout(done, DRAIN_MS);
      this.#onDrained = done;
      marker.postMessage({ type: 'drained', to: this.#id });
    });
  }

  /** @type {(() => void) | null} */
  #onDrained = null;

  #stepDown() {
    this.#part();
    this.#join();
  }

  // The leader tells

  /** @param {StreamEvent} event */
  #tell(event) {
    if (!this.#stream) return;
    this.#cursor = this.#stream.cursor;
    this.#place = { term: this.#place.term, n: this.#place.n + 1 };
    this.#post({ type: 'event', ...this.#place, event });
    this.#options.onEvent(event);
  }

  /** @param {Status} status */
  #tellStatus(status) {
    this.#post({ type: 'status', term: this.#place.term, status });
    this.#show(status);
  }

  /** @param {Status} status */
  #show(status) {
    this.#status = status;
    this.#options.onStatus?.({ ...status, role: this.#role });
  }

  /** @param {string} to */
  #tellSnapshot(to) {
    const rest = { type: 'snapshot', to, ...this.#place, status: this.#status, cursor: this.#cursor };
    this.#post({ ...rest, snapshot: this.#options.snapshot() });
  }

  // What a tab hears

  /** @param {any} message */
  #heardMessage(message) {
    if (typeof message !== 'object' || message === null) return;
    switch (message.type) {
      case 'hello':
      case 'seen':
        // One that is to lead and knows nothing asks anybody.
        if (message.type === 'hello' && (this.#stream || (message.anybody && this.#isSynced))) this.#tellSnapshot(message.from);
        return this.#otherSeen(message.isSeen === true);
      case 'drained':
        return void (message.to === this.#id && this.#onDrained?.());
      case 'ping':
        // Its timers may be throttled; this is a moment to look after the stream too.
        this.#stream?.check();
        if (this.#stream) this.#post({ type: 'pong', term: this.#place.term, n: this.#place.n });
        return undefined;
      case 'retry':
        return this.#stream?.retryNow();
      case 'who':
        return void (!this.#env.hidden() && this.#post({ type: 'seen', isSeen: true }));
      default:
        return this.#heardLeader(message);
    }
  }

  /** @param {any} message */
  #heardLeader(message) {
    if (!(message.term >= this.#place.term)) return; // of a leader that was
    if (this.#release && message.term > this.#place.term && message.type === 'lead') return this.#stepDown();
    if (this.#role === 'leader') return;
    this.#heardAt = this.#env.now();
    this.#askedAt = 0;
    if (message.type === 'lead') return this.#followed(message);
    if (message.type === 'snapshot') return void (message.to === this.#id && this.#adopt(message));
    if (!this.#isSynced || message.term > this.#place.term) return this.#catchUp();
    if (message.type === 'event') this.#heardEvent(message);
    else if (message.type === 'status') this.#show(message.status);
    else if (message.type === 'pong' && message.n > this.#place.n) this.#catchUp();
  }

  /** @param {any} message */
  #adopt({ term, n, status, cursor, snapshot }) {
    if (this.#isSynced && term === this.#place.term) return; // the second answer to a question asked twice
    this.#place = { term, n };
    this.#isSynced = true;
    this.#cursor = cursor;
    this.#heard = [];
    this.#ahead.clear();
    this.#helloAt = 0;
    this.#options.onSnapshot(snapshot);
    this.#show(status);
  }

  /** Something was missed: what the leader shows has it. */
  #catchUp() {
    this.#isSynced = false;
    const now = this.#env.now();
    if (now - this.#helloAt < HELLO_MS) return;
    this.#helloAt = now;
    this.#post({ type: 'hello', isSeen: !this.#env.hidden() });
  }

  /** A new leader begins where it was; what this tab has had beyond that is not told again. @param {any} message */
  #followed({ term, before }) {
    const inStep = this.#isSynced && before.term === this.#place.term && before.n <= this.#place.n;
    if (!inStep) {
      this.#place = { term, n: 0 };
      this.#helloAt = 0;
      return this.#catchUp();
    }
    const more = this.#place.n - before.n;
    this.#ahead.clear();
    for (const one of more > 0 ? this.#heard.slice(-more) : []) this.#ahead.set(one, (this.#ahead.get(one) ?? 0) + 1);
    this.#aheadUntil = this.#env.now() + AHEAD_MS;
    this.#heard = [];
    this.#place = { term, n: 0 };
  }

  /** @param {{n: number, event: StreamEvent}} message */
  #heardEvent({ n, event }) {
    if (n !== this.#place.n + 1) return this.#catchUp();
    this.#place = { term: this.#place.term, n };
    if (event.id) this.#cursor = event.id;
    const one = `${event.name}\n${event.data}`;
    this.#heard.push(one);
    if (this.#heard.length > HEARD_MAX) this.#heard.shift();
    if (!this.#wasAhead(one)) this.#options.onEvent(event);
  }

  /** @param {string} one */
  #wasAhead(one) {
    if (this.#ahead.size === 0) return false;
    if (this.#env.now() > this.#aheadUntil) this.#ahead.clear();
    const left = this.#ahead.get(one);
    if (left === undefined) return false;
    if (left > 1) this.#ahead.set(one, left - 1);
    else this.#ahead.delete(one);
    return true;
  }

  /** @param {object} message */
  #post(message) {
    this.#channel?.postMessage({ ...message, from: this.#id });
  }

  // A leader that does not answer

  #lookForLeader() {
    if (this.#stream || this.#release) return;
    const now = this.#env.now();
    if (!this.#isSynced && now - this.#helloAt >= QUIET_MS) this.#catchUp();
    // A page that nobody looks at may be throttled itself, and has nothing to show.
    if (this.#env.hidden()) return;
    if (this.#askedAt === 0) {
      if (now - this.#heardAt < QUIET_MS) return;
      this.#askedAt = now;
      this.#post({ type: 'ping' });
    } else if (now - this.#askedAt >= ANSWER_MS) {
      this.#askedAt = now + STEAL_SPREAD_MS;
      const [life, heardAt] = [this.#life, this.#heardAt];
      this.#env.setTimeout(() => {
        if (life === this.#life && heardAt === this.#heardAt && !this.#release) this.#wait(true);
      }, this.#env.random() * STEAL_SPREAD_MS);
    }
  }

  // Whether anybody looks

  #visibilityChanged() {
    this.#env.clearTimeout(this.#hidden);
    const isSeen = !this.#env.hidden();
    this.#post({ type: 'seen', isSeen });
    if (!this.#stream) {
      // What happened meanwhile to timers says nothing of the leader.
      [this.#heardAt, this.#askedAt] = [this.#env.now(), 0];
    } else if (isSeen) {
      this.#stream.wake();
    } else {
      this.#suspendLater();
    }
  }

  /** @param {boolean} isSeen */
  #otherSeen(isSeen) {
    this.#isSeen ||= isSeen;
    if (!this.#stream) return;
    if (isSeen) this.#stream.wake();
    else if (this.#env.hidden()) this.#suspendLater();
  }

  /** Suspends the stream when this tab has been hidden for long and no other is looked at. */
  #suspendLater() {
    if (!(this.#options.hiddenMs > 0)) return;
    this.#env.clearTimeout(this.#hidden);
    this.#hidden = this.#env.setTimeout(() => {
      this.#isSeen = false;
      this.#post({ type: 'who' });
      this.#hidden = this.#env.setTimeout(() => {
        if (!this.#env.hidden()) return;
        if (this.#isSeen) this.#suspendLater();
        else this.#stream?.suspend();
      }, WHO_MS);
    }, this.#options.hiddenMs);
  }
}
