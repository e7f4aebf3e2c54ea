import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Goodbye } from '../js/goodbye.js';
import { backoffMs, resumeUrl, Stream } from '../js/stream.js';

const URL_ = 'http://127.0.0.1:8081/api/v2/stream';
const CONFIG = { streamUrl: URL_, environment: '', labels: ['done', 'failed'], updateEvent: 'order_update', heartbeatIntervalMs: 15_000 };
const [CONNECTING, CLOSED] = [0, 2];

/** A browser whose clock only moves when told to. */
function browser(saysGoodbye = false) {
  const world = { now: 0, online: true, said: [], sources: [], actions: [], timers: new Set() };
  class FakeEventSource {
    static CLOSED = CLOSED;
    readyState = CONNECTING;
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
      this.listeners.get(name)?.({ data: JSON.stringify(data), lastEventId });
    }
    fail(readyState) {
      this.readyState = readyState;
      this.listeners.get('error')({});
    }
  }
  const timer = (callback, ms, every) => {
    const entry = { callback, at: world.now + ms, every };
    world.timers.add(entry);
    return entry;
  };
  world.env = {
    EventSource: FakeEventSource,
    now: () => world.now,
    random: () => 1,
    online: () => world.online,
    setTimeout: (callback, ms) => timer(callback, ms, 0),
    setInterval: (callback, ms) => timer(callback, ms, ms),
    clearTimeout: (entry) => world.timers.delete(entry),
    clearInterval: (entry) => world.timers.delete(entry),
    goodbye: null,
  };
  const post = { beacon: (url, body) => world.said.push(`${url} ${body}`) > 0 };
  if (saysGoodbye) world.env.goodbye = new Goodbye('/goodbye', 'beacon', /** @type {any} */ (post));
  world.pass = (ms) => {
    for (const end = world.now + ms; ;) {
      const next = [...world.timers].filter(({ at }) => at <= end).sort((left, right) => left.at - right.at)[0];
      world.now = next ? next.at : end;
      if (!next) return;
      if (next.every) next.at += next.every;
      else world.timers.delete(next);
      next.callback();
    }
  };
  world.source = () => world.sources.at(-1);
  world.phases = () => world.actions.splice(0).filter(({ type }) => type === 'connection').map(({ phase }) => phase);
  world.stream = new Stream(URL_, CONFIG, (action) => world.actions.push(action), /** @type {any} */ (world.env));
  world.stream.open();
  return world;
}

test('events carry their type and time of arrival, the configured update event included', () => {
  const world = browser();
  world.pass(500);
  world.source().send('heartbeat', { connections: 1 }, 'evt_1');
  world.source().send('order_update', { ticker: 'A', label: 'done' }, 'evt_2');
  world.source().send('sentiment_update', { ticker: 'A', label: 'done' }, 'evt_3');
  assert.deepEqual(world.actions.map(({ type, at }) => [type, at]), [['heartbeat', 500], ['update', 500]]);
});

test('a network error is left to the browser', () => {
  const world = browser();
  world.source().fail(CONNECTING);
  assert.deepEqual(world.phases(), ['reconnecting']);
  assert.equal(world.sources.length, 1);
});

test('without a network the same error reads offline', () => {
  const world = browser();
  world.online = false;
  world.source().fail(CONNECTING);
  assert.deepEqual(world.phases(), ['offline']);
});

test('a fatal status is tried again after a wait, from the last event seen', () => {
  const world = browser();
  world.source().send('heartbeat', {}, 'evt_a-b');
  world.source().send('deadline', {}, 'evt_a-b');
  world.source().fail(CLOSED);
  assert.deepEqual(world.actions.at(-1), { type: 'connection', phase: 'refused', retryAt: 2000, detail: 'The server gave no stream: it may be full, or this page may not be allowed to read it.' });
  world.pass(1999);
  assert.equal(world.sources.length, 1);
  world.pass(1);
  assert.equal(world.source().url, `${URL_}?last_event_id=evt_a-b`);
});

test('the wait doubles up to a minute and starts over once the stream flows', () => {
  const world = browser();
  const waits = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    world.source().fail(CLOSED);
    waits.push(world.actions.at(-1).retryAt - world.now);
    world.pass(waits.at(-1));
  }
  assert.deepEqual(waits, [2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000));
  world.source().send('heartbeat');
  world.source().fail(CLOSED);
  assert.equal(world.actions.at(-1).retryAt - world.now, 2000);
});

test('half of the wait is random', () => {
  assert.equal(backoffMs(0, 0), 1000);
  assert.equal(backoffMs(0, 1), 2000);
  assert.equal(backoffMs(100_000, 1), 60_000);
});

test('a planned end is silent when the browser comes back in time', () => {
  const world = browser();
  world.source().send('heartbeat');
  world.source().send('deadline', { reason: 'session', reconnect_ms: 900 });
  world.source().fail(CONNECTING);
  world.pass(1000);
  world.source().send('heartbeat');
  world.pass(14_000);
  assert.deepEqual(world.phases(), []);
  assert.equal(world.sources.length, 1);
});

test('a planned end is trouble when the server does not answer afterwards', () => {
  const hangs = browser();
  hangs.source().send('deadline', { reconnect_ms: 900 });
  hangs.source().fail(CONNECTING);
  hangs.pass(5899);
  assert.deepEqual(hangs.phases(), []);
  hangs.pass(1);
  assert.deepEqual(hangs.phases(), ['reconnecting']);

  const gone = browser();
  gone.source().send('deadline', { reconnect_ms: 900 });
  gone.source().fail(CONNECTING);
  gone.source().fail(CONNECTING);
  assert.deepEqual(gone.phases(), ['reconnecting']);
});

test('a full server is asked again by the browser, when the server said', () => {
  const world = browser();
  world.source().send('overloaded', { detail: 'Full.', retry_after_ms: 60_000 });
  world.source().fail(CONNECTING);
  world.pass(104_000);
  assert.deepEqual(world.phases(), []);
  assert.equal(world.sources.length, 1);
});

test('silence of three heartbeats opens a new connection, any event prevents it', () => {
  const world = browser();
  world.pass(30_000);
  world.source().send('heartbeat', {}, 'evt_9');
  world.pass(44_000);
  assert.equal(world.sources.length, 1);
  const old = world.source();
  world.pass(1_000);
  assert.deepEqual(world.phases(), ['reconnecting']);
  assert.equal(world.sources.length, 2);
  assert.equal(world.source().url, `${URL_}?last_event_id=evt_9`);
  assert.equal(old.readyState, CLOSED);
});

test('a connection that was given up is not listened to', () => {
  const world = browser();
  const old = world.source();
  world.stream.open();
  world.actions.length = 0;
  old.send('heartbeat');
  old.fail(CLOSED);
  assert.deepEqual(world.actions, []);
});

test('an event that cannot be read still shows that the stream is alive and where it is', () => {
  const world = browser();
  world.pass(40_000);
  world.source().send('metrics', { total: 'many' }, 'evt_5');
  world.pass(40_000);
  assert.equal(world.sources.length, 1);
  world.stream.open();
  assert.equal(world.source().url, `${URL_}?last_event_id=evt_5`);
});

test('close leaves nothing running', () => {
  const world = browser();
  world.source().send('deadline', { reconnect_ms: 900 });
  world.stream.close();
  assert.equal(world.timers.size, 0);
});

test('a resume keeps the query that is there', () => {
  assert.equal(resumeUrl('/s', ''), '/s');
  assert.equal(resumeUrl('/s?tickers=A', 'evt_1'), '/s?tickers=A&last_event_id=evt_1');
  assert.equal(resumeUrl('/s', 'a b&c'), '/s?last_event_id=a%20b%26c');
});

test('whoever closes says goodbye, once, and reconnects when the page comes back from the back/forward cache', () => {
  const world = browser(true);
  world.source().send('heartbeat', { stream_id: 'a1' }, 'evt_1');
  world.source().send('heartbeat', { stream_id: 'a1' }, 'evt_2');
  world.stream.close();
  world.stream.close();
  assert.deepEqual(world.said, ['/goodbye {"stream_id":"a1"}']);
  world.stream.open();
  assert.equal(world.source().url, `${URL_}?last_event_id=evt_2`);
  world.source().send('heartbeat', { stream_id: 'b2' });
  world.stream.close();
  assert.deepEqual(world.said.slice(1), ['/goodbye {"stream_id":"b2"}']);
});

test('a stream that ended as announced needs no goodbye, one that broke off does', () => {
  const world = browser(true);
  world.source().send('heartbeat', { stream_id: 'a1' });
  world.source().send('deadline', { reason: 'session', reconnect_ms: 900 });
  world.source().fail(CONNECTING);
  world.source().send('heartbeat', { stream_id: 'b2' });
  assert.deepEqual(world.said, []);
  // The network broke: the browser reconnects by itself, and what it left runs on.
  world.source().fail(CONNECTING);
  world.source().send('heartbeat', { stream_id: 'c3' });
  assert.deepEqual(world.said, ['/goodbye {"stream_id":"b2"}']);
});

test('silence that opens a new connection says goodbye to the old one', () => {
  const world = browser(true);
  world.source().send('heartbeat', { stream_id: 'a1' });
  world.pass(45_000);
  assert.equal(world.sources.length, 2);
  assert.deepEqual(world.said, ['/goodbye {"stream_id":"a1"}']);
});
