import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseEvent, SOURCE_MAX, TAGS_MAX, TITLE_MAX } from '../js/event.js';
import { FEED_MAX, INITIAL_STATE, KNOWN_MAX, LAST_MAX, lastKnown, matcher, quoted, reduce, shared, tickerRows, tickersOf } from '../js/reduce.js';
import { phaseWord, troubleText } from '../js/trouble.js';

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

const status = (fields = {}) => ({
  type: 'status', status: { phase: 'live', reason: null, retryAt: null, latencyMs: 12, lastEventAt: AT, role: 'leader', ...fields },
});

test('the badge says what the stream says, whatever the events say', () => {
  const known = { phase: 'live', reason: null, retryAt: null, latencyMs: 12, lastEventAt: AT, role: 'leader', detail: null };
  assert.deepEqual(after(status()).connection, known);
  const polling = status({ phase: 'polling', reason: 'unreachable', retryAt: AT + 9 });
  for (const event of [heartbeat(AT + 1), metrics(), update(), received('deadline', { reason: 'session' }), received('overloaded', {})]) {
    const { connection } = after(polling, event);
    assert.deepEqual([connection.phase, connection.reason, connection.retryAt], ['polling', 'unreachable', AT + 9]);
  }
});

test('the last event is the latest one that anybody told of', () => {
  assert.equal(after(status(), heartbeat(AT + 5)).connection.lastEventAt, AT + 5);
  assert.equal(after(heartbeat(AT + 5), status()).connection.lastEventAt, AT + 5);
  assert.equal(after(status({ lastEventAt: null })).connection.lastEventAt, null);
});

test('what a full server said stays until it is not full any more', () => {
  const full = after(received('overloaded', { detail: 'Full.' }), status({ phase: 'refused', reason: 'full' }));
  assert.equal(full.connection.detail, 'Full.');
  assert.equal(reduce(full, status()).connection.detail, null);
});

test('a sign-in is asked for as long as the stream is refused', () => {
  const refused = after(status({ phase: 'refused', reason: 'status' }), { type: 'sign_in_needed' });
  assert.equal(phaseWord(refused.connection), 'Sign in');
  assert.match(troubleText(refused.connection, 5_000), /needs a sign-in/);
  const again = reduce(refused, status({ phase: 'refused', reason: 'status', retryAt: AT }));
  assert.match(troubleText(again.connection, 5_000), /needs a sign-in/);
  const live = reduce(again, status());
  assert.deepEqual([phaseWord(live.connection), troubleText(live.connection, 5_000)], ['Live', null]);
  assert.equal(reduce(live, { type: 'sign_in_needed' }), live);
});

test('what an unavailable server said is said', () => {
  const away = after(status({ phase: 'refused', reason: 'unavailable' }), received('unavailable', { detail: 'Not now.' }));
  assert.equal(troubleText(away.connection, 5_000), 'Not now.');
  assert.equal(reduce(away, status()).connection.detail, null);
});

test('a status without a role keeps the one that was', () => {
  const { role: _role, ...alone } = status().status;
  assert.equal(after(status(), { type: 'status', status: alone }).connection.role, 'leader');
});

test('trouble keeps everything shown', () => {
  const before = after(heartbeat(), metrics(), update());
  const state = reduce(before, status({ phase: 'offline' }));
  assert.equal(state.metrics, before.metrics);
  assert.equal(state.feed, before.feed);
});

test('a clock that is far off is reckoned with, a little is the way', () => {
  const stamped = (ms) => after(received('heartbeat', { timestamp: new Date(AT + ms).toISOString() })).clockOffsetMs;
  assert.deepEqual([stamped(-29_000), stamped(600_000), stamped(-600_000)], [0, 600_000, -600_000]);
  assert.equal(after(received('heartbeat', { timestamp: 'soon' })).clockOffsetMs, 0);
  assert.equal(after(heartbeat()).clockOffsetMs, 0);
});

test('without a heartbeat an answer of REST tells the time', () => {
  const answered = (ms) => ({ type: 'answered', timestamp: new Date(AT + ms).toISOString(), at: AT });
  assert.deepEqual([-29_000, 600_000, -600_000].map((ms) => after(answered(ms)).clockOffsetMs), [0, 600_000, -600_000]);
  assert.equal(after(heartbeat(), answered(600_000)).clockOffsetMs, 0);
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
  assert.deepEqual(bare, { type: 'update', itemId: null, ticker: 'A', label: 'done', score: null, confidence: null, source: null, timestamp: null, title: null, url: null, shown: [], at: AT });
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
  assert.equal(update({ source: 'x'.repeat(SOURCE_MAX) }).source.length, SOURCE_MAX);
  assert.equal(update({ source: 'x'.repeat(SOURCE_MAX + 1) }).source, `${'x'.repeat(SOURCE_MAX - 1)}…`);
  // Neither half of a character of two units is left.
  assert.equal(update({ title: `x${'😀'.repeat(TITLE_MAX)}` }).title, `x${'😀'.repeat(TITLE_MAX / 2 - 1)}…`);
  assert.equal(update({ title: '😀'.repeat(TITLE_MAX) }).title, `${'😀'.repeat(TITLE_MAX / 2 - 1)}…`);
});

test('markup stays the text it is', () => {
  const source = '<img src=x onerror=alert(1)>';
  assert.equal(after(update({ source })).feed[0].update.source, source);
});

test('rows are sorted by count, then by name, whatever the order of arrival', () => {
  const state = after(metrics({ by_tag: { B: 1, A: 1, C: 5 } }));
  assert.deepEqual(tickerRows(state).map(({ ticker }) => ticker), ['C', 'A', 'B']);
});

test('an update without a ticker is in the feed, and no ticker has it', () => {
  const state = after(update({ ticker: null }), update({ ticker: null }), update({ ticker: null, item_id: 'news:2' }));
  assert.deepEqual([state.received, state.feed.length, tickerRows(state).length], [2, 2, 0]);
  assert.ok(matcher('')(null) && !matcher('A')(null));
});

test('a label is counted under its key', () => {
  const event = parseEvent('metrics', '{"total":3,"somewhat_bullish":2,"good":1,"by_tag":{}}', ['Somewhat-Bullish', '好'], ['somewhat_bullish', 'good']);
  assert.deepEqual([...event.byLabel], [['Somewhat-Bullish', 2], ['好', 1]]);
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

test('an item that changes and changes back is three updates', () => {
  const state = after(update(), update({ label: 'neutral' }), update(), update());
  assert.deepEqual(state.feed.map((entry) => entry.update.label), ['positive', 'neutral', 'positive']);
  assert.equal(state.received, 3);
});

test('rows with one id and different times are different items', () => {
  const state = after(update(), update({ timestamp: '2026-11-23T11:00:00.000Z' }));
  assert.deepEqual(state.feed.map(({ revised }) => revised), [false, false]);
});

test('a repetition is told long after its entry has left the feed, with memory that has a limit', () => {
  const many = Array.from({ length: KNOWN_MAX - 200 }, (_, index) => update({ item_id: `n${index}` }));
  const state = after(update({ item_id: 'first' }), ...many);
  assert.equal(reduce(state, update({ item_id: 'first' })).received, state.received);
  const more = Array.from({ length: 2 * KNOWN_MAX }, (_, index) => update({ item_id: `m${index}` })).reduce(reduce, state);
  assert.ok(more.known.young.size + more.known.old.size <= KNOWN_MAX);
  assert.equal(lastKnown(more.known, update({ item_id: 'first' })), null, 'the one not heard of for longest is forgotten');
});

test('what was there before is no news, but may be the last of its ticker', () => {
  const state = after({ type: 'baseline', updates: [update()], heard: false });
  assert.deepEqual([state.feed.length, state.received], [0, 0]);
  assert.equal(state.lastByTicker.get('AAPL').label, 'positive');
  assert.equal(reduce(state, update()).received, 1, 'the stream may yet tell of it');
  const older = reduce(state, { type: 'baseline', updates: [update({ label: 'neutral', timestamp: '2026-11-23T09:00:00.000Z' })], heard: false });
  assert.equal(older.lastByTicker, state.lastByTicker);
});

test('what was read in the place of updates is a repetition when it is heard again', () => {
  const state = after({ type: 'baseline', updates: [update()], heard: true });
  assert.equal(reduce(state, update()).received, 0);
  const revised = reduce(state, update({ label: 'neutral' }));
  assert.deepEqual([revised.received, revised.feed[0].revised], [1, true]);
});

test('another stream begins with nothing, under the same filter', () => {
  const state = after(metrics(), update(), { type: 'filtered', text: 'AA' }, { type: 'noticed', text: 'Gone.' }, { type: 'switched' });
  assert.deepEqual(state, { ...INITIAL_STATE, filter: 'AA', notice: { text: 'Gone.', action: null } });
});

test('a tab goes on where another one is, with a feed that stands still if it did', () => {
  const other = after(metrics(), update(), update({ item_id: 'b' }));
  const clone = structuredClone(shared(other));
  const state = after({ type: 'filtered', text: 'x' }, { type: 'pause_toggled' }, { type: 'restored', shared: clone });
  assert.deepEqual([state.received, state.feed.length, state.filter, state.paused.feed.length], [2, 2, 'x', 2]);
  assert.equal(reduce(state, update()).received, 2, 'what the other has heard is known');
});

test('a filter takes words that tickers begin with', () => {
  const seen = (filter) => ['AAPL', 'AMD', 'MSFT', '__proto__'].filter(matcher(filter));
  assert.deepEqual(seen(' '), ['AAPL', 'AMD', 'MSFT', '__proto__']);
  assert.deepEqual(seen('aa'), ['AAPL']);
  assert.deepEqual(seen('AM, msf'), ['AMD', 'MSFT']);
  assert.deepEqual(seen('__p'), ['__proto__']);
  assert.deepEqual(seen('.*'), []);
  const state = after(metrics(), { type: 'filtered', text: 'ms' });
  assert.deepEqual(tickerRows(state).map(({ ticker }) => ticker), ['MSFT']);
});

test('a hundred thousand updates take no more memory than ten thousand', () => {
  let state = INITIAL_STATE;
  for (let index = 0; index < 100_000; index += 1) state = reduce(state, update({ item_id: `n${index}`, ticker: `T${index % 50}` }));
  assert.deepEqual([state.received, state.feed.length, state.lastByTicker.size], [100_000, FEED_MAX, 50]);
  assert.ok(state.known.young.size + state.known.old.size <= KNOWN_MAX);
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
    received('deadline', {}), received('overloaded', {}), status(), { type: 'baseline', updates: [update({ item_id: 'x' })], heard: true },
    { type: 'filtered', text: 'A' }, { type: 'restored', shared: shared(INITIAL_STATE) }, { type: 'switched' }];
  const size = INITIAL_STATE.lastByTicker.size;
  actions.reduce((state, action) => freeze(reduce(state, freeze(action))), INITIAL_STATE);
  assert.equal(INITIAL_STATE.lastByTicker.size, size);
});

test('title, link and shown values are taken as they are, and no link leads anywhere but by https', () => {
  const parsed = (fields, show = []) => parseEvent('update', JSON.stringify({ ticker: 'A', label: 'positive', ...fields }), LABELS, LABELS, show);
  const { title, url, shown } = parsed({ title: '<b>Up</b>', url: 'https://example.com/ä', author: 'Ada', price: 12.5, isNew: false, other: 1 }, ['price', 'author', 'isNew', 'gone']);
  assert.deepEqual([title, url], ['<b>Up</b>', 'https://example.com/%C3%A4']);
  assert.deepEqual(shown, [{ name: 'price', value: 12.5 }, { name: 'author', value: 'Ada' }, { name: 'isNew', value: false }]);
  for (const bad of ['javascript:alert(1)', 'http://example.com', 'java\nscript:alert(1)', '//example.com', 'data:text/html,x', '', 7, null, `https://e.com/${'x'.repeat(3000)}`]) {
    assert.equal(parsed({ url: bad }).url, null, String(bad));
  }
  for (const bad of [null, '', [], {}, ['x']]) assert.deepEqual(parsed({ x: bad }, ['x']).shown, []);
  assert.equal(parsed({ title: 'x'.repeat(500) }).title.length, 400);
});

test('the feed begins with what was there, below all that is new', () => {
  const old = [update({ item_id: 'b' }), update({ item_id: 'a' })];
  const seqs = ({ feed }) => feed.map(({ kind, seq, update: one }) => `${kind} ${seq} ${one?.itemId ?? ''}`.trim());
  const state = after({ type: 'latest', updates: old });
  assert.deepEqual(seqs(state), ['earlier 0', 'update -1 b', 'update -2 a']);
  assert.deepEqual([state.received, state.lastByTicker.size], [0, 0]);
  // No news, so no place where any may be missing.
  assert.equal(after({ type: 'latest', updates: old }, received('reset', { reason: 'unknown' })).feed.length, 3);
  const news = after({ type: 'latest', updates: old }, update({ item_id: 'c' }));
  assert.deepEqual(seqs(news), ['update 1 c', 'earlier 0', 'update -1 b', 'update -2 a']);
  // Read a moment before it was heard, it is news all the same, and there once.
  assert.deepEqual(seqs(after({ type: 'latest', updates: old }, update({ item_id: 'b' }))), ['update 1 b', 'earlier 0', 'update -2 a']);
  // Heard a moment before it was read.
  assert.deepEqual(seqs(after(update({ item_id: 'b' }), { type: 'latest', updates: old })), ['update 1 b', 'earlier 0', 'update -1 a']);
  assert.equal(reduce(news, { type: 'latest', updates: old }).feed, news.feed);
  assert.equal(after({ type: 'latest', updates: [] }).feed.length, 0);
  assert.equal(after({ type: 'latest', updates: Array(50).fill(0).map((_, n) => update({ item_id: `n${n}` })) }).feed.length, 21);
});

test('a filter means tickers that are known, a strange word as it is, and one between quotes nothing else', () => {
  const known = ['AAPL', 'AAPLX', 'MSFT', 'New York', 'new'];
  const of = (filter) => tickersOf(filter, known);
  assert.deepEqual([of(''), of(' , '), of('aap'), of('"AAPL"')], [null, null, ['AAPL', 'AAPLX'], ['AAPL']]);
  assert.deepEqual([of('"New York", MS'), of('XYZ aapl'), of('new')], [['MSFT', 'New York'], ['AAPL', 'AAPLX', 'XYZ'], ['New York', 'new']]);
  const isMeant = matcher('"AAPL" ms');
  assert.deepEqual(['AAPL', 'AAPLX', 'MSFT', null].map(isMeant), [true, false, true, false]);
});

test('a filter can mean a ticker with quotes in it', () => {
  const known = ['5" disk', '"quoted"', '"', 'AAPL', '5'];
  const seen = (filter) => known.filter(matcher(filter));
  for (const ticker of [...known, 'A"B', '""']) {
    assert.deepEqual(tickersOf(quoted(ticker), known), [ticker]);
    assert.deepEqual(seen(quoted(ticker)), known.filter((one) => one === ticker));
    assert.deepEqual(tickersOf(`${quoted(ticker)}, "AAPL"`, []), [...new Set([ticker, 'AAPL'])]);
  }
  assert.deepEqual(seen('5"'), ['5" disk']);
  assert.deepEqual(seen('"5" aap'), ['AAPL', '5']);
  // Not closed yet: how tickers begin.
  assert.deepEqual(seen('"aap'), ['AAPL']);
});
