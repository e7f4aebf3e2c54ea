import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseEvent } from '../js/event.js';
import { parseItems, updatesOf } from '../js/items.js';
import { poller } from '../js/poll.js';
import { SIGN_IN } from '../js/reduce.js';
import { troubleText, waitText } from '../js/trouble.js';
import { barsPath, linePath } from '../js/spark.js';

const item = (id, fields = {}) => ({ item_id: id, tickers: ['A'], label: 'up', score: 0.1, timestamp: '2026-11-23T10:00:00.000Z', ...fields });
const METRICS = { total: 2, up: 2, by_tag: { A: 2 } };

/** A page that polls: what it was told, by what it asked. */
function page({ recent = [], pages = [], known = [], blank = false, tickers = [] }) {
  const asked = [];
  const baseline = [];
  const get = async (path) => {
    asked.push(path);
    return path.startsWith('/metrics') ? { ...METRICS, recent_items: recent } : pages.shift();
  };
  const poll = poller({
    get, updateEvent: 'news', tickers: () => tickers, isKnown: ({ itemId }) => known.includes(itemId), isBlank: () => blank,
    onBaseline: (updates) => baseline.push(...updates),
  });
  const ids = async () => (await poll(new AbortController().signal)).filter(({ name }) => name === 'news').map(({ data }) => JSON.parse(data).item_id);
  return { asked, baseline, poll, ids };
}

test('a poll is the numbers, then the updates that nobody has heard, oldest first', async () => {
  const { poll } = page({ recent: [item('c'), item('b', { tickers: ['A', 'B'] }), item('a')], known: ['a'] });
  const events = await poll(new AbortController().signal);
  assert.deepEqual(events.map(({ name }) => name), ['metrics', 'news', 'news', 'news']);
  assert.deepEqual(JSON.parse(events[0].data), METRICS, 'without the items');
  const updates = events.slice(1).map(({ data }) => parseEvent('update', data, []));
  assert.deepEqual(updates.map(({ itemId, ticker }) => itemId + ticker).sort(), ['bA', 'bB', 'cA']);
  assert.equal(updates.at(-1).itemId, 'c');
  assert.deepEqual([updates[0].label, updates[0].score, updates[0].timestamp], ['up', 0.1, '2026-11-23T10:00:00.000Z']);
});

test('where nothing is known nothing is news', async () => {
  const { ids, baseline } = page({ recent: [item('b'), item('a')], blank: true });
  assert.deepEqual(await ids(), []);
  assert.deepEqual(baseline.map(({ itemId }) => itemId), ['b', 'a']);
});

test('where none of the newest is known, pages are read down to one that is', async () => {
  const { ids, asked } = page({
    recent: [item('e')], known: ['b'],
    pages: [{ items: [item('e'), item('d')], next: 'x y' }, { items: [item('c'), item('b'), item('a')], next: 'z' }],
  });
  assert.deepEqual(await ids(), ['a', 'c', 'd', 'e']);
  assert.deepEqual(asked, ['/metrics', '/items?limit=200', '/items?limit=200&after=x%20y']);
});

test('pages have an end, also where the server knows none', async () => {
  const pages = Array.from({ length: 9 }, (_, index) => ({ items: [item(`p${index}`)], next: 'more' }));
  const { ids, asked } = page({ recent: [item('x')], pages });
  assert.equal((await ids()).length, 5);
  assert.equal(asked.length, 6);
});

test('an empty table is no reason to read pages', async () => {
  const { ids, asked } = page({});
  assert.deepEqual(await ids(), []);
  assert.equal(asked.length, 1);
});

test('a poll of a configuration is about its tickers', async () => {
  const { ids, asked } = page({ recent: [item('a')], pages: [{ items: [item('a')], next: null }], tickers: ['A', 'B/C'] });
  await ids();
  assert.deepEqual(asked, ['/metrics?tickers=A,B%2FC', '/items?limit=200&tickers=A,B%2FC']);
  const { poll } = page({ recent: [item('a', { tickers: ['A', 'X'] }), item('k')], known: ['k'], tickers: ['A'] });
  const news = (await poll(new AbortController().signal)).slice(1).map(({ data }) => JSON.parse(data).ticker);
  assert.deepEqual(news, ['A'], 'and not about the others of its items');
});

test('an item of many tickers is told of those that are meant', async () => {
  const tickers = Array.from({ length: 80 }, (_, index) => `T${index}`);
  const { poll } = page({ recent: [item('a', { tickers }), item('k')], known: ['k'], tickers: ['T70', 'T79', 'A'] });
  const news = (await poll(new AbortController().signal)).slice(1).map(({ data }) => JSON.parse(data).ticker);
  assert.deepEqual(news.sort(), ['T70', 'T79']);
});

test('what is no item is left out', () => {
  const list = [item('a'), null, [], 'x', { tickers: 'A', label: 'up' }, { label: 'up' }, { tickers: [7], label: 'up' }, { tickers: ['A'] }];
  assert.deepEqual(parseItems(list).map(({ itemId }) => itemId), ['a']);
  for (const value of [null, undefined, {}, 'x']) assert.deepEqual(parseItems(value), []);
  const [bare] = parseItems([item('b', { tickers: [] })]);
  assert.deepEqual(updatesOf(bare).map(({ itemId, ticker }) => [itemId, ticker]), [['b', null]], 'an item without tickers is one update');
});

test('an item is one update for each of its tickers, whatever they are called', () => {
  const [parsed] = parseItems(JSON.parse('[{"item_id":"a","tickers":["__proto__","B","B"],"label":"up","__proto__":{"score":1}}]'));
  assert.deepEqual(updatesOf(parsed).map(({ ticker, score }) => [ticker, score]), [['__proto__', null], ['B', null]]);
  assert.equal(parseItems([item('a', { source: 'x'.repeat(100_000) })])[0].source.length, 500);
});

const connection = (fields = {}) => ({ phase: 'live', reason: null, retryAt: null, latencyMs: null, lastEventAt: null, detail: null, ...fields });

test('each trouble has its sentence, and what flows has none', () => {
  for (const phase of ['live', 'resumed', 'suspended', 'connecting']) assert.equal(troubleText(connection({ phase }), 5_000), null);
  const sentences = ['unreachable', 'silent', 'late', 'status', 'full'].map((reason) => troubleText(connection({ phase: 'connecting', reason }), 5_000));
  assert.equal(new Set(sentences).size, 5);
  assert.match(troubleText(connection({ phase: 'polling', reason: 'status' }), 5_000), /asks for news every 5 s\.$/);
  assert.match(troubleText(connection({ phase: 'offline' }), 5_000), /no network/);
  assert.match(troubleText(connection({ phase: 'behind', reason: 'silent' }), 5_000), /may be old/);
  assert.equal(troubleText(connection({ phase: 'refused', reason: 'full', detail: 'Full.' }), 5_000), 'Full.');
  assert.ok(troubleText(connection({ phase: 'refused', reason: 'future' }), 5_000), 'a reason of a newer version');
  assert.match(troubleText(connection({ phase: 'refused', reason: 'status', detail: SIGN_IN }), 5_000), /^This page needs a sign-in\. Sign in/);
});

test('a wait counts down to a second, and then something is tried', () => {
  const wait = (retryAt) => waitText(connection({ retryAt }), 10_000);
  assert.deepEqual([null, 17_400, 10_100, 10_000].map(wait), ['', 'Next try in 7 s.', 'Next try in 1 s.', 'Trying again.']);
});

test('small lines are numbers only', () => {
  assert.equal(linePath([[1, 2], [3.14159, 4]]), 'M1.0 2.0L3.1 4.0');
  assert.equal(linePath([]), '');
  assert.match(barsPath([{ count: 0 }, { count: 4 }, { count: 2 }]), /^M29\.0 24v-21\.0h26\.0V24zM57\.0 24v-10\.5h26\.0V24z$/);
  assert.equal(barsPath([]), '');
});
