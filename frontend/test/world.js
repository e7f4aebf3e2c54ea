/**
 * A browser for tests, whose clock only moves when it is told to: timers, EventSources, page events.
 */

const CLOSED = 2;

export class World {
  began = 1_800_000_000_000;
  now = this.began;
  online = true;
  hidden = false;
  /** @type {FakeEventSource[]} */
  sources = [];
  timers = new Set();
  listeners = new Set();

  constructor() {
    const world = this;
    class FakeEventSource {
      static CLOSED = CLOSED;
      readyState = 0;
      listeners = new Map();

      constructor(url) {
        this.url = url;
        world.sources.push(this);
      }
      addEventListener(name, listener) {
        this.listeners.set(name, listener);
      }
      close() {
        this.readyState = CLOSED;
      }
      send(name, data = {}, lastEventId = '') {
        if (this.readyState !== CLOSED) this.listeners.get(name)?.({ data: JSON.stringify(data), lastEventId });
      }
      fail(readyState) {
        this.readyState = readyState;
        this.listeners.get('error')({});
      }
    }
    this.env = {
      EventSource: /** @type {any} */ (FakeEventSource),
      now: () => this.now,
      random: () => 1,
      online: () => this.online,
      hidden: () => this.hidden,
      reach: async () => undefined,
      listen: (type, listener) => {
        const entry = { type, listener };
        this.listeners.add(entry);
        return () => this.listeners.delete(entry);
      },
      setTimeout: (callback, ms) => this.#timer(callback, ms, 0),
      setInterval: (callback, ms) => this.#timer(callback, ms, ms),
      clearTimeout: (entry) => this.timers.delete(entry),
      clearInterval: (entry) => this.timers.delete(entry),
    };
  }

  #timer(callback, ms, every) {
    const entry = { callback, at: this.now + ms, every };
    this.timers.add(entry);
    return entry;
  }

  /** Lets time pass, and everything happen that is due. */
  pass(ms) {
    for (const end = this.now + ms; ;) {
      const next = [...this.timers].filter(({ at }) => at <= end).sort((left, right) => left.at - right.at)[0];
      this.now = Math.max(this.now, next ? next.at : end);
      if (!next) return;
      if (next.every) next.at += next.every;
      else this.timers.delete(next);
      next.callback();
    }
  }

  /** Lets time pass without anything happening: what was due comes late, once. */
  sleep(ms) {
    this.now += ms;
    for (const entry of this.timers) if (entry.every) entry.at = Math.max(entry.at, this.now);
  }

  /** Lets promises run. */
  settle() {
    return new Promise((resolve) => setImmediate(resolve));
  }

  fire(type, event = {}) {
    for (const entry of [...this.listeners]) if (entry.type === type) entry.listener(event);
  }

  source() {
    return this.sources.at(-1);
  }
}
