import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Goodbye } from '../js/goodbye.js';
import { backoffMs, LiveStream, resumeUrl, Skew } from '../js/stream.js';
import { World } from './world.js';

const URL_ = 'http://127.0.0.1:8081/api/v2/stream';
const CONNECTING = 0;
const CLOSED = 2;

/** A stream in a browser whose clock only moves when told to. */
function browser({ poll, health, goodbye = null, cursor, hiddenMs = 0, segmentMs = 0 } = {}) {
  const world = new World();
  world.events = [];
  world.statuses = [];
  world.stream = new LiveStream({
    url: () => `${URL_}${world.query ?? ''}`,
    events: ['metrics', 'order_update'],
    onEvent: (event) => world.events.push(event),
    onStatus: (status) => world.statuses.push(status),
    heartbeatMs: 15_000, pollMs: 5_000, segmentMs, hiddenMs, poll, goodbye, cursor,
    healthUrl: health === undefined ? undefined : '/health',
    env: { ...world.env, reach: async () => health() || Promise.reject(new Error('nobody there')) },
  });
  world.stream.start();
  /** The phases since the last look, each said once. */
  let last = '';
  world.phases = () => world.statuses.splice(0).map(({ phase }) => phase).filter((phase) => phase !== last && (last = phase));
  world.status = () => world.stream.status;
  world.heartbeat = (id = '', ageMs = 0, fields = {}) =>
    world.source().send('heartbeat', { timestamp: new Date(world.now - ageMs).toISOString(), ...fields }, id);
  return world;
}

test('events come as they are, the configured ones and those about the stream', () => {
  const world = browser();
  world.pass(500);
  world.heartbeat('evt_1');
  world.source().send('order_update', { ticker: 'A' }, 'evt_2');
  world.source().send('sentiment_update', { ticker: 'A' }, 'evt_3');
  assert.deepEqual(world.events.map(({ name, id, at, source }) => [name, id, at - world.began, source]), [
    ['heartbeat', 'evt_1', 500, 'stream'], ['order_update', 'evt_2', 500, 'stream'],
  ]);
  assert.equal(world.events[1].data, '{"ticker":"A"}');
  assert.equal(world.stream.cursor, 'evt_2');
});

test('a first connection goes live without a detour', () => {
  const world = browser();
  world.heartbeat('evt_1');
  assert.deepEqual(world.phases(), ['live']);
});

test('a network error is left to the browser, and the stream that continues says so for a moment', () => {
  const world = browser();
  world.heartbeat('evt_1');
  world.phases();
  world.source().fail(CONNECTING);
  assert.deepEqual([world.status().phase, world.status().reason], ['connecting', 'unreachable']);
  assert.equal(world.sources.length, 1);
  world.pass(3_000);
  world.heartbeat('evt_1');
  world.source().send('order_update', {}, 'evt_2');
  world.pass(3_999);
  assert.deepEqual(world.phases(), ['connecting', 'resumed']);
  world.pass(1);
  assert.deepEqual(world.phases(), ['live']);
  world.heartbeat('evt_2');
  assert.deepEqual(world.phases(), []);
});

test('a reset is no resumption', () => {
  const world = browser();
  world.heartbeat('evt_1');
  world.source().fail(CONNECTING);
  world.source().send('reset', { reason: 'expired' });
  world.heartbeat('evt_9');
  assert.deepEqual(world.phases(), ['live', 'connecting', 'live']);
});

test('three errors in a row, and the wait is ours: from the last event, longer each time', () => {
  const world = browser();
  world.heartbeat('evt_a-b');
  for (let error = 0; error < 3; error += 1) world.source().fail(CONNECTING);
  assert.equal(world.sources[0].readyState, CLOSED);
  assert.equal(world.status().retryAt - world.now, 8_000);
  world.pass(7_999);
  assert.equal(world.sources.length, 1);
  world.pass(1);
  assert.equal(world.source().url, `${URL_}?last_event_id=evt_a-b`);
});

test('a fatal status reads refused where somebody answers, and is tried again', async () => {
  let answers = true;
  const world = browser({ health: () => answers });
  world.heartbeat('evt_1');
  world.phases();
  world.source().fail(CLOSED);
  await world.settle();
  assert.deepEqual([world.status().phase, world.status().reason, world.status().retryAt - world.now], ['refused', 'status', 2_000]);
  world.pass(2_000);
  assert.equal(world.source().url, `${URL_}?last_event_id=evt_1`);
  answers = false;
  world.source().fail(CLOSED);
  await world.settle();
  assert.deepEqual([world.status().phase, world.status().reason], ['connecting', 'unreachable'], 'Firefox gives up on a server that is not there');
  world.pass(4_000);
  world.heartbeat('evt_1');
  world.pass(4_000);
  assert.deepEqual(world.phases(), ['connecting', 'refused', 'connecting', 'resumed', 'live']);
});

test('a server that comes up between a failure and the question whether it is there is asked at once', async () => {
  let answers = false;
  const world = browser({ health: () => answers });
  world.heartbeat('evt_1');
  world.source().fail(CLOSED);
  await world.settle();
  world.pass(2_000);
  answers = true;
  world.source().fail(CLOSED);
  await world.settle();
  assert.equal(world.sources.length, 3);
  assert.deepEqual(world.phases(), ['live', 'connecting']);
  // And one that does refuse is found out by the next answer.
  world.source().fail(CLOSED);
  await world.settle();
  assert.deepEqual([world.status().phase, world.sources.length], ['refused', 3]);
});

test('the wait doubles up to a minute and starts over once the stream flows', () => {
  const world = browser();
  const waits = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    world.source().fail(CLOSED);
    waits.push(world.status().retryAt - world.now);
    world.pass(waits.at(-1));
  }
  assert.deepEqual(waits, [2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000));
  world.heartbeat();
  world.source().fail(CLOSED);
  assert.equal(world.status().retryAt - world.now, 2000);
});

test('half of the wait is random', () => {
  assert.equal(backoffMs(1, 0), 1000);
  assert.equal(backoffMs(1, 1), 2000);
  assert.equal(backoffMs(100_000, 1), 60_000);
});

test('a planned end is silent when the browser comes back in time', () => {
  const world = browser();
  world.heartbeat('evt_1');
  world.phases();
  world.source().send('deadline', { reason: 'session', reconnect_ms: 900 });
  world.source().fail(CONNECTING);
  world.pass(1_000);
  world.heartbeat('evt_2');
  world.pass(14_000);
  assert.deepEqual(world.phases(), []);
  assert.equal(world.sources.length, 1);
});

test('a planned end is trouble when the server does not answer afterwards', () => {
  const hangs = browser();
  hangs.heartbeat();
  hangs.source().send('deadline', { reconnect_ms: 900 });
  hangs.source().fail(CONNECTING);
  hangs.pass(5_899);
  assert.deepEqual(hangs.phases(), ['live']);
  hangs.pass(1);
  assert.deepEqual(hangs.phases(), ['connecting']);

  const gone = browser();
  gone.heartbeat();
  gone.source().send('deadline', { reconnect_ms: 900 });
  gone.source().fail(CONNECTING);
  gone.source().fail(CONNECTING);
  assert.deepEqual(gone.phases(), ['live', 'connecting']);
});

test('a shared segment is followed by the next one under the address of all who had it, without a word', () => {
  const world = browser({ segmentMs: 110_000, cursor: 'evt_0' });
  assert.equal(world.source().url, `${URL_}?last_event_id=evt_0`);
  world.heartbeat('evt_1');
  world.pass(5_000);
  world.phases();
  world.source().send('deadline', { reason: 'session', reconnect_ms: 1_200 });
  assert.equal(world.sources[0].readyState, CLOSED);
  world.query = '?tickers=AAPL&last_event_id=evt_0';
  world.pass(1_200);
  assert.equal(world.source().url, `${URL_}?tickers=AAPL&last_event_id=evt_1`);
  world.heartbeat('evt_2');
  world.pass(14_000);
  assert.deepEqual([world.phases(), world.sources.length], [[], 2]);
});

test('what a segment had before it was joined is not late, and neither is one that comes whole', () => {
  const world = browser({ segmentMs: 110_000 });
  for (const ago of [108_000, 93_000, 78_000, 200]) {
    world.source().send('heartbeat', { timestamp: new Date(world.now - ago).toISOString() }, 'evt_1');
  }
  assert.deepEqual([world.phases(), world.status().reason], [['live'], null]);
  world.source().send('heartbeat', { timestamp: new Date(world.now - 120_000).toISOString() }, 'evt_1');
  assert.deepEqual(world.phases(), ['behind']);

  const alone = browser();
  alone.source().send('heartbeat', { timestamp: new Date(alone.now - 108_000).toISOString() }, 'evt_1');
  assert.equal(alone.status().reason, null, 'a first heartbeat from before the connection is a clock that is wrong');
});

test('an end that the page has to answer is not left to the browser, which would ask the old address', () => {
  const world = browser();
  world.heartbeat('evt_1');
  world.source().send('deadline', { reason: 'token_expired', reconnect_ms: 900 });
  assert.equal(world.sources[0].readyState, CLOSED);
  world.query = '?token=new';
  world.pass(900);
  assert.equal(world.source().url, `${URL_}?token=new&last_event_id=evt_1`);
});

test('a full server is asked again by the browser, when the server said', () => {
  const world = browser();
  world.source().send('overloaded', { detail: 'Full.', retry_after_ms: 60_000 });
  world.source().fail(CONNECTING);
  assert.deepEqual([world.status().phase, world.status().reason, world.status().retryAt - world.now], ['refused', 'full', 60_000]);
  world.pass(74_000);
  assert.equal(world.sources.length, 1);
  world.heartbeat();
  assert.equal(world.status().phase, 'resumed');
});

test('a server that cannot say who may come in is asked again by the browser, when the server said', () => {
  const world = browser();
  world.source().send('unavailable', { detail: 'Not now.', retry_after_ms: 7_000 });
  world.source().fail(CONNECTING);
  assert.deepEqual([world.status().phase, world.status().reason, world.status().retryAt - world.now], ['refused', 'unavailable', 7_000]);
  world.pass(20_000);
  assert.equal(world.sources.length, 1);
  world.heartbeat();
  assert.equal(world.status().phase, 'resumed');
});

test('silence of three heartbeats opens a new connection at once; before that what is shown may be behind', () => {
  const world = browser();
  world.pass(1_000);
  world.heartbeat('evt_9');
  world.pass(24_500);
  assert.deepEqual(world.phases(), ['live']);
  world.pass(1_000);
  assert.deepEqual([world.status().phase, world.status().reason], ['behind', 'silent']);
  world.pass(19_500);
  assert.equal(world.sources.length, 2);
  assert.equal(world.source().url, `${URL_}?last_event_id=evt_9`);
  assert.equal(world.sources[0].readyState, CLOSED);
  world.heartbeat('evt_9');
  assert.deepEqual(world.phases(), ['behind', 'connecting', 'resumed']);
});

test('a connection that brings no first event is given up soon, and later each time', () => {
  const world = browser();
  world.pass(10_000);
  assert.deepEqual([world.status().phase, world.status().reason, world.status().retryAt - world.now], ['connecting', 'silent', 2_000]);
  world.pass(2_000);
  assert.equal(world.sources.length, 2);
  world.pass(10_000);
  assert.equal(world.status().retryAt - world.now, 4_000);
});

test('a connection that was given up is not listened to', () => {
  const world = browser();
  const old = world.source();
  world.stream.retryNow();
  world.events.length = 0;
  old.send('heartbeat');
  old.fail(CLOSED);
  assert.deepEqual(world.events, []);
  assert.equal(world.sources.length, 2);
});

test('after three failures REST is asked, until the stream flows again', async () => {
  let polls = 0;
  const poll = async () => [{ name: 'metrics', data: `{"total":${(polls += 1)}}` }];
  const world = browser({ poll });
  world.heartbeat('evt_1');
  world.phases();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    world.source().fail(CLOSED);
    if (attempt < 2) world.pass(world.status().retryAt - world.now);
  }
  await world.settle();
  assert.deepEqual([world.status().phase, world.status().reason], ['polling', 'status']);
  assert.deepEqual(world.events.at(-1), { name: 'metrics', data: '{"total":1}', id: '', at: world.now, source: 'poll' });
  world.pass(5_000);
  await world.settle();
  assert.equal(polls, 2);
  world.pass(3_000); // the next try to get a stream
  assert.equal(world.status().phase, 'polling', 'nothing has flowed yet');
  world.heartbeat('evt_1');
  world.pass(60_000 - 15_000);
  await world.settle();
  assert.equal(polls, 2, 'no more polls');
  assert.equal(world.stream.cursor, 'evt_1', 'what was polled is no position');
  assert.deepEqual(world.phases().slice(0, 4), ['refused', 'polling', 'resumed', 'live']);
});

test('polling is said only while REST answers; and when somebody answers again the stream is tried at once', async () => {
  let answers = false;
  const world = browser({ poll: async () => (answers ? [] : Promise.reject(new Error('down'))) });
  world.heartbeat('evt_1');
  for (let error = 0; error < 3; error += 1) world.source().fail(CONNECTING);
  await world.settle();
  assert.deepEqual(world.phases(), ['live', 'connecting']);
  for (let second = 0; second < 7; second += 1) {
    world.pass(1_000);
    await world.settle();
  }
  world.pass(1_000);
  for (let error = 0; error < 3; error += 1) world.source().fail(CONNECTING);
  const sources = world.sources.length;
  const { retryAt } = world.status();
  answers = true;
  for (let second = 0; second < 15 && world.status().phase !== 'polling'; second += 1) {
    world.pass(1_000);
    await world.settle();
  }
  assert.deepEqual(world.phases(), ['polling']);
  assert.ok(world.now < retryAt, 'before its time');
  assert.equal(world.sources.length, sources + 1);
  answers = false;
  world.pass(5_000);
  await world.settle();
  assert.deepEqual(world.phases(), ['connecting']);
});

test('a way that holds back what should flow is behind, then polled, and taken again when it flows', async () => {
  let polls = 0;
  const world = browser({ poll: async () => [{ name: 'metrics', data: String((polls += 1)) }] });
  for (let session = 0; session < 3; session += 1) {
    world.pass(6_000);
    world.heartbeat(`evt_${session}`, 6_000);
    world.source().send('metrics', {}, `evt_${session}`);
    world.source().send('deadline', { reason: 'session', reconnect_ms: 500 });
    if (session === 0) assert.deepEqual([world.status().phase, world.status().reason, world.status().latencyMs], ['behind', 'late', 6_000]);
    world.source().fail(CONNECTING);
    await world.settle();
  }
  assert.equal(world.events.filter(({ name, source }) => name === 'metrics' && source === 'stream').length, 3, 'late is not lost');
  assert.deepEqual([world.status().phase, world.status().reason], ['polling', 'late']);
  assert.equal(world.source().readyState, CLOSED);
  world.pass(8_000);
  world.heartbeat('evt_3', 20);
  assert.equal(world.status().phase, 'resumed');
  // In between the server's own pause was over, and nothing came.
  assert.deepEqual(world.phases(), ['behind', 'connecting', 'behind', 'connecting', 'behind', 'polling', 'resumed']);
  await world.settle();
  const before = polls;
  world.pass(14_000);
  await world.settle();
  assert.equal(polls, before);
});

test('without a network it is offline, and tried at once when there is one again', () => {
  const world = browser();
  world.heartbeat('evt_1');
  world.phases();
  world.online = false;
  world.fire('offline');
  assert.equal(world.status().phase, 'offline');
  world.source().fail(CONNECTING);
  assert.equal(world.status().phase, 'offline');
  world.online = true;
  world.fire('online');
  assert.equal(world.sources.length, 2);
  assert.equal(world.source().url, `${URL_}?last_event_id=evt_1`);
  world.heartbeat('evt_1');
  assert.deepEqual(world.phases(), ['offline', 'connecting', 'resumed']);
});

test('a stream on this machine flows without a network', () => {
  const world = browser();
  world.heartbeat();
  world.online = false;
  world.fire('offline');
  world.heartbeat();
  assert.deepEqual(world.phases(), ['live', 'offline', 'live']);
  world.online = true;
  world.fire('online');
  assert.equal(world.sources.length, 1);
});

test('a machine that slept opens a new connection, a hidden page that was throttled does not', () => {
  const world = browser();
  world.heartbeat('evt_1');
  world.hidden = true;
  world.fire('visibilitychange');
  world.sleep(20_000);
  world.pass(1_000);
  assert.equal(world.sources.length, 1);
  world.sleep(10_000);
  world.hidden = false;
  world.fire('visibilitychange');
  world.pass(1_000);
  assert.equal(world.sources.length, 1);
  world.sleep(20_000);
  world.pass(1_000);
  assert.equal(world.sources.length, 2);
  assert.equal(world.source().url, `${URL_}?last_event_id=evt_1`);
});

test('a page hidden for a minute holds no connection, and continues when it shows again', () => {
  const world = browser({ hiddenMs: 60_000 });
  world.heartbeat('evt_1');
  world.hidden = true;
  world.fire('visibilitychange');
  for (let heartbeat = 0; heartbeat < 3; heartbeat += 1) {
    world.pass(15_000);
    world.heartbeat('evt_2');
  }
  world.pass(14_999);
  assert.equal(world.status().phase, 'live');
  world.pass(1);
  assert.equal(world.status().phase, 'suspended');
  assert.equal(world.source().readyState, CLOSED);
  world.pass(600_000);
  assert.equal(world.sources.length, 1);
  world.hidden = false;
  world.fire('visibilitychange');
  assert.equal(world.source().url, `${URL_}?last_event_id=evt_2`);
  world.heartbeat('evt_2');
  assert.deepEqual(world.phases(), ['live', 'suspended', 'connecting', 'resumed']);
});

test('a page of the back/forward cache and a frozen one hold no connection', () => {
  for (const [away, back, event] of [['pagehide', 'pageshow', { persisted: true }], ['freeze', 'resume', {}]]) {
    const world = browser();
    world.heartbeat('evt_1');
    world.fire(away);
    assert.equal(world.source().readyState, CLOSED);
    world.fire(back, event);
    assert.equal(world.source().url, `${URL_}?last_event_id=evt_1`);
  }
});

test('stop leaves nothing running and nothing listening', async () => {
  const world = browser({ poll: () => new Promise(() => {}), hiddenMs: 1 });
  world.heartbeat('evt_1');
  world.source().send('deadline', { reconnect_ms: 900 });
  world.stream.stop();
  assert.equal(world.timers.size, 0);
  assert.equal(world.listeners.size, 0);
  world.stream.start();
  assert.equal(world.source().url, `${URL_}?last_event_id=evt_1`);
});

test('a resume keeps the query that is there', () => {
  assert.equal(resumeUrl('/s', ''), '/s');
  assert.equal(resumeUrl('/s?tickers=A', 'evt_1'), '/s?tickers=A&last_event_id=evt_1');
  assert.equal(resumeUrl('/s?last_event_id=evt_0', 'evt_1'), '/s?last_event_id=evt_1');
  assert.equal(resumeUrl('/s?last_event_id=evt_0&tickers=A', 'evt_1'), '/s?tickers=A&last_event_id=evt_1');
  assert.equal(resumeUrl('/s', 'a b&c'), '/s?last_event_id=a%20b%26c');
});

test('a stream that begins with a position resumes', () => {
  const world = browser({ cursor: 'evt_7' });
  assert.equal(world.source().url, `${URL_}?last_event_id=evt_7`);
  world.heartbeat('evt_7');
  assert.deepEqual(world.phases(), ['resumed']);
});

test('latency does not depend on clocks that agree', () => {
  for (const skew of [0, 3_600_000, -3_600_000]) {
    const latency = new Skew();
    const server = (now) => now - skew;
    // 400 ms from the request to the stamp, 100 ms back: the first one cannot be known better than so.
    const first = latency.latencyMs(1_000, server(1_400), 1_500);
    assert.ok(first >= 100 - 1e-9 && first <= 500, `${skew}: ${first}`);
    const second = latency.latencyMs(null, server(20_000), 20_130);
    assert.ok(second >= 30 - 1e-9 && second <= 530, `${skew}: ${second}`);
    const late = latency.latencyMs(null, server(40_000), 46_000);
    assert.ok(late >= 5_900 && late <= 6_400, `${skew}: ${late}`);
  }
  const stepped = new Skew();
  stepped.latencyMs(0, 0, 10);
  assert.equal(stepped.latencyMs(null, 100_000, 50_000), 0, 'a clock that was set begins anew');
  assert.ok(stepped.latencyMs(null, 110_000, 60_020) <= 20);
  const setBack = new Skew();
  setBack.latencyMs(5_000, 1_010, 1_020);
  assert.equal(setBack.latencyMs(null, 11_000, 19_000), 8_000, 'nor is anything taken off once it was set back between a request and its answer');
});

test('no connection, no latency', () => {
  const world = browser();
  world.pass(40);
  world.heartbeat('', 30);
  assert.equal(world.status().latencyMs, 30);
  world.source().fail(CONNECTING);
  assert.equal(world.status().latencyMs, null);
});

/** @returns {{said: string[], goodbye: Goodbye}} */
function farewell() {
  const said = [];
  const post = { beacon: (url, body) => said.push(`${url} ${body}`) > 0 };
  return { said, goodbye: new Goodbye('/goodbye', 'beacon', /** @type {any} */ (post)) };
}

test('whoever closes says goodbye, once', () => {
  const { said, goodbye } = farewell();
  const world = browser({ goodbye });
  world.heartbeat('evt_1', 0, { stream_id: 'a1' });
  world.heartbeat('evt_2', 0, { stream_id: 'a1' });
  world.fire('pagehide');
  world.stream.stop();
  assert.deepEqual(said, ['/goodbye {"stream_id":"a1"}']);
  world.stream.start();
  world.heartbeat('evt_2', 0, { stream_id: 'b2' });
  world.stream.stop();
  assert.deepEqual(said.slice(1), ['/goodbye {"stream_id":"b2"}']);
});

test('a stream that ended as announced needs no goodbye, one that broke off does', () => {
  const { said, goodbye } = farewell();
  const world = browser({ goodbye });
  world.heartbeat('', 0, { stream_id: 'a1' });
  world.source().send('deadline', { reason: 'session', reconnect_ms: 900 });
  world.source().fail(CONNECTING);
  world.heartbeat('', 0, { stream_id: 'b2' });
  assert.deepEqual(said, []);
  // The network broke: the browser reconnects by itself, and what it left runs on.
  world.source().fail(CONNECTING);
  world.heartbeat('', 0, { stream_id: 'c3' });
  assert.deepEqual(said, ['/goodbye {"stream_id":"b2"}']);
});

test('silence that opens a new connection says goodbye to the old one', () => {
  const { said, goodbye } = farewell();
  const world = browser({ goodbye });
  world.heartbeat('', 0, { stream_id: 'a1' });
  world.pass(45_000);
  assert.equal(world.sources.length, 2);
  assert.deepEqual(said, ['/goodbye {"stream_id":"a1"}']);
});

/** A stream whose page throws what it is told to. @param {Record<string, any>} options */
function throwing(options) {
  const world = new World();
  const told = { reported: [], events: [], statuses: [] };
  const { EventSource } = world.env;
  class Strict extends EventSource {
    constructor(url) {
      if (!URL.canParse(url)) throw new SyntaxError(url);
      super(url);
    }
  }
  const stream = new LiveStream({
    url: URL_, events: ['metrics'], pollMs: 5_000, hiddenMs: 0,
    onEvent: (event) => told.events.push(event),
    onStatus: (status) => told.statuses.push(status.phase),
    ...options,
    env: { ...world.env, EventSource: /** @type {any} */ (Strict), report: (error) => told.reported.push(error.message) },
  });
  return { world, stream, told };
}

test('an address that cannot be had is asked for again', () => {
  let [calls, isAway] = [0, false];
  const url = () => {
    calls += 1;
    if (isAway) throw new Error('no token');
    return URL_;
  };
  const { world, stream, told } = throwing({ url });
  stream.start();
  world.source().send('metrics', {}, 'evt_1');
  isAway = true;
  world.source().fail(CLOSED);
  world.pass(60_000);
  assert.deepEqual([stream.status.phase, told.reported[0]], ['connecting', 'no token']);
  assert.ok(calls > 3, 'again and again');
  const before = world.sources.length;
  isAway = false;
  for (let second = 0; second < 60 && world.sources.length === before; second += 1) world.pass(1_000);
  assert.equal(world.sources.length, before + 1);
  world.source().send('metrics', {}, 'evt_2');
  assert.equal(stream.status.phase, 'resumed');
  assert.equal(stream.cursor, 'evt_2');
});

test('an address that is none begins nothing', () => {
  let address = 'http://[';
  const { world, stream, told } = throwing({ url: () => address });
  assert.throws(() => stream.start(), SyntaxError);
  assert.deepEqual([world.sources.length, world.timers.size, world.listeners.size, told.statuses], [0, 0, 0, []]);
  address = URL_;
  stream.start();
  assert.equal(world.sources.length, 1);
});

test('what the page throws ends neither the polls nor the stream, and loses no event', async () => {
  const { world, stream, told } = throwing({
    poll: async () => [{ name: 'metrics', data: '1' }, { name: 'metrics', data: '2' }],
    onEvent: ({ data }) => {
      told.events.push(data);
      if (data === '1') throw new Error('of an event');
    },
    onStatus: ({ phase }) => {
      told.statuses.push(phase);
      if (phase === 'live') throw new Error('of a status');
    },
  });
  stream.start();
  world.source().send('metrics', 3, 'evt_1');
  assert.deepEqual([told.events, told.reported], [['3'], ['of a status']]);
  for (let failure = 0; failure < 3; failure += 1) {
    world.source().fail(CLOSED);
    world.pass(60_000);
  }
  await world.settle();
  for (let poll = 0; poll < 3; poll += 1) {
    world.pass(5_000);
    await world.settle();
  }
  assert.ok(told.events.filter((data) => data === '2').length >= 3, told.events.join());
  assert.ok(told.reported.includes('of an event'));
});

test('a stream that was stopped does not say that it lives', () => {
  const world = browser();
  world.heartbeat('evt_1');
  world.statuses.splice(0);
  world.stream.stop();
  const { phase, reason, retryAt, latencyMs } = world.status();
  assert.deepEqual([phase, reason, retryAt, latencyMs, world.statuses.length], ['suspended', null, null, null, 0]);
  world.stream.start();
  assert.equal(world.status().phase, 'connecting');
});
