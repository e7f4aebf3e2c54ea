import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { Goodbye } from '../js/goodbye.js';
import { readConfig } from '../js/read_config.js';

/** @param {'beacon' | 'signed'} way */
function page(way, sha256 = async (text) => createHash('sha256').update(text).digest('hex')) {
  const sent = [];
  const post = {
    beacon: (url, body) => sent.push({ url, body }) > 0,
    post: async (url, body, headers) => sent.push({ url, body, headers }),
    sha256,
  };
  return { sent, goodbye: new Goodbye('https://a.example/api/v2/stream/goodbye', way, post) };
}

test('a beacon carries the id of the stream', async () => {
  const { sent, goodbye } = page('beacon');
  goodbye.say();
  assert.deepEqual(sent, []);
  goodbye.opened('a1');
  goodbye.say();
  goodbye.say();
  assert.deepEqual(sent, [{ url: 'https://a.example/api/v2/stream/goodbye', body: '{"stream_id":"a1"}' }]);
});

test('behind CloudFront the hash of the body goes along, made before the page goes', async () => {
  const { sent, goodbye } = page('signed');
  await goodbye.opened('a1');
  goodbye.say();
  assert.equal(sent.length, 1, 'at once: a page that goes waits for nothing');
  assert.equal(sent[0].headers['x-amz-content-sha256'], createHash('sha256').update('{"stream_id":"a1"}').digest('hex'));
  assert.equal(sent[0].headers['content-type'], 'application/json');
});

test('a hash that came too late, or of another stream, is not sent', async () => {
  let finish;
  const slow = page('signed', () => new Promise((resolve) => { finish = resolve; }));
  const first = slow.goodbye.opened('a1');
  slow.goodbye.say();
  finish('00');
  await first;
  slow.goodbye.say();
  const second = slow.goodbye.opened('b2');
  const finishSecond = finish;
  const third = slow.goodbye.opened('c3');
  finishSecond('02');
  await second;
  slow.goodbye.say();
  finish('03');
  await third;
  assert.deepEqual(slow.sent, []);
  const broken = page('signed', () => Promise.reject(new Error('no secure context')));
  await broken.goodbye.opened('a1');
  broken.goodbye.say();
  assert.deepEqual(broken.sent, []);
});

test('config.js says whether and how', () => {
  const config = (more) => readConfig({ API_BASE_URL: 'https://api.example/', SSE_BASE_URL: '', LABELS: ['a'], UPDATE_EVENT: 'u', ...more });
  assert.equal(config({}).goodbye, null);
  assert.equal(config({ GOODBYE: 'signed' }).goodbye, 'signed');
  assert.equal(config({}).goodbyeUrl, 'https://api.example/api/v2/stream/goodbye');
  assert.throws(() => config({ GOODBYE: 'pigeon' }), /GOODBYE/);
});
