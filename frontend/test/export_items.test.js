import assert from 'node:assert/strict';
import { test } from 'node:test';

import { collect, EXPORT_ITEMS_MAX } from '../js/export_items.js';

/** A server that gives these pages one after the other; what it was asked is kept. */
function pages(...texts) {
  const asked = [];
  const get = async (path) => {
    const text = texts[asked.length];
    asked.push(path);
    if (text instanceof Error) throw text;
    return { text, next: asked.length < texts.length ? `c/${asked.length}` : null };
  };
  return { asked, get };
}

/** What a person gets. */
async function file(format, { asked, get }, query = '') {
  const counts = [];
  const waits = [];
  const { parts, count, isCut } = await collect(query, format, { get, onCount: (so) => counts.push(so), wait: async () => void waits.push(asked.length) });
  return { text: parts.join(''), count, isCut, counts, waits };
}

const failure = (status) => Object.assign(new Error(`status ${status}`), { status });

test('pages become one table with one head, whatever their cells say', async () => {
  const head = 'item_id,"a ""b""\r\nc"\r\n';
  const server = pages(`${head}1,x\r\n2,"two\r\nlines ""and"" quotes"\r\n`, `${head}3,'=1+1\r\n`, head);
  const { text, count, isCut, counts } = await file('csv', server, '&from=2026&tickers=A');
  assert.equal(text, `${head}1,x\r\n2,"two\r\nlines ""and"" quotes"\r\n3,'=1+1\r\n`);
  assert.deepEqual([count, isCut, counts], [3, false, [2, 3, 3]]);
  const path = '/items?limit=1000&from=2026&tickers=A&format=csv';
  assert.deepEqual(server.asked, [path, `${path}&after=c%2F1`, `${path}&after=c%2F2`]);
});

test('pages become one list, with its numbers as they were', async () => {
  const server = pages('{"items":[{"n":1.0},{"n":"],["}],"next":"c/1"}', '{"items":[{"n":12345678901234567890}],"next":null}');
  const { text, count } = await file('json', server);
  assert.equal(text, '{"items":[{"n":1.0},{"n":"],["},{"n":12345678901234567890}],"next":null}');
  assert.deepEqual([count, server.asked[1]], [3, '/items?limit=1000&after=c%2F1']);
  assert.equal((await file('json', pages('{"items":[],"next":null}'))).text, '{"items":[],"next":null}');
  assert.equal((await file('json', pages('{"items":[],"next":"c/1"}', '{"items":[{}],"next":null}'))).text, '{"items":[{}],"next":null}');
});

test('a file that is too large ends with the newest items and says so', async () => {
  const page = JSON.stringify({ items: Array.from({ length: 1_000 }, () => 0), next: 'x' });
  const server = pages(...Array.from({ length: 200 }, () => page));
  const { text, count, isCut } = await file('json', server);
  assert.deepEqual([count, isCut, server.asked.length], [EXPORT_ITEMS_MAX, true, EXPORT_ITEMS_MAX / 1_000]);
  const { items, next } = JSON.parse(text);
  assert.deepEqual([items.length, next], [EXPORT_ITEMS_MAX, 'c/100']);
  const long = `id\r\n${'x'.repeat(2 ** 25)}\r\n`;
  const few = await file('csv', pages(long, long, long));
  assert.deepEqual([few.count, few.isCut], [2, true]);
  assert.equal((await file('csv', pages(long, long))).isCut, false);
});

test('a page that does not come is asked for again, and what will not come ends it', async () => {
  const server = pages('{"items":[1],"next":"c/1"}', failure(503), failure(null), '{"items":[2],"next":null}');
  const { text, waits } = await file('json', server);
  assert.deepEqual([text, waits], ['{"items":[1,2],"next":null}', [2, 3]]);
  await assert.rejects(file('json', pages(failure(503), failure(502), failure(503), '')), { message: 'status 503' });
  const refused = pages(failure(401), '');
  await assert.rejects(file('json', refused), { message: 'status 401' });
  assert.equal(refused.asked.length, 1);
  await assert.rejects(file('csv', pages('a\r\n1\r\n', 'a,b\r\n1,2\r\n')), { message: 'The columns have changed meanwhile: begin anew.' });
});
