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
