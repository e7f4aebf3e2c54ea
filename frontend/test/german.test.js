/** The page in another language and another zone than the machine's: words, numbers, shares and times. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

Object.assign(globalThis, { CONFIG: { LANGUAGE: 'de', TIME_ZONE: 'Asia/Kathmandu' } });
const { LANGUAGE, LOCALE, TEXT, TIME_ZONE, UNKNOWN_ZONE } = await import('../js/words.js');
const format = await import('../js/format.js');
const { troubleText } = await import('../js/trouble.js');
const { causes } = await import('../js/nothing.js');

const AT = Date.parse('2026-11-23T10:00:00.000Z');

test('the language of config.js is that of words and numbers', () => {
  assert.deepEqual([LANGUAGE, LOCALE, TEXT.feed.pause, TEXT.phases.live], ['de', 'de', 'Pause', 'Live']);
  assert.equal(format.whole(1_234_567), '1.234.567');
  assert.equal(format.rate(0.5), '0,5');
  assert.equal(format.percent(0.125).replace(/\s/, ' '), '13 %');
  assert.equal(format.percent(0.001).replace(/\s/, ' '), '<1 %');
  assert.equal(format.score(-0.5), '\u22120,50');
  assert.equal(format.ago(AT, AT + 120_000), 'vor 2 min');
  assert.equal(format.ago(AT, AT + 47 * 3_600_000), 'vor 47 h');
  assert.equal(format.ago(AT, AT + 75 * 3_600_000), 'vor 3 d');
  assert.equal(format.signed(1), '+1');
});

test('times are those of the zone, three quarters of an hour included', () => {
  assert.deepEqual([TIME_ZONE, UNKNOWN_ZONE], ['Asia/Kathmandu', null]);
  assert.equal(format.hourMinute(AT), '15:45');
  assert.match(format.period(AT, AT + 60_000, false), /^15:45.?–.?15:46( Uhr)?$/u);
  assert.equal(format.clock('2026-11-23T10:00:00.000Z', AT), '15:45:00');
  assert.match(format.fullTime(AT), /23\.11\.2026.*15:45/);
});

test('sentences are of one piece', () => {
  const connection = { phase: 'behind', reason: 'silent', retryAt: null, latencyMs: null, lastEventAt: null, role: 'alone', detail: null };
  assert.equal(troubleText(connection, 5_000), 'Vom Stream kommt nichts mehr. Was hier steht, kann veraltet sein.');
  assert.equal(troubleText({ ...connection, phase: 'refused', reason: 'full', detail: 'Full.' }, 5_000), 'Der Server sagt: „Full.“');
  assert.match(causes({ labels: ['a', 'b'], windowMs: 6 * 3_600_000 }).join(' '), /in den letzten 6 Stunden.*`a`, `b`/);
  assert.deepEqual([format.totalOf(86_400_000), format.totalOf(5_400_000), format.totalOf(900_000)], ['Gesamt, letzte 24 h', 'Gesamt, letzte 1,5 h', 'Gesamt, letzte 15 min']);
});
