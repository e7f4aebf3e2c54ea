import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseCounts, parsePoints } from '../js/counts.js';
import { History, ITEMS_MAX, SETTLED_MS, TICKERS_MAX } from '../js/history.js';
import { historyPath, KEPT_RANGES, RANGES, rangeOf } from '../js/ranges.js';
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

test('what was read is counted when its update comes, and corrected where the server has counted it already', () => {
  const made = new History(LABELS);
  const step = NOW - 30_000 - 5 * MINUTE;
  made.load({ to: NOW - MINUTE, points: [{ at: step, counts: [2, 0, 0], scores: { count: 2, mean: 0.5 } }], tickers: [], lastEventId: '' });
  made.note(update({ itemId: 'old', timestamp: ago(5) }));
  made.note(update({ itemId: 'new' }));
  assert.deepEqual(counts(made), [2, 0, 0, 0]);
  assert.equal(made.knows(update({ itemId: 'new' })), true);
  assert.equal(made.take(update({ itemId: 'new' }), NOW), false);
  assert.equal(made.take(update({ itemId: 'old', timestamp: ago(5), label: 'neutral', score: 0 }), NOW), false);
  assert.deepEqual(counts(made), [2, 1, 0, 0]);
  assert.equal(made.take(update({ itemId: 'strange', timestamp: ago(5) }), NOW), true, 'it may have been counted as something else');
  assert.equal(made.take(update({ itemId: 'young' }), NOW), false, 'it cannot');
});

test('the chart is the last hour, minute by minute', () => {
  const made = history(update(), update({ itemId: 'b', timestamp: ago(59) }), update({ itemId: 'c', timestamp: ago(61) }));
  const { times, counts: columns, total } = made.chart(NOW);
  assert.equal(times.length, 60);
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

test('a change is the last quarter of the range against the three before', () => {
  const made = history(update({ score: 0.4 }), update({ itemId: 'b', score: 0.2, timestamp: ago(12) }), update({ itemId: 'c', score: -0.4, timestamp: ago(16) }));
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

test('another tab goes on from a clone', () => {
  const made = history(update(), update({ itemId: 'b', ticker: '__proto__', timestamp: ago(20) }));
  const other = new History(LABELS);
  other.restore(structuredClone(made.snapshot()));
  assert.deepEqual(other.chart(NOW), made.chart(NOW));
  assert.deepEqual(other.trend('__proto__', NOW), made.trend('__proto__', NOW));
  other.take(update({ label: 'neutral' }), NOW);
  assert.deepEqual(counts(other), [1, 1, 0, 0]);
  assert.deepEqual(counts(made), [2, 0, 0, 0], 'what is of one tab is not of the other');
  const longer = new History(LABELS, rangeOf('6h'));
  longer.restore(structuredClone(made.snapshot()));
  assert.equal(longer.chart(NOW).total, 0);
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
  assert.ok(items.size <= 2_048 && tickers.length === TICKERS_MAX, `${items.size} ${tickers.length}`);
  assert.ok(structuredClone(made.snapshot()));
  assert.equal(made.chart(NOW + 100_000 * 20).total, 100_000, 'counts are of all, whatever is remembered of each');
  assert.ok(ITEMS_MAX < 30_000);
  if (globalThis.gc) assert.ok(after < before * 1.2, `${before} -> ${after}`);
});

const point = (minutes, counts, mean = 0) =>
  ({ at: NOW - 30_000 - minutes * MINUTE, counts, scores: { count: counts.reduce((sum, count) => sum + count, 0), mean } });

test('it begins with what the server has counted, lines of tickers too, and goes on from there', () => {
  const made = history(update());
  const points = [point(80, [7, 7, 7]), point(40, [5, 0, 1], 0.25), point(0, [1, 0, 0], -0.5)];
  const line = { ticker: 'AAPL', points: [{ ...point(40, [6], 0.25), at: Math.floor((NOW - 40 * MINUTE) / 300_000) * 300_000 }] };
  made.load({ to: NOW + 30_000, points, tickers: [line], lastEventId: 'evt_' });
  assert.deepEqual(counts(made), [6, 0, 1, 0], 'what was counted before is gone, and what is too old is not shown');
  assert.deepEqual([made.trend('AAPL', NOW).count, made.trend('AAPL', NOW).before], [6, 0.25]);
  made.take(update({ itemId: 'b', score: 0.5 }), NOW);
  assert.deepEqual([counts(made), made.chart(NOW).means.at(-1), made.trend('AAPL', NOW).count], [[7, 0, 1, 0], 0, 7]);
});

test('a correction counts the steps anew that are over', () => {
  const made = history(update(), update({ itemId: 'b', timestamp: ago(5) }), update({ itemId: 'c', timestamp: ago(6) }));
  made.correct({ to: NOW, points: [point(6, [0, 0, 0]), point(5, [0, 3, 0]), point(0, [9, 9, 9])], tickers: [], lastEventId: '' }, NOW);
  assert.deepEqual(counts(made), [1, 3, 0, 0]);
});

/** What the server has counted of a minute, with one ticker, up to a moment. */
const countedTo = (minutes, counts) => {
  const [total] = counts;
  const line = { ticker: 'AAPL', points: [{ at: Math.floor((NOW - 30_000) / 300_000) * 300_000, counts: [total], scores: { count: total, mean: 0 } }] };
  return { to: NOW + 30_000, points: [point(0, counts)], gaps: [], tickers: [line], lastEventId: 'evt_', watermark: Date.parse(ago(minutes)) };
};

test('counts of another moment than the stream\'s: what was heard beyond it is kept, and nothing is counted twice', () => {
  const at = (seconds, itemId) => update({ itemId, score: 0, timestamp: ago(seconds / 60) });
  const sums = (made) => [counts(made)[0], made.trend('AAPL', NOW).count];
  const ahead = history(at(20, 'a'), at(15, 'b'), at(5, 'c'));
  ahead.reload(countedTo(15 / 60, [2, 0, 0]), NOW);
  assert.deepEqual(sums(ahead), [3, 3], 'the one that the server did not have');
  ahead.take(at(15, 'b'), NOW);
  ahead.take(at(5, 'c'), NOW);
  assert.deepEqual(sums(ahead), [3, 3], 'a repetition');
  ahead.take(at(18, 'late'), NOW);
  assert.deepEqual(sums(ahead), [4, 4], 'a stream that was beyond it brings what is late');

  const behind = history(at(25, 'a'));
  behind.reload(countedTo(10 / 60, [3, 0, 0]), NOW);
  const other = new History(LABELS);
  other.restore(structuredClone(behind.snapshot()));
  for (const made of [behind, other]) {
    for (const [seconds, id] of [[20, 'b'], [10, 'c']]) made.take(at(seconds, id), NOW);
    assert.deepEqual(sums(made), [3, 3], 'the server has counted what the stream brings only now');
    made.take(update({ itemId: 'c', label: 'neutral', score: 0, timestamp: ago(10 / 60) }), NOW);
    assert.deepEqual(counts(made), [2, 1, 0, 0], 'and it may change afterwards');
    made.take(at(4, 'd'), NOW);
    made.take(at(12, 'late'), NOW);
    assert.deepEqual(counts(made), [4, 1, 0, 0], 'what comes after all of that is new');
  }

  const quiet = history();
  quiet.reload(countedTo(10 / 60, [3, 0, 0]), NOW);
  quiet.take(at(10, 'late'), NOW + SETTLED_MS + 1);
  assert.deepEqual(counts(quiet), [4, 0, 0, 0], 'after a while nothing is on its way');
});

test('the first bar of a window loses what has grown too old', () => {
  const made = new History(LABELS, rangeOf('24h'));
  made.load({ to: NOW, points: [{ ...point(0, [5, 1, 0]), at: NOW - 24 * 60 * MINUTE }, point(0, [2, 0, 0])], tickers: [], lastEventId: '' });
  const bars = (totals) => made.chart(NOW, totals).counts.map((column) => [column[0], column.at(-1)]).slice(0, 3);
  assert.deepEqual(bars(null), [[5, 2], [1, 0], [0, 0]]);
  assert.deepEqual(bars([6, 0, 0]), [[4, 2], [0, 0], [0, 0]]);
  assert.deepEqual(bars([1, 9, 0]), [[5, 2], [1, 0], [0, 0]], 'totals that do not fit are on their way');
});

test('ranges have bars that tell something, and ask for whole steps', () => {
  for (const { name, stepMs, steps, pointMs, points } of RANGES) {
    assert.ok(pointMs % stepMs === 0 && points <= 62 && steps <= 97 && rangeOf(name).name === name, name);
  }
  assert.deepEqual([rangeOf(null).name, rangeOf('9y').name], ['1h', '1h']);
  assert.equal(historyPath(rangeOf('15m'), NOW, ''), `/history?step=1m&by_ticker=1m&from=${new Date(NOW - 30_000 - 14 * MINUTE).toISOString()}`);
  assert.equal(historyPath(rangeOf('24h'), NOW, '&tickers=A'), '/history?step=15m&by_ticker=1h&tickers=A');
});

test('ranges beyond the window add hours up, and know what they do not know', () => {
  const [week, month] = KEPT_RANGES;
  const HOUR = 60 * MINUTE;
  assert.equal(historyPath(week, NOW, '&tickers=A'), `/history?step=1h&by_ticker=1h&from=${new Date((Math.floor(NOW / HOUR) - 167) * HOUR).toISOString()}&tickers=A`);
  assert.ok(month.steps * month.stepMs === 30 * 24 * HOUR && week.steps * week.stepMs === 7 * 24 * HOUR);
  const first = (Math.floor(NOW / month.stepMs) - 3) * month.stepMs;
  const hour = (index, counts, mean) => ({ at: first + index * HOUR, counts, scores: { count: counts[0], mean } });
  const iso = (at) => new Date(at).toISOString();
  const gap = { from: first - 12 * HOUR, to: first - 3 * HOUR };
  const counts = parseCounts({ to: iso(NOW), points: [], gaps: [{ from: iso(gap.from), to: iso(gap.to), reason: 'not-kept' }, { from: iso(NOW), to: iso(NOW) }, 7, null] }, LABELS);
  assert.deepEqual(counts.gaps, [gap]);
  const made = new History(LABELS, month);
  const points = [hour(0, [1, 0, 0], 0.5), hour(5, [3, 2, 0], 0.1), hour(6, [4, 0, 1], -1)];
  made.load({ ...counts, points });
  const chart = made.chart(NOW);
  const at = (column) => column.slice(-4, -2);
  assert.deepEqual(chart.counts.slice(0, 3).map(at), [[4, 4], [2, 0], [0, 1]]);
  assert.ok(Math.abs((chart.means.at(-4) ?? NaN) - 0.2) < 1e-9 && chart.means.at(-3) === -1);
  assert.deepEqual([chart.total, chart.gaps, chart.times.length], [11, [gap], 120]);
  // Counted anew, a step is what its hours are, and not twice as much.
  made.correct({ ...counts, gaps: [], points }, NOW);
  assert.deepEqual([made.chart(NOW).total, made.chart(NOW).gaps], [11, []]);
  const other = new History(LABELS, month);
  other.restore(structuredClone(made.snapshot()));
  assert.deepEqual(other.chart(NOW), made.chart(NOW));
});

test('what tickers did is taken for what it is', () => {
  const line = { totals: [1, 2], score_counts: [1, 'x'], score_means: [0.5, 0] };
  const from = '2026-01-01T00:00:00.000Z';
  const of = (byTicker) => parseCounts({ to: from, points: [], last_event_id: 'evt_1', by_ticker: byTicker }, LABELS).tickers;
  const tickers = JSON.parse(`{"__proto__":${JSON.stringify(line)}}`);
  const at = Date.parse(from);
  assert.deepEqual(of({ from, step_seconds: 60, tickers }), [{
    ticker: '__proto__',
    points: [{ at, counts: [1], scores: { count: 1, mean: 0.5 } }, { at: at + MINUTE, counts: [2], scores: { count: 0, mean: 0 } }],
  }]);
  for (const bad of [null, [], {}, { from, step_seconds: 0, tickers }, { from: 'x', step_seconds: 60, tickers }, { from, step_seconds: 60, tickers: { A: {} } }]) {
    assert.deepEqual(of(bad), []);
  }
  assert.deepEqual(parseCounts(null, LABELS), { to: NaN, points: [], gaps: [], tickers: [], lastEventId: '', watermark: NaN });
});

test('steps of a history are taken for what they are', () => {
  const one = { timestamp: '2026-01-01T00:01:00.000Z', total: 3, by_label: { up: 1, down: 2 }, score: { count: 3, mean: -0.5, min: -1, max: 0 } };
  const parsed = { at: Date.parse(one.timestamp), counts: [1, 2], scores: { count: 3, mean: -0.5 } };
  assert.deepEqual(parsePoints([one], ['up', 'down']), [parsed]);
  const bare = { timestamp: one.timestamp, by_label: { up: '1', __proto__: { down: 5 } } };
  assert.deepEqual(parsePoints([bare], ['up', 'down']), [{ ...parsed, counts: [0, 0], scores: { count: 0, mean: 0 } }]);
  for (const bad of [null, {}, 'x', [null], [{}], [{ ...one, timestamp: 'now' }], [{ ...one, by_label: 3 }]]) {
    assert.deepEqual(parsePoints(bad, ['up', 'down']), []);
  }
});
