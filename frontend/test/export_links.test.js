import assert from 'node:assert/strict';
import { test } from 'node:test';

import { exportPaths } from '../js/export_links.js';
import { rangeOf } from '../js/ranges.js';

test('files have the range and the filter that are shown', () => {
  const now = Date.parse('2026-01-01T12:00:30.000Z');
  const paths = exportPaths({ range: rangeOf('6h'), now, narrowed: '&tickers=A%20B,C' });
  assert.deepEqual(paths, {
    'items-csv': '/items?limit=200&tickers=A%20B,C&format=csv',
    'items-json': '/items?limit=200&tickers=A%20B,C',
    'history-csv': '/history?step=5m&from=2026-01-01T06:05:00.000Z&tickers=A%20B,C&format=csv',
    'history-json': '/history?step=5m&from=2026-01-01T06:05:00.000Z&tickers=A%20B,C',
  });
  assert.equal(exportPaths({ range: rangeOf('24h'), now, narrowed: '' })['history-csv'], '/history?step=15m&format=csv');
});
