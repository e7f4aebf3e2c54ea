import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as format from '../js/format.js';
import { readConfig } from '../js/read_config.js';

const RAW = {
  API_BASE_URL: '', SSE_BASE_URL: 'http://127.0.0.1:8081', ENVIRONMENT: 'local', LABELS: ['positive', 'neutral', 'negative'],
  UPDATE_EVENT: 'sentiment_update', HEARTBEAT_INTERVAL_MS: 15_000,
};

test('the config names the stream, on the same origin when the base is empty', () => {
  const url = (base) => readConfig({ ...RAW, SSE_BASE_URL: base }).streamUrl;
  assert.equal(url('http://127.0.0.1:8081'), 'http://127.0.0.1:8081/api/v2/stream');
  assert.equal(url('https://abc.example/'), 'https://abc.example/api/v2/stream');
  assert.equal(url(''), '/api/v2/stream');
});

test('a wrong config is one sentence that names the key', () => {
  const check = (raw, message) => assert.throws(() => readConfig(raw), { message });
  check(undefined, 'config.js is missing or sets no CONFIG. Render it, then reload.');
  check({ ...RAW, SSE_BASE_URL: undefined }, 'SSE_BASE_URL in config.js must be a URL, or empty for the same origin.');
  check({ ...RAW, LABELS: [] }, 'LABELS in config.js must be a list of at least one name.');
  check({ ...RAW, LABELS: ['a', 7] }, 'LABELS in config.js must be a list of at least one name.');
  check({ ...RAW, UPDATE_EVENT: '' }, 'UPDATE_EVENT in config.js must be a name.');
  check({ ...RAW, HEARTBEAT_INTERVAL_MS: 0 }, 'HEARTBEAT_INTERVAL_MS in config.js must be a positive number of milliseconds.');
  check({ ...RAW, POLL_INTERVAL_MS: '5' }, 'POLL_INTERVAL_MS in config.js must be a positive number of milliseconds.');
  check({ ...RAW, AUTH_MODE: 'none' }, 'AUTH_MODE in config.js must be one of `off`, `trusted-header`, `session`, `jwt`, or left out.');
  check({ ...RAW, AUTH_PRIVATE: 'yes' }, 'AUTH_PRIVATE in config.js must be true or false, or left out.');
  check({ ...RAW, HAS_TAGS: null }, 'HAS_TAGS in config.js must be true or false, or left out.');
  check({ ...RAW, SIGNED_REQUESTS: 1 }, 'SIGNED_REQUESTS in config.js must be true or false, or left out.');
});

test('a config of an older server is one without what is newer', () => {
  const { pollIntervalMs, authMode, isPrivate, hasTags, signedRequests } = readConfig(RAW);
  assert.deepEqual([pollIntervalMs, authMode, isPrivate, hasTags, signedRequests], [5_000, 'off', false, true, false]);
  assert.equal(readConfig({ ...RAW, HAS_TAGS: false }).hasTags, false);
  const newer = readConfig({ ...RAW, POLL_INTERVAL_MS: 2_000, AUTH_MODE: 'session', AUTH_PRIVATE: true, SIGNED_REQUESTS: true });
  assert.deepEqual([newer.pollIntervalMs, newer.authMode, newer.isPrivate, newer.signedRequests], [2_000, 'session', true, true]);
});

test('missing values read as a dash', () => {
  for (const show of [format.whole, format.rate, format.score, format.percent, format.uptime]) assert.equal(show(null), '–');
  assert.equal(format.clock(null, 0), '–');
  assert.equal(format.clock('yesterday', 0), '–');
  assert.equal(format.fullTime('yesterday'), '');
});

test('few are not none, and most are not all', () => {
  assert.deepEqual([0, 0.001, 0.005, 0.5, 0.994, 0.996, 1].map(format.percent), ['0%', '<1%', '1%', '50%', '99%', '>99%', '100%']);
});

test('uptime reads as hours and minutes', () => {
  assert.deepEqual([0, 59, 60, 3_720, 360_000].map(format.uptime), ['0:00', '0:00', '0:01', '1:02', '100:00']);
});

test('ages grow from now to hours', () => {
  const ages = [-5_000, 1_999, 2_000, 119_999, 120_000, 7_199_999, 7_200_000];
  assert.deepEqual(ages.map((age) => format.ago(0, age)), ['just now', 'just now', '2 s ago', '120 s ago', '2 min ago', '119 min ago', '2 h ago']);
});

test('labels read as words', () => {
  assert.equal(format.words('in_progress'), 'in progress');
  assert.equal(format.heading('in_progress'), 'In progress');
  assert.deepEqual(['n/a', 'e-mail', 'öl', '-1', '好', 'OK', 'a', '€'].map(format.heading), ['n/a', 'E-mail', 'Öl', '-1', '好', 'OK', 'A', '€']);
});

test('a share of nothing is no share', () => {
  assert.equal(format.share(0, 0), null);
  assert.equal(format.share(1, 4), 0.25);
  assert.equal(format.share(5, 4), 1);
});

test('known labels have their colour, others one of the palette by index', () => {
  assert.deepEqual([...format.tones(['positive', 'shipped', 'negative', 'returned']).values()], ['tone-good', 'tone-1', 'tone-bad', 'tone-3']);
  const many = format.tones(Array.from({ length: 16 }, (_, index) => `l${index}`));
  assert.equal(new Set(many.values()).size, 16);
});

test('a change is told in words, also where there is nothing to compare', () => {
  assert.equal(format.changeText(0.2, -0.1), 'Mean score of the last quarter of the range +0.20, before it \u22120.10');
  assert.equal(format.changeText(0.2, null), 'Mean score of the last quarter of the range +0.20; none before it');
  assert.equal(format.changeText(null, 0.2), 'No score in the last quarter of the range');
});

test('a latency has a unit that fits', () => {
  assert.deepEqual([null, 0, 41.6, 9_949, 12_000].map(format.latency), ['–', '0 ms', '42 ms', '9949 ms', '12 s']);
});
