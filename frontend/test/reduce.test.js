import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseEvent, TAGS_MAX, TEXT_MAX } from '../js/event.js';
import { FEED_MAX, INITIAL_STATE, LAST_MAX, reduce, tickerRows } from '../js/reduce.js';

const LABELS = ['positive', 'neutral', 'negative'];
const AT = 1_700_000_000_000;

/** What the stream would make of this event, arrived at `at`. */
function received(type, data, { labels = LABELS, at = AT } = {}) {
  const event = parseEvent(type, typeof data === 'string' ? data : JSON.stringify(data), labels);
  return event && { ...event, at };
}

function after(...actions) {
  return actions.reduce(reduce, INITIAL_STATE);
}

const update = (fields = {}) =>
  received('update', {
    item_id: 'news:1', ticker: 'AAPL', label: 'positive', score: 0.8, confidence: 0.9, source: 'wire',
    timestamp: '2026-11-23T10:00:00.000Z', ...fields,
  });
const heartbeat = (at = AT) => received('heartbeat', { connections: 3, uptime_seconds: 60, stream_id: 's' }, { at });
const metrics = (fields = {}, labels = LABELS) =>
  received('metrics', { total: 3, positive: 2, negative: 1, by_tag: { AAPL: 2, MSFT: 1 }, rate_last_hour: 1, rate_last_24h: 3, ...fields }, { labels });

test('any event but a refusal or an end makes the stream live', () => {
  for (const event of [heartbeat(), metrics(), update(), received('reset', { reason: 'expired' })]) {
    assert.deepEqual(after(event).connection, { phase: 'live', lastEventAt: AT, retryAt: null, detail: null });
  }
});

test('a planned end leaves the badge live', () => {
  const ended = after(heartbeat(), received('deadline', { reason: 'session', reconnect_ms: 900 }, { at: AT + 5 }));
  assert.equal(ended.connection.phase, 'live');
  assert.equal(ended.connection.lastEventAt, AT + 5);
});

test('an overloaded server refuses, says why and when to come again, until the next heartbeat', () => {
  const refused = after(received('overloaded', { detail: 'Full.', max_connections: 100, retry_after_ms: 4000 }));
  assert.deepEqual(refused.connection, { phase: 'refused', lastEventAt: AT, retryAt: AT + 4000, detail: 'Full.' });
  assert.equal(reduce(refused, heartbeat()).connection.phase, 'live');
});

test('trouble keeps the time of the last event and everything shown', () => {
  const before = after(heartbeat(), metrics(), update());
  const state = reduce(before, { type: 'connection', phase: 'reconnecting' });
  assert.deepEqual(state.connection, { phase: 'reconnecting', lastEventAt: AT, retryAt: null, detail: null });
  assert.equal(state.metrics, before.metrics);
  assert.equal(state.feed, before.feed);
});

test('an unknown action changes nothing at all', () => {
  const state = after(heartbeat());
  for (const type of ['future', '__proto__', 'constructor', 'toString', undefined]) {
    assert.equal(reduce(state, /** @type {any} */ ({ type, at: AT })), state);
  }
});

test('an unknown event type is not parsed', () => {
  for (const type of ['future', '__proto__', 'constructor', 'hasOwnProperty']) assert.equal(received(type, {}), null);
});

test('text that is no such event is dropped', () => {
  for (const json of ['', '{', 'null', '[]', '1', '"x"']) assert.equal(received('update', json), null);
  for (const fields of [{ ticker: undefined }, { ticker: 7 }, { ticker: '' }, { label: null }, { label: {} }]) assert.equal(update(fields), null);
  for (const total of [undefined, null, '3', -1]) assert.equal(metrics({ total }), null);
});

test('a missing score, confidence, source, id or time is null', () => {
  const bare = received('update', { ticker: 'A', label: 'done' });
  assert.deepEqual(bare, { type: 'update', itemId: null, ticker: 'A', label: 'done', score: null, confidence: null, source: null, timestamp: null, at: AT });
  const state = after(bare, bare);
  assert.equal(state.feed.length, 2, 'without an id nothing is a repetition');
});

test('a score that is no number is no score', () => {
  for (const score of ['0.5', null, true, [], {}]) assert.equal(update({ score }).score, null);
  assert.equal(received('update', '{"ticker":"A","label":"x","score":1e999}').score, null);
});

test('labels come from the config, and a label absent from the data counts zero', () => {
  const counted = metrics({ constructor: undefined, failed: 9 }, ['failed', 'constructor', 'positive']);
  assert.deepEqual([...counted.byLabel], [['failed', 9], ['constructor', 0], ['positive', 2]]);
});

test('a ticker called __proto__ is a ticker', () => {
  const event = received('metrics', '{"total":7,"by_tag":{"__proto__":4,"constructor":3}}');
  const state = after(event, update({ ticker: '__proto__' }), update({ ticker: 'hasOwnProperty', item_id: 'x' }));
  assert.deepEqual(tickerRows(state).map(({ ticker, count, last }) => [ticker, count, last?.label]), [
    ['__proto__', 4, 'positive'], ['constructor', 3, undefined], ['hasOwnProperty', 0, 'positive'],
  ]);
  assert.equal(/** @type {any} */ ({}).label, undefined);
});

test('tags whose count is no count are left out', () => {
  const { byTag } = metrics({ by_tag: { A: 1, B: '2', C: null, D: -1, E: 0 } });
  assert.deepEqual([...byTag], [['A', 1], ['E', 0]]);
  for (const by_tag of [null, [1], 'x', 3]) assert.equal(metrics({ by_tag }).byTag.size, 0);
});

test('only the largest tags are kept', () => {
  const by_tag = Object.fromEntries(Array.from({ length: TAGS_MAX + 10 }, (_, index) => [`T${index}`, index]));
  const { byTag } = metrics({ by_tag });
  assert.equal(byTag.size, TAGS_MAX);
  assert.equal(byTag.has('T9'), false);
  assert.equal(byTag.has('T10'), true);
});

test('long text is cut', () => {
  assert.equal(update({ source: 'x'.repeat(TEXT_MAX) }).source.length, TEXT_MAX);
  assert.equal(update({ source: 'x'.repeat(TEXT_MAX + 1) }).source, `${'x'.repeat(TEXT_MAX - 1)}…`);
});

test('markup stays the text it is', () => {
  const source = '<img src=x onerror=alert(1)>';
  assert.equal(after(update({ source })).feed[0].update.source, source);
});

test('rows are sorted by count, then by name, whatever the order of arrival', () => {
  const state = after(metrics({ by_tag: { B: 1, A: 1, C: 5 } }));
  assert.deepEqual(tickerRows(state).map(({ ticker }) => ticker), ['C', 'A', 'B']);
});

test('a ticker has no count before the first metrics', () => {
  assert.equal(tickerRows(after(update()))[0].count, null);
  assert.equal(tickerRows(after(update(), metrics({ by_tag: {} })))[0].count, 0);
});

test('the newest update comes first and is the last of its ticker', () => {
  const state = after(update({ item_id: 'a' }), update({ item_id: 'b', label: 'negative', timestamp: '2026-11-23T10:00:01.000Z' }));
  assert.deepEqual(state.feed.map((entry) => entry.update.itemId), ['b', 'a']);
  assert.equal(state.lastByTicker.get('AAPL').label, 'negative');
  assert.equal(state.received, 2);
});

test('a late row enters the feed but does not become the last of its ticker', () => {
  const state = after(update({ item_id: 'a' }), update({ item_id: 'late', label: 'negative', timestamp: '2026-11-23T09:59:59.999Z' }));
  assert.equal(state.feed[0].update.itemId, 'late');
  assert.equal(state.lastByTicker.get('AAPL').label, 'positive');
});

test('a repeated update shows once, another ticker of the same item is its own', () => {
  const state = after(update(), update(), update({ ticker: 'MSFT' }));
  assert.equal(state.feed.length, 2);
  assert.equal(state.received, 2);
});

test('an item analysed anew is a new update, marked as revised', () => {
  const state = after(update(), update({ label: 'neutral' }), update({ label: 'neutral', score: 0.1 }));
  assert.deepEqual(state.feed.map(({ revised }) => revised), [true, true, false]);
  assert.equal(state.lastByTicker.get('AAPL').score, 0.1);
});

test('ten thousand updates stay within the limits', () => {
  let state = INITIAL_STATE;
  for (let index = 0; index < 10_000; index += 1) state = reduce(state, update({ item_id: `n${index}`, ticker: `T${index % 3000}` }));
  assert.equal(state.feed.length, FEED_MAX);
  assert.equal(state.feed[0].update.itemId, 'n9999');
  assert.equal(state.feed.at(-1).update.itemId, `n${10_000 - FEED_MAX}`);
  assert.equal(new Set(state.feed.map(({ seq }) => seq)).size, FEED_MAX);
  assert.equal(state.lastByTicker.size, LAST_MAX);
  assert.equal(state.lastByTicker.has(`T${9_999 % 3000}`), true);
  assert.equal(state.received, 10_000);
});

test('a reset keeps what is known, marks the gap once and is dismissed by the reader', () => {
  const before = after(update());
  const state = [received('reset', { reason: 'expired' }), received('reset', { reason: 'unknown' })].reduce(reduce, before);
  assert.deepEqual(state.feed.map(({ kind }) => kind), ['gap', 'update']);
  assert.deepEqual(state.gap, { reason: 'unknown' });
  assert.equal(state.lastByTicker, before.lastByTicker);
  const dismissed = reduce(state, { type: 'gap_dismissed' });
  assert.equal(dismissed.gap, null);
  assert.equal(dismissed.feed, state.feed);
});

test('gaps count towards the limit of the feed', () => {
  let state = INITIAL_STATE;
  for (let index = 0; index < FEED_MAX; index += 1) {
    state = [update({ item_id: `n${index}` }), received('reset', {})].reduce(reduce, state);
  }
  assert.equal(state.feed.length, FEED_MAX);
});

test('a paused feed stands still while updates are counted, and catches up', () => {
  const paused = after(update(), { type: 'pause_toggled' }, update({ item_id: 'b' }));
  assert.equal(paused.paused.feed.length, 1);
  assert.equal(paused.received - paused.paused.received, 1);
  const resumed = reduce(paused, { type: 'pause_toggled' });
  assert.equal(resumed.paused, null);
  assert.equal(resumed.feed.length, 2);
});

test('no state is changed in place', () => {
  const freeze = (value) => {
    if (value && typeof value === 'object' && !Object.isFrozen(value)) Object.values(Object.freeze(value)).forEach(freeze);
    return value;
  };
  const actions = [heartbeat(), metrics(), update(), update({ label: 'neutral' }), received('reset', {}), { type: 'pause_toggled' }, { type: 'gap_dismissed' },
    received('deadline', {}), received('overloaded', {}), { type: 'connection', phase: 'offline' }];
  const size = INITIAL_STATE.lastByTicker.size;
  actions.reduce((state, action) => freeze(reduce(state, freeze(action))), INITIAL_STATE);
  assert.equal(INITIAL_STATE.lastByTicker.size, size);
});
