import assert from 'node:assert/strict';
import { test } from 'node:test';

import { itemsPath, listed, remark } from '../js/step_list.js';

test('items are those of the step and of the filter', () => {
  const step = { from: Date.parse('2026-01-01T12:00:00.000Z'), to: Date.parse('2026-01-01T12:05:00.000Z') };
  assert.equal(itemsPath(step, '&tickers=A%20B'), '/items?limit=50&from=2026-01-01T12:00:00.000Z&to=2026-01-01T12:05:00.000Z&tickers=A%20B');
});

test('an item is listed once, with all that it is about', () => {
  const one = { item_id: 'a', tickers: ['X', 'Y'], label: 'up', timestamp: '2026-01-01T12:00:01.000Z', price: 3 };
  const found = listed({ items: [one, { ...one, item_id: 'b', tickers: [] }, 'no item'] }, ['price']);
  assert.deepEqual(found.map(({ itemId, ticker, shown }) => [itemId, ticker, shown[0].value]), [['a', 'X, Y', 3], ['b', null, 3]]);
  for (const bad of [null, {}, { items: 3 }]) assert.deepEqual(listed(bad, []), []);
});

test('what a list leaves out is said', () => {
  assert.equal(remark(3, 3), '');
  assert.equal(remark(0, 0), '');
  assert.match(remark(51, 50), /newest 50 /);
  assert.match(remark(3, 0), /counts only/);
});
