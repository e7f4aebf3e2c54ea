import assert from 'node:assert/strict';
import { test } from 'node:test';

import { causes, whatIsMissing } from '../js/nothing.js';
import { rangeOf, RANGES, rangesWithin } from '../js/ranges.js';
import { readConfig } from '../js/read_config.js';

const HOUR_MS = 3_600_000;

test('a page says that there is nothing once it knows, and of what', () => {
  const metrics = (total) => ({ total });
  assert.equal(whatIsMissing({ metrics: null, filter: '' }, false), null);
  assert.equal(whatIsMissing({ metrics: metrics(1), filter: '' }, false), null);
  assert.equal(whatIsMissing({ metrics: metrics(0), filter: '' }, false), 'table');
  assert.equal(whatIsMissing({ metrics: metrics(0), filter: '' }, true), 'saved');
  assert.equal(whatIsMissing({ metrics: metrics(0), filter: ' A' }, true), 'filter');
});

test('the reasons name the window and the labels, not all of many', () => {
  const text = (labels, windowMs) => causes({ labels, windowMs }).join(' ');
  assert.match(text(['shipped'], 24 * HOUR_MS), /in the last 24 hours.*`shipped`/);
  assert.match(text(['a'], HOUR_MS / 2), /in the last 30 minutes/);
  const many = Array.from({ length: 16 }, (_, index) => `l${index}`);
  assert.match(text(many, HOUR_MS), /`l7`, …/);
  assert.doesNotMatch(text(many, HOUR_MS), /`l8`/);
});

test('ranges are offered as far as the server counts', () => {
  const names = (windowMs, historyMs = 0) => rangesWithin({ windowMs, historyMs }).map(({ name }) => name);
  assert.deepEqual(names(24 * HOUR_MS), RANGES.map(({ name }) => name));
  assert.deepEqual(names(24 * HOUR_MS - 1), ['15m', '1h', '6h']);
  assert.deepEqual(names(6 * HOUR_MS), ['15m', '1h', '6h']);
  assert.deepEqual(names(6 * HOUR_MS - 1), ['15m', '1h']);
  assert.deepEqual(names(HOUR_MS / 4), ['15m']);
  assert.deepEqual(names(1), ['15m'], 'one range is always there');
  assert.deepEqual(names(6 * HOUR_MS, 7 * 24 * HOUR_MS), ['15m', '1h', '6h', '7d'], 'and as far as it keeps sums');
  assert.deepEqual(names(6 * HOUR_MS, 30 * 24 * HOUR_MS - 1).at(-1), '7d');
  assert.deepEqual(names(24 * HOUR_MS, 400 * 24 * HOUR_MS).at(-1), '30d');
});

test('a range of the address is one that is offered', () => {
  const within = rangesWithin({ windowMs: HOUR_MS / 4, historyMs: 0 });
  assert.equal(rangeOf('24h', within).name, '15m');
  assert.equal(rangeOf(null, within).name, '15m');
  assert.equal(rangeOf('24h').name, '24h');
  assert.equal(rangeOf(null).name, '1h');
});

test('what is one\'s own comes from config.js, and nothing of it leads anywhere', () => {
  const raw = { SSE_BASE_URL: '', LABELS: ['a'], UPDATE_EVENT: 'update' };
  const read = (own) => readConfig({ ...raw, ...own });
  const none = read({});
  assert.deepEqual([none.title, none.logo, none.accent, none.windowMs], [null, null, null, 24 * HOUR_MS]);
  const own = read({ TITLE: 'Orders', LOGO: 'data:image/png;base64,AA==', ACCENT: { accent: ['#aa0000', '#ff0000'] }, WINDOW_MS: HOUR_MS });
  assert.deepEqual([own.title, own.logo, own.accent, own.windowMs], ['Orders', 'data:image/png;base64,AA==', { accent: ['#aa0000', '#ff0000'] }, HOUR_MS]);
  for (const wrong of [{ TITLE: '' }, { TITLE: 7 }, { LOGO: 'https://example.com/a.png' }, { LOGO: 'data:text/html;base64,AA==' }, { WINDOW_MS: 0 }]) {
    assert.throws(() => read(wrong), { message: new RegExp(`^${Object.keys(wrong)[0]} in config\\.js must be `) });
  }
  for (const accent of ['#fff', { page: ['#aa0000', '#ff0000'] }, { accent: ['#aa0000'] }, { accent: ['red', 'url(x)'] }, {}, null]) {
    assert.throws(() => read({ ACCENT: accent }), { message: /^ACCENT in config\.js must be / });
  }
});
