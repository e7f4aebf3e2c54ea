import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SharedStream } from '../js/share.js';
import { World } from './world.js';

const CLOSED = 2;

/** Web Locks and BroadcastChannels of one browser: messages arrive in the order in which they were sent. */
class Browser {
  now = 1_800_000_000_000;
  /** @type {Tab[]} */
  tabs = [];
  /** All EventSources of all tabs. */
  sources = [];
  held = null;
  queue = [];
  channels = new Set();
  #mail = [];
  /** Mail is on its way and does not arrive yet. */
  slow = false;

  async settle() {
    for (let turn = 0; turn < 20; turn += 1) {
      for (const deliver of this.slow ? [] : this.#mail.splice(0)) deliver();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Lets time pass in all tabs that run, in small steps. */
  async pass(ms) {
    for (let passed = 0; passed < ms; passed += 50) {
      this.now += 50;
      for (const tab of this.tabs) if (!tab.frozen) tab.world.pass(this.now - tab.world.now);
      await this.settle();
    }
  }

  post(from, data) {
    const text = structuredClone(data);
    for (const to of this.channels) {
      if (to === from || to.name !== from.name) continue;
      this.#mail.push(function deliver() {
        if (to.closed || to.tab.dead) return;
        if (to.tab.frozen) to.tab.waiting.push(deliver);
        else to.listener?.({ data: structuredClone(text) });
      });
    }
  }

  grant() {
    while (!this.held && this.queue.length > 0) {
      const next = this.queue.shift();
      if (!next.tab.dead) this.hold(next);
    }
  }

  hold(request) {
    this.held = request;
    const kept = request.callback();
    Promise.resolve(kept).then((value) => {
      if (this.held === request) this.held = null;
      request.resolve(value);
      this.grant();
    });
  }

  tab(options = {}) {
    const tab = new Tab(this, options);
    this.tabs.push(tab);
    return tab;
  }
}

class Tab {
  events = [];
  statuses = [];
  snapshots = [];
  frozen = false;
  dead = false;
  waiting = [];
  state = [];

  constructor(browser, { locks = true, key = 'k', hiddenMs = 60_000, refuse = '', url = '/s' } = {}) {
    const tab = this;
    this.browser = browser;
    this.world = new World();
    this.world.now = browser.now;
    class Channel {
      constructor(name) {
        Object.assign(this, { name, tab, closed: false });
        browser.channels.add(this);
      }
      addEventListener(_, listener) {
        this.listener = listener;
      }
      postMessage(data) {
        if (!tab.dead) browser.post(this, data);
      }
      close() {
        this.closed = true;
        browser.channels.delete(this);
      }
    }
    const request = (name, { signal, steal = false }, callback) => new Promise((resolve, reject) => {
      if (refuse) return reject(Object.assign(new Error(refuse), { name: refuse }));
      const entry = { tab, callback, resolve, reject };
      signal?.addEventListener('abort', () => {
        const index = browser.queue.indexOf(entry);
        if (index < 0) return;
        browser.queue.splice(index, 1);
        reject(Object.assign(new Error('aborted'), { name: 'AbortError' }));
      });
      if (steal) {
        const before = browser.held;
        browser.hold(entry);
        // A frozen tab hears of it when it runs again.
        const tell = () => before?.reject(Object.assign(new Error('stolen'), { name: 'AbortError' }));
        if (before?.tab.frozen) before.tab.waiting.push(tell);
        else tell();
      } else {
        browser.queue.push(entry);
        setImmediate(() => browser.grant());
      }
    });
    this.stream = new SharedStream({
      key, url, events: ['update'], hiddenMs,
      onEvent: (event) => {
        this.events.push(event);
        this.state.push(event.data);
      },
      onStatus: (status) => this.statuses.push(status),
      snapshot: () => this.state,
      onSnapshot: (state) => {
        this.snapshots.push(state);
        this.state = state;
      },
      env: { ...this.world.env, report: () => {} },
      sharing: { locks: locks ? /** @type {any} */ ({ request }) : undefined, Channel: /** @type {any} */ (Channel), id: () => `tab${Math.random()}` },
    });
    this.stream.start();
  }

  get status() {
    return this.statuses.at(-1);
  }

  /** The numbers of the updates that the tab shows. */
  get shows() {
    return this.state.map((data) => JSON.parse(data).n).filter((n) => n !== undefined);
  }

  /** The renderer dies: its lock is free, and nothing of it runs any more. */
  crash() {
    this.dead = true;
    this.frozen = true;
    for (const source of this.world.sources) source.readyState = CLOSED;
    const { browser } = this;
    browser.queue = browser.queue.filter(({ tab }) => tab !== this);
    if (browser.held?.tab === this) {
      browser.held = null;
      browser.grant();
    }
  }

  thaw() {
    this.frozen = false;
    this.world.pass(this.browser.now - this.world.now);
    for (const deliver of this.waiting.splice(0)) deliver();
  }
}

const open = (browser) => browser.tabs.flatMap(({ world }) => world.sources).filter(({ readyState }) => readyState !== CLOSED);

/** The one server: sends to every open stream what lies after its position. */
function send(browser, upto, from = 0) {
  for (const source of open(browser)) {
    source.had ??= Number(new URL(source.url, 'http://x').searchParams.get('last_event_id') ?? from);
    if (source.had === 0 && from > 0) source.had = from;
    source.send('heartbeat', {}, String(source.had));
    for (; source.had < upto; ) source.send('update', { n: source.had + 1 }, String((source.had += 1)));
  }
}

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

async function browserWith(tabs, options) {
  const browser = new Browser();
  for (let index = 0; index < tabs; index += 1) {
    browser.tab(options);
    await browser.settle();
  }
  send(browser, 0);
  await browser.settle();
  return browser;
}

test('ten tabs, one stream, and every tab hears every event once', async () => {
  const browser = await browserWith(10);
  assert.equal(open(browser).length, 1);
  assert.deepEqual(browser.tabs.map(({ status }) => status.role), ['leader', ...Array(9).fill('follower')]);
  send(browser, 5);
  await browser.settle();
  for (const tab of browser.tabs) {
    assert.deepEqual(tab.shows, range(1, 5));
    assert.equal(tab.status.phase, 'live');
  }
});

test('the first tab connects at once', async () => {
  const browser = new Browser();
  browser.tab();
  await browser.settle();
  assert.equal(open(browser).length, 1);
});

test('a new tab shows at once what the leader shows, and continues from there', async () => {
  const browser = await browserWith(2);
  send(browser, 4);
  await browser.settle();
  const late = browser.tab();
  await browser.settle();
  assert.deepEqual(late.shows, range(1, 4));
  assert.equal(late.snapshots.length, 1);
  assert.deepEqual([late.status.role, late.status.phase], ['follower', 'live']);
  send(browser, 6);
  await browser.settle();
  assert.deepEqual(late.shows, range(1, 6));
  assert.equal(late.events.filter(({ name }) => name === 'update').length, 2);
});

test('another tab takes over when the leader closes, from where it was', async () => {
  const browser = await browserWith(3);
  send(browser, 3);
  await browser.settle();
  browser.tabs[0].stream.stop();
  await browser.pass(100);
  assert.equal(open(browser).length, 1);
  assert.equal(open(browser)[0].url, '/s?last_event_id=3');
  assert.deepEqual(browser.tabs.slice(1).map(({ status }) => status.role), ['leader', 'follower']);
  send(browser, 7);
  await browser.settle();
  for (const tab of browser.tabs.slice(1)) assert.deepEqual(tab.shows, range(1, 7));
  assert.deepEqual(browser.tabs[0].shows, range(1, 3));
  assert.equal(browser.tabs[2].status.phase, 'resumed');
});

test('another tab takes over when the leader crashes in the middle of a message', async () => {
  const browser = await browserWith(4);
  send(browser, 3);
  await browser.settle();
  // The last events reached some of the others only.
  const [leader, second, third] = browser.tabs;
  const deaf = [...browser.channels].find(({ tab }) => tab === second);
  const listener = deaf.listener;
  deaf.listener = () => {};
  send(browser, 6);
  await browser.settle();
  deaf.listener = listener;
  leader.crash();
  await browser.pass(300);
  assert.equal(second.status.role, 'leader');
  assert.deepEqual([second.shows, third.shows], [range(1, 3), range(1, 6)]);
  send(browser, 8);
  await browser.settle();
  for (const tab of browser.tabs.slice(1)) assert.deepEqual(tab.shows, range(1, 8));
});

test('a new leader waits for what the old one had still sent', async () => {
  const browser = await browserWith(3);
  browser.slow = true;
  send(browser, 4);
  browser.tabs[0].crash();
  await browser.settle();
  assert.equal(open(browser).length, 0);
  browser.slow = false;
  await browser.settle();
  assert.equal(open(browser)[0].url, '/s?last_event_id=4');
  for (const tab of browser.tabs.slice(1)) assert.deepEqual(tab.shows, range(1, 4));
});

test('a tab that had less than a new leader takes over what that shows', async () => {
  const browser = await browserWith(3);
  const deaf = [...browser.channels].find(({ tab }) => tab === browser.tabs[2]);
  const listener = deaf.listener;
  deaf.listener = () => {};
  send(browser, 3);
  await browser.settle();
  deaf.listener = listener;
  browser.tabs[0].crash();
  await browser.pass(300);
  assert.deepEqual(browser.tabs[2].shows, range(1, 3));
  send(browser, 5);
  await browser.settle();
  for (const tab of browser.tabs.slice(1)) assert.deepEqual(tab.shows, range(1, 5));
});

test('a tab that missed something takes over what the leader shows', async () => {
  const browser = await browserWith(2);
  const deaf = [...browser.channels].find(({ tab }) => tab === browser.tabs[1]);
  const listener = deaf.listener;
  deaf.listener = () => {};
  send(browser, 3);
  await browser.settle();
  deaf.listener = listener;
  send(browser, 4);
  await browser.settle();
  assert.deepEqual(browser.tabs[1].shows, range(1, 4));
  send(browser, 5);
  await browser.settle();
  assert.deepEqual(browser.tabs[1].shows, range(1, 5));
});

test('a frozen leader is replaced within four seconds, and follows when it runs again', async () => {
  const browser = await browserWith(3);
  send(browser, 2);
  await browser.settle();
  const [frozen, ...others] = browser.tabs;
  frozen.frozen = true;
  await browser.pass(4_000);
  const streams = open(browser).filter((source) => !frozen.world.sources.includes(source));
  assert.equal(streams.length, 1);
  assert.deepEqual(others.map(({ status }) => status.role).sort(), ['follower', 'leader']);
  const old = frozen.world.source();
  old.had = 2;
  for (const source of streams) source.had = Number(source.url.split('=')[1]);
  old.readyState = CLOSED;
  send(browser, 5);
  await browser.pass(100);
  for (const tab of others) assert.deepEqual(tab.shows, range(1, 5));
  old.readyState = 1;
  // What had come in before it froze is the first thing that it does.
  old.send('update', { n: 3 }, '3');
  frozen.thaw();
  await browser.pass(500);
  assert.equal(open(browser).length, 1);
  assert.equal(frozen.status.role, 'follower');
  assert.deepEqual(frozen.shows, range(1, 5));
  send(browser, 6);
  await browser.settle();
  for (const tab of browser.tabs) assert.deepEqual(tab.shows, range(1, 6));
});

test('a quiet leader that answers stays', async () => {
  const browser = await browserWith(3);
  for (let second = 0; second < 40; second += 10) {
    await browser.pass(10_000);
    send(browser, 0);
    await browser.settle();
  }
  assert.deepEqual(browser.tabs.map(({ status }) => status.role), ['leader', 'follower', 'follower']);
  assert.equal(browser.tabs.flatMap(({ world }) => world.sources).length, 1);
});

test('while any tab is looked at the stream stays, and it is suspended when none is', async () => {
  const browser = await browserWith(2);
  const [leader, other] = browser.tabs;
  const show = (tab, isShown) => {
    tab.world.hidden = !isShown;
    tab.world.fire('visibilitychange');
  };
  const heartbeats = async (seconds) => {
    for (let second = 0; second < seconds; second += 10) {
      await browser.pass(10_000);
      send(browser, 0);
      await browser.settle();
    }
  };
  show(leader, false);
  await heartbeats(130);
  assert.equal(leader.status.phase, 'live');
  show(other, false);
  await heartbeats(130);
  assert.deepEqual([leader.status.phase, other.status.phase], ['suspended', 'suspended']);
  assert.equal(open(browser).length, 0);
  show(other, true);
  await browser.pass(100);
  assert.equal(open(browser).length, 1);
  assert.equal(leader.status.role, 'leader');
  send(browser, 0);
  await browser.settle();
  assert.equal(other.status.phase, 'resumed');
});

test('a page of the back/forward cache hands over, and follows when it comes back', async () => {
  const browser = await browserWith(2);
  send(browser, 2);
  await browser.settle();
  const [first, second] = browser.tabs;
  first.world.fire('pagehide');
  await browser.pass(100);
  assert.equal(second.status.role, 'leader');
  send(browser, 4);
  await browser.settle();
  first.world.fire('pageshow', { persisted: true });
  await browser.pass(300);
  assert.equal(first.status.role, 'follower');
  assert.deepEqual(first.shows, range(1, 4));
  assert.equal(open(browser).length, 1);
});

test('a tab that has to lead and knows nothing asks those who do', async () => {
  const browser = await browserWith(2);
  send(browser, 3);
  await browser.settle();
  const [leader, second] = browser.tabs;
  leader.frozen = true;
  const newcomer = browser.tab();
  second.world.hidden = true; // so that it is the newcomer who takes over
  await browser.pass(4_000);
  assert.equal(newcomer.status.role, 'leader');
  assert.deepEqual(newcomer.shows, range(1, 3));
  assert.equal(newcomer.world.source().url, '/s?last_event_id=3');
});

test('tabs with other keys share nothing', async () => {
  const browser = new Browser();
  browser.tab({ key: 'a' });
  await browser.settle();
  // One lock for each key; this browser knows one, so its owner is set aside.
  browser.held = null;
  browser.tab({ key: 'b' });
  await browser.settle();
  assert.equal(open(browser).length, 2);
});

test('without locks, or where they are refused, each tab has its own stream', async () => {
  for (const options of [{ locks: false }, { refuse: 'SecurityError' }]) {
    const browser = await browserWith(2, options);
    assert.equal(open(browser).length, 2);
    assert.deepEqual(browser.tabs.map(({ status }) => status.role), ['alone', 'alone']);
    send(browser, 2);
    for (const tab of browser.tabs) assert.deepEqual(tab.shows, [1, 2]);
  }
});

test('a leader whose address cannot be had yet asks for it again', async () => {
  const browser = new Browser();
  let calls = 0;
  browser.tab({ url: () => {
    calls += 1;
    if (calls === 1) throw new Error('no token');
    return '/s';
  } });
  await browser.pass(4_000);
  assert.equal(open(browser).length, 0);
  await browser.pass(2_000);
  assert.equal(open(browser).length, 1);
});

test('any tab can ask for another try at once', async () => {
  const browser = await browserWith(2);
  browser.tabs[1].stream.retryNow();
  await browser.settle();
  assert.equal(browser.tabs[0].world.sources.length, 2);
});

test('stop leaves nothing running', async () => {
  const browser = await browserWith(2);
  for (const tab of browser.tabs) tab.stream.stop();
  await browser.settle();
  for (const { world } of browser.tabs) assert.deepEqual([world.timers.size, world.listeners.size], [0, 0]);
  assert.equal(browser.channels.size, 0);
  assert.equal(open(browser).length, 0);
});
