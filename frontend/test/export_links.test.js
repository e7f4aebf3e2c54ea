import assert from 'node:assert/strict';
import { test } from 'node:test';

import { exportPaths, itemsQuery } from '../js/export_links.js';
import { KEPT_RANGES, rangeOf } from '../js/ranges.js';

test('files have the range and the filter that are shown', () => {
  const now = Date.parse('2026-01-01T12:00:30.000Z');
  const paths = exportPaths({ range: rangeOf('6h'), now, narrowed: '&tickers=A%20B,C' });
  assert.deepEqual(paths, {
    'history-csv': '/history?step=5m&from=2026-01-01T06:05:00.000Z&tickers=A%20B,C&format=csv',
    'history-json': '/history?step=5m&from=2026-01-01T06:05:00.000Z&tickers=A%20B,C',
  });
  assert.equal(exportPaths({ range: rangeOf('24h'), now, narrowed: '' })['history-csv'], '/history?step=15m&format=csv');
});

test('items are those of the range, as far back as there are any', () => {
  const now = Date.parse('2026-01-01T12:00:30.000Z');
  const query = (name, ranges) => itemsQuery({ range: rangeOf(name, ranges), now, narrowed: '&tickers=A' });
  assert.equal(query('6h'), '&from=2026-01-01T06:05:00.000Z&tickers=A');
  assert.equal(query('24h'), '&tickers=A');
  assert.equal(query('30d', KEPT_RANGES), '&tickers=A');
});
