import assert from 'node:assert/strict';
import { test } from 'node:test';

import { History, ITEMS_MAX, STEPS, TICKERS_MAX } from '../js/history.js';
import { parsePoints } from '../js/items.js';
import { Ring } from '../js/ring.js';

const LABELS = ['positive', 'neutral', 'negative'];
const MINUTE = 60_000;
const NOW = 1_700_000_000_000 - (1_700_000_000_000 % MINUTE) + 30_000;
const ago = (minutes) => new Date(NOW - minutes * MINUTE).toISOString();

const update = (fields = {}) => ({
  type: 'update', itemId: 'a', ticker: 'AAPL', label: 'positive', score: 0.5, confidence: null, source: null, timestamp: ago(0), ...fields,
});

function history(...updates) {
  const made = new History(LABELS);
  for (const one of updates) made.take(one, NOW);
  return made;
}

/** Counts by label of all steps together. */
const counts = (made, now = NOW) => made.chart(now).counts.map((column) => column.reduce((sum, count) => sum + count, 0));

test('a ring counts by step and forgets what has left it', () => {
  const ring = new Ring(10, 3, 2);
  ring.add(0, 0, 0.5);
  ring.add(9, 1, null);
  ring.add(10, 0, -0.5);
  assert.deepEqual([ring.count(0, 0), ring.count(0, 1), ring.count(1, 0)], [1, 1, 1]);
  assert.deepEqual(ring.over(0, 1), { count: 3, mean: 0 });
  ring.add(30, 0, 1);
  assert.deepEqual(ring.over(0, 0), { count: 0, mean: null }, 'its place was taken');
  ring.add(5, 0, 1);
  assert.equal(ring.count(3, 0), 1, 'what is too old takes nobody\'s place');
  ring.remove(5, 0, 1);
  assert.equal(ring.count(3, 0), 1);
});

test('a ring takes back what it counted, and nothing is left of rounding', () => {
  const ring = new Ring(10, 3, 1);
  for (const score of [0.1, 0.2, 0.7]) ring.add(0, 0, score);
  for (const score of [0.7, 0.1, 0.2]) ring.remove(0, 0, score);
  assert.deepEqual(ring.over(0, 0), { count: 0, mean: null });
  ring.remove(0, 0, 0.1);
  assert.deepEqual(ring.over(0, 0), { count: 0, mean: null });
});

test('an item with two tickers counts once in the chart, and for each of them', () => {
  const made = history(update(), update({ ticker: 'MSFT' }));
  assert.deepEqual(counts(made), [1, 0, 0, 0]);
  assert.equal(made.trend('AAPL', NOW).count, 1);
  assert.equal(made.trend('MSFT', NOW).count, 1);
});

test('an item analysed anew counts as what it is now', () => {
  const made = history(update(), update({ ticker: 'MSFT' }), update({ label: 'negative', score: -1 }), update({ ticker: 'MSFT', label: 'negative', score: -1 }));
  assert.deepEqual(counts(made), [0, 0, 1, 0]);
  assert.equal(made.chart(NOW).means.at(-1), -1);
  assert.equal(made.trend('MSFT', NOW).recent, -1);
});

test('a repetition changes nothing', () => {
  const made = history(update());
  const { version } = made;
  made.take(update(), NOW);
  assert.equal(made.version, version);
});

test('what is no news never overrules what is known, but adds what is not', () => {
  const made = history(update());
  made.take(update({ label: 'neutral', score: 0 }), NOW, false);
  made.take(update({ ticker: 'MSFT', label: 'neutral', score: 0 }), NOW, false);
  made.take(update({ itemId: 'b' }), NOW, false);
  assert.deepEqual(counts(made), [2, 0, 0, 0]);
  assert.equal(made.knows(update()), true);
  assert.equal(made.knows(update({ label: 'neutral', score: 0 })), false);
});

test('the chart is the last hour, minute by minute', () => {
  const made = history(update(), update({ itemId: 'b', timestamp: ago(59) }), update({ itemId: 'c', timestamp: ago(61) }));
  const { times, counts: columns, total } = made.chart(NOW);
  assert.equal(times.length, STEPS);
  assert.equal(times.at(-1) * 1000, NOW - 30_000);
  assert.deepEqual([columns[0][0], columns[0].at(-1), total], [1, 1, 2]);
  assert.equal(made.chart(NOW + MINUTE).total, 1, 'a minute on, one has left');
  assert.equal(made.chart(NOW + 1_000 * MINUTE).total, 0);
});

test('an item from the future counts now, one without a time as well, one without a readable time not at all', () => {
  assert.equal(history(update({ timestamp: ago(-30) })).chart(NOW).counts[0].at(-1), 1);
  assert.equal(history(update({ timestamp: null })).chart(NOW).counts[0].at(-1), 1);
  assert.equal(history(update({ timestamp: 'soon' })).chart(NOW).total, 0);
});

test('a label that the page does not know counts among the others', () => {
  assert.deepEqual(counts(history(update({ label: 'furious' }), update({ itemId: 'b', label: '__proto__' }))), [0, 0, 0, 2]);
});

test('without an id each update counts', () => {
  assert.deepEqual(counts(history(update({ itemId: null }), update({ itemId: null }))), [2, 0, 0, 0]);
});

test('a change is the last quarter of an hour against the three before', () => {
  const made = history(update({ score: 0.4 }), update({ itemId: 'b', score: 0.2, timestamp: ago(14) }), update({ itemId: 'c', score: -0.4, timestamp: ago(16) }));
  const { recent, before, points } = made.trend('AAPL', NOW);
  assert.ok(Math.abs(recent - 0.3) < 1e-9 && before === -0.4, `${recent} ${before}`);
  assert.equal(points.length, 12);
  assert.equal(made.trend('NONE', NOW), null);
  assert.equal(made.trend('AAPL', NOW + 120 * MINUTE), null);
});

test('a table without scores is one, and nobody knows before the first item', () => {
  assert.equal(history().hasScores, null);
  assert.equal(history(update({ score: null })).hasScores, false);
  assert.equal(history(update({ score: null }), update({ itemId: 'b' })).hasScores, true);
});

test('a filter narrows the chart at once and from then on, and an item with two of its tickers counts once', () => {
  const made = history(update(), update({ ticker: 'AMD' }), update({ itemId: 'b', ticker: 'MSFT' }));
  made.narrow('A');
  assert.deepEqual(counts(made), [1, 0, 0, 0]);
  made.take(update({ label: 'negative' }), NOW);
  made.take(update({ itemId: 'c', ticker: 'MSFT' }), NOW);
  made.take(update({ itemId: 'c', ticker: 'AAPL' }), NOW);
  assert.deepEqual(counts(made), [1, 0, 1, 0]);
  made.narrow('');
  assert.deepEqual(counts(made), [2, 0, 1, 0]);
});

test('another tab goes on from a clone', () => {
  const made = history(update(), update({ itemId: 'b', ticker: '__proto__', timestamp: ago(20) }));
  const other = new History(LABELS);
  other.narrow('aa');
  other.restore(structuredClone(made.snapshot()));
  assert.deepEqual(counts(other), [1, 0, 0, 0]);
  other.narrow('');
  assert.deepEqual(other.chart(NOW), made.chart(NOW));
  assert.deepEqual(other.trend('__proto__', NOW), made.trend('__proto__', NOW));
  other.take(update({ label: 'neutral' }), NOW);
  assert.deepEqual(counts(other), [1, 1, 0, 0]);
});

test('a clone of another shape is left alone', () => {
  const made = history(update());
  const other = new History(['one']);
  other.restore(structuredClone(made.snapshot()));
  assert.equal(other.chart(NOW).total, 0);
});

test('a hundred thousand updates take memory that does not grow', () => {
  const made = new History(LABELS);
  const feed = (from, to) => {
    for (let index = from; index < to; index += 1) {
      const now = NOW + index * 20;
      made.take(update({ itemId: `n${index}`, ticker: `T${index % 1_500}`, timestamp: new Date(now).toISOString() }), now);
    }
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  };
  const before = feed(0, 30_000);
  const after = feed(30_000, 100_000);
  const { items, tickers } = made.snapshot();
  assert.ok(items.length <= 2_048 && tickers.length === TICKERS_MAX, `${items.length} ${tickers.length}`);
  assert.ok(structuredClone(made.snapshot()));
  assert.equal(made.chart(NOW + 100_000 * 20).total, 100_000, 'counts are of all, whatever is remembered of each');
  assert.ok(ITEMS_MAX < 30_000);
  if (globalThis.gc) assert.ok(after < before * 1.2, `${before} -> ${after}`);
});

test('what the server has counted stands for the items that were not read', () => {
  const made = history(update({ timestamp: ago(2) }), update({ itemId: 'b', timestamp: ago(10), label: 'negative', score: -0.5 }));
  const step = (minutes) => NOW - 30_000 - minutes * MINUTE;
  const points = [
    { at: step(80), counts: [7, 7, 7], scores: { count: 21, mean: 0 } },
    { at: step(40), counts: [5, 0, 1], scores: { count: 6, mean: 0.25 } },
    { at: step(10), counts: [1, 0, 3], scores: { count: 4, mean: -0.5 } },
    { at: step(5), counts: [9, 9, 9], scores: { count: 27, mean: 0 } },
  ];
  const before = made.version;
  made.fill(points, NOW - 10 * MINUTE, NOW);
  assert.deepEqual(counts(made), [7, 0, 4, 0], 'the step of the oldest item is the server\'s, those after it are the page\'s own');
  const { means } = made.chart(NOW);
  assert.deepEqual([means.at(-41), means.at(-11), means.at(-3), means.at(-6)], [0.25, -0.5, 0.5, null]);
  assert.ok(made.version > before);
  made.take(update({ itemId: 'late', timestamp: ago(40) }), NOW);
  assert.deepEqual(counts(made), [8, 0, 4, 0], 'what comes later is added');
  const other = history();
  other.restore(made.snapshot());
  assert.deepEqual(counts(other), [8, 0, 4, 0]);
});

test('steps of a history are taken for what they are', () => {
  const point = { timestamp: '2026-01-01T00:01:00.000Z', total: 3, by_label: { up: 1, down: 2 }, score: { count: 3, mean: -0.5, min: -1, max: 0 } };
  const parsed = { at: Date.parse(point.timestamp), counts: [1, 2], scores: { count: 3, mean: -0.5 } };
  assert.deepEqual(parsePoints([point], ['up', 'down']), [parsed]);
  const bare = { timestamp: point.timestamp, by_label: { up: '1', __proto__: { down: 5 } } };
  assert.deepEqual(parsePoints([bare], ['up', 'down']), [{ ...parsed, counts: [0, 0], scores: { count: 0, mean: 0 } }]);
  for (const bad of [null, {}, 'x', [null], [{}], [{ ...point, timestamp: 'now' }], [{ ...point, by_label: 3 }]]) {
    assert.deepEqual(parsePoints(bad, ['up', 'down']), []);
  }
});
