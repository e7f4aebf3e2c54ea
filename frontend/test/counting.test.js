import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { Counting } from '../js/counting.js';
import { History } from '../js/history.js';

/** What reads the server's counts, which cannot be had, and how often it asked. */
function counting() {
  const asked = [];
  const shown = {
    config: { labelKeys: ['a'], show: [] },
    get: async (path) => {
      asked.push(path);
      throw new Error('nobody is there');
    },
    now: () => Date.now(),
    named: async () => {},
    tickers: () => [],
    onCounted: () => {},
    onLatest: () => {},
    onBaseline: () => {},
  };
  return { counting: new Counting(new History(['a']), shown), asked };
}

/** Lets time pass, and what waits for nothing else happen. */
async function pass(seconds) {
  for (let second = 0; second < seconds; second += 1) {
    mock.timers.tick(1_000);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }
}

test('a doubt about another range does not stand in the way of one about this', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_790_000_000_000 });
  try {
    const { counting: shown, asked } = counting();
    shown.drift();
    await pass(50);
    shown.anew();
    await pass(5);
    shown.drift();
    await pass(58);
    assert.equal(asked.length, 0);
    await pass(3);
    assert.equal(asked.length, 1, 'a minute after the last numbers');
  } finally {
    mock.timers.reset();
  }
});

test('a correction that cannot be had is asked for again', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_790_000_000_000 });
  try {
    const { counting: shown, asked } = counting();
    shown.doubt();
    await pass(11);
    assert.equal(asked.length, 1);
    await pass(130);
    assert.equal(asked.length, 3, 'once a minute');
    shown.anew();
    await pass(130);
    assert.equal(asked.length, 3, 'not of what is left');
  } finally {
    mock.timers.reset();
  }
});

/** An answer with one item a minute ago, and where a stream goes on. @param {number} total */
function answer(total) {
  const at = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 60_000).toISOString();
  return {
    to: new Date().toISOString(), watermark: new Date().toISOString(), last_event_id: `evt_${total}`,
    points: [{ timestamp: at, by_label: { a: total }, score: { count: 0, mean: 0 } }],
  };
}

/** @param {(path: string, at: number) => any} get @param {(shown: {counting: Counting, history: History, heard: Record<string, number>, asked: string[]}) => Promise<void>} play */
async function withServer(get, play) {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_790_000_000_000 });
  const began = Date.now();
  try {
    const [history, heard, asked] = [new History(['a']), { latest: 0, baseline: 0 }, []];
    const shown = {
      config: { labelKeys: ['a'], show: [] },
      get: async (path) => {
        asked.push(path);
        return get(path, Date.now() - began);
      },
      now: () => Date.now(), named: async () => {}, tickers: () => [], onCounted: () => {},
      onLatest: () => (heard.latest += 1),
      onBaseline: () => (heard.baseline += 1),
    };
    await play({ counting: new Counting(history, shown), history, heard, asked });
  } finally {
    mock.timers.reset();
  }
}

const total = (history) => history.chart(Date.now()).total;
const items = { items: [{ item_id: 'x', tickers: ['T'], label: 'a', timestamp: new Date(1_790_000_000_000).toISOString() }], next: null };
const isUnknown = (history) => history.chart(Date.now()).gaps.length > 0;

test('a history that cannot be had is not called empty, and is read when it can', () => withServer((path, at) => {
  if (at < 20_000) throw new Error('nobody is there');
  return path.startsWith('/items') ? items : answer(7);
}, async ({ counting: shown, history, heard, asked }) => {
  assert.equal(history.isRead, null);
  const signal = shown.anew();
  assert.equal(await shown.begin(signal), null);
  assert.deepEqual([history.isRead, isUnknown(history)], [false, true]);
  shown.readLatest(signal);
  shown.catchUp();
  await pass(19);
  assert.equal(history.isRead, false);
  assert.ok(asked.length < 12, `ever more seldom: ${asked.length}`);
  await pass(60);
  assert.deepEqual([history.isRead, isUnknown(history), total(history)], [true, false, 7]);
  assert.deepEqual(heard, { latest: 1, baseline: 1 });
  // What is over is not asked for again, but for corrections.
  const before = asked.filter((path) => path.startsWith('/items')).length;
  await pass(120);
  assert.equal(asked.filter((path) => path.startsWith('/items')).length, before);
}));

test('a history that is late is shown, and read anew where the stream has begun', () => withServer(async (path, at) => {
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  return path.startsWith('/items') ? items : answer(at < 3_000 ? 7 : 12);
}, async ({ counting: shown, history }) => {
  const beginning = shown.begin(shown.anew());
  await pass(3);
  assert.equal(await beginning, null, 'the stream begins without');
  assert.equal(history.isRead, false);
  shown.catchUp();
  await pass(2);
  assert.deepEqual([history.isRead, total(history)], [true, 7]);
  await pass(4);
  assert.equal(total(history), 12);
}));

test('what was to be read of another range is left, and a loss has it tried again at once', () => withServer(() => {
  throw new Error('nobody is there');
}, async ({ counting: shown, asked }) => {
  shown.anew();
  shown.catchUp();
  await pass(200);
  const before = asked.length;
  shown.catchUp();
  await pass(1);
  assert.equal(asked.length, before + 1);
  shown.anew();
  await pass(200);
  assert.equal(asked.length, before + 1);
}));
