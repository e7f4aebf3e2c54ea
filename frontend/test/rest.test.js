import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Configurations, parseForm } from '../js/configurations.js';
import { Rest, RestError } from '../js/rest.js';
import { Storage } from '../js/storage.js';

const NOW = 1_700_000_000_000;
const LATER = new Date(NOW + 60_000).toISOString();

/** A server whose answers are given in order; what it was asked is kept. */
function server(...answers) {
  const asked = [];
  const fetch = async (url, init) => {
    asked.push({ url, ...init });
    const answer = answers.shift();
    if (typeof answer === 'function') return answer(init);
    const [status, body] = answer;
    const headers = answer[2] ?? {};
    return new Response(body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
  };
  return { asked, fetch };
}

function memory(values = {}) {
  const kept = new Map(Object.entries(values));
  return { kept, place: () => ({ getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) }) };
}

function rest({ fetch }, { authMode = 'session', isPrivate = false, signedRequests = false, place = memory().place } = {}) {
  const storage = new Storage(place);
  const made = new Rest({ restBase: 'https://rest.example', authMode, isPrivate, signedRequests }, { fetch, storage, sha256: async (text) => `hash of ${text}`, now: () => NOW });
  return { rest: made, storage };
}

const session = (fields = {}) => ({ session: JSON.stringify({ token: 't1', expiresAt: NOW + 1, ...fields }) });
const message = (promise) => promise.then(() => 'no error', (error) => error.message);

test('an answer is its JSON, and none is none', async () => {
  const asked = server([200, { total: 3 }], [204]);
  const { rest: api } = rest(asked, { place: memory(session()).place });
  assert.deepEqual(await api.get('/metrics'), { total: 3 });
  assert.equal(await api.change('DELETE', '/configurations/a'), null);
  assert.equal(asked.asked[0].url, 'https://rest.example/api/v2/metrics');
});

test('an answer tells the time of the server, whatever it says', async () => {
  const date = (moment) => new Date(moment).toUTCString();
  const { rest: api } = rest(server([200, {}, { date: date(NOW) }], [200, {}, { date: date(NOW), age: '90' }], [500, {}, { date: date(NOW + 1_000) }], [200, {}], [200, {}, { date: 'soon' }]));
  const times = [];
  api.onTime = (time) => times.push(time);
  for (let index = 0; index < 5; index += 1) await api.get('/metrics').catch(() => null);
  assert.deepEqual(times, [NOW, NOW + 90_000, NOW + 1_000]);
});

test('a page is its text, and its header says where the next one is', async () => {
  const link = (query) => ({ link: `</api/v2/items?${query}>; rel="next"` });
  const asked = server([200, 'a\r\n', link('limit=2&after=A%2FB')], [200, 'b', link('after=x&limit=2')], [200, 'c'], [400, { detail: 'no' }]);
  const { rest: api } = rest(asked);
  assert.deepEqual(await api.page('/items'), { text: 'a\r\n', next: 'A/B' });
  assert.deepEqual(await api.page('/items'), { text: 'b', next: 'x' });
  assert.deepEqual(await api.page('/items'), { text: 'c', next: null });
  assert.equal(await message(api.page('/items')), 'No.');
});

test('numbers that ask for a user get one in mode session, once for all who ask', async () => {
  const { detail } = { detail: 'Missing user identification' };
  const asked = server([401, { detail }], [401, { detail }], [201, { token: 't2', expires_at: LATER }], [200, { total: 1 }], [200, { items: [] }], [200, {}]);
  const { rest: api } = rest(asked);
  assert.equal(api.isPrivate, false);
  assert.deepEqual(await Promise.all([api.get('/metrics'), api.get('/items')]), [{ total: 1 }, { items: [] }]);
  await api.get('/metrics');
  assert.deepEqual(asked.asked.map(({ method }) => method), ['GET', 'GET', 'POST', 'GET', 'GET', 'GET']);
  assert.deepEqual(asked.asked.map(({ headers }) => headers.authorization), [undefined, undefined, undefined, 'Bearer t2', 'Bearer t2', 'Bearer t2']);
  assert.equal(api.isPrivate, true);
});

test('where the config says that all is private, a user is there before anything is asked for, and one only', async () => {
  const asked = server([201, { token: 't2', expires_at: LATER }], [200, { total: 1 }], [200, {}]);
  const { rest: api } = rest(asked, { isPrivate: true });
  assert.deepEqual([api.isPrivate, api.lacksUser], [true, true]);
  await Promise.all([api.admitted(), api.get('/metrics')]);
  assert.deepEqual([api.lacksUser, api.token], [false, 't2']);
  await api.admitted();
  await api.get('/items');
  assert.deepEqual(asked.asked.map(({ method, headers }) => [method, headers.authorization]), [['POST', undefined], ['GET', 'Bearer t2'], ['GET', 'Bearer t2']]);
  const held = server([200, {}]);
  const { rest: again } = rest(held, { isPrivate: true, place: memory(session()).place });
  assert.equal(again.lacksUser, false);
  await again.get('/metrics');
  assert.deepEqual(held.asked.map(({ headers }) => headers.authorization), ['Bearer t1']);
});

test('a user is made nowhere but in mode session', async () => {
  const asked = server([401, { detail: 'Missing user identification' }]);
  const { rest: api } = rest(asked, { authMode: 'jwt', isPrivate: true });
  assert.equal(api.lacksUser, false);
  await api.admitted();
  assert.equal(await message(api.get('/metrics')), 'Missing user identification.');
  assert.deepEqual(asked.asked.map(({ method }) => method), ['GET']);
});

test('in other modes a 401 is an error, and nobody becomes a user', async () => {
  const asked = server([401, { detail: 'Missing user identification' }]);
  const { rest: api } = rest(asked, { authMode: 'jwt' });
  assert.equal(await message(api.get('/metrics')), 'Missing user identification.');
  assert.deepEqual([asked.asked.length, api.isPrivate], [1, true]);
});

test('what went wrong is one sentence', async () => {
  const check = async (answer, expected) => assert.equal(await message(rest(server(answer)).rest.get('/x')), expected);
  await check([404, { detail: 'Configuration not found' }], 'Configuration not found.');
  await check([429, { detail: 'Too many requests', retry_after: 2.5 }], 'Too many requests. Try again in 3 s.');
  await check([500, 'oops'], 'The server answered with status 500.');
  await check([500, { detail: 7 }], 'The server answered with status 500.');
  await check([502, '<html>'], 'The server answered with status 502.');
  await check([200, '<html>'], 'The server answered something that is not JSON.');
  await check([400, { detail: 'Not valid', errors: [{ field: 'name', detail: 'too long' }, { field: 'tickers[1]', detail: 'no ticker!' }] }], 'Too long. No ticker!');
  await check(() => Promise.reject(new TypeError('fetch failed')), 'The server cannot be reached.');
});

test('what is wrong names the fields', async () => {
  const { rest: api } = rest(server([400, { detail: 'x', errors: [{ field: 'tickers[1]', detail: 'no' }, { detail: 3 }] }]));
  const error = await api.get('/x').catch((caught) => caught);
  assert.ok(error instanceof RestError);
  assert.deepEqual([error.status, error.fields], [400, [{ field: 'tickers[1]', detail: 'no' }]]);
});

test('a server that does not answer is given up', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const hangs = ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  const asking = message(rest(server(hangs)).rest.get('/x'));
  await new Promise(setImmediate);
  t.mock.timers.tick(10_000);
  assert.equal(await asking, 'The server took too long to answer.');
});

test('who asked may stop asking', async () => {
  const hangs = ({ signal }) => new Promise((_, reject) => (signal.aborted ? reject(signal.reason) : signal.addEventListener('abort', () => reject(signal.reason))));
  for (const when of ['before', 'after']) {
    const controller = new AbortController();
    if (when === 'before') controller.abort(new Error('enough'));
    const asking = rest(server(hangs)).rest.get('/x', controller.signal).catch((error) => error);
    controller.abort();
    assert.ok(!((await asking) instanceof RestError), when);
  }
});

test('nobody becomes a user by looking, only by changing something', async () => {
  const asked = server([200, {}], [201, { token: 'new', user_id: 'u', expires_at: LATER }], [201, { config_id: 'a' }]);
  const { rest: api, storage } = rest(asked);
  await api.get('/metrics');
  assert.deepEqual([api.hasSession, api.token, storage.get('session')], [false, null, null]);
  await api.change('POST', '/configurations', { name: 'Ä' });
  assert.deepEqual(asked.asked.map(({ url }) => url.split('/api/v2')[1]), ['/metrics', '/auth/anonymous', '/configurations']);
  assert.deepEqual(asked.asked[2].headers, { 'content-type': 'application/json', authorization: 'Bearer new' });
  assert.equal(asked.asked[2].body, '{"name":"Ä"}');
  assert.deepEqual([api.hasSession, api.token], [true, 'new']);
  const later = server([200, {}], [200, {}]);
  const { rest: again } = rest(later, { place: memory(session()).place });
  await again.get('/items?limit=1');
  await again.get('/configurations');
  assert.deepEqual(later.asked.map(({ headers }) => headers), [{}, { authorization: 'Bearer t1' }]);
});

test('a session that the server does not take any more is renewed once', async () => {
  const asked = server([401, {}], [201, { token: 't2', expires_at: LATER }], [401, { detail: 'Missing user identification' }]);
  const { rest: api } = rest(asked, { place: memory(session()).place });
  assert.equal(await message(api.change('PUT', '/configurations/a', {})), 'Missing user identification.');
  assert.deepEqual(asked.asked.map(({ headers }) => headers.authorization), ['Bearer t1', undefined, 'Bearer t2']);
});

test('in other modes somebody else knows the user', async () => {
  for (const [authMode, hasSession] of [['off', false], ['trusted-header', true], ['jwt', true]]) {
    assert.equal(rest(server(), { authMode }).rest.hasSession, hasSession, authMode);
  }
  const asked = server([401, {}]);
  assert.equal(await message(rest(asked, { authMode: 'jwt' }).rest.change('POST', '/configurations', {})), 'The server answered with status 401.');
  assert.equal(asked.asked.length, 1);
});

test('where requests are signed the body has its hash, the cookie is the session, and no script can read it', async () => {
  const place = memory();
  const asked = server([201, { token: 'secret', expires_at: LATER }], [201, { config_id: 'a' }], [204], [200, {}]);
  const { rest: api } = rest(asked, { signedRequests: true, place: place.place });
  await api.change('POST', '/configurations', { name: 'a' });
  await api.change('DELETE', '/configurations/a');
  await api.get('/configurations');
  assert.deepEqual(asked.asked.map(({ headers }) => headers), [
    { 'x-amz-content-sha256': 'hash of ' },
    { 'content-type': 'application/json', 'x-amz-content-sha256': 'hash of {"name":"a"}' },
    { 'x-amz-content-sha256': 'hash of ' },
    {},
  ]);
  assert.deepEqual([api.hasSession, api.token, place.kept.get('session').includes('secret')], [true, null, false]);
});

test('a session that is over, or a value of somebody else, is no session', () => {
  for (const values of [session({ expiresAt: NOW }), { session: '{' }, { session: 'null' }, {}]) {
    assert.equal(rest(server(), { place: memory(values).place }).rest.hasSession, false, JSON.stringify(values));
  }
});

test('where the browser keeps nothing, values live as long as the page', () => {
  const storage = new Storage(() => { throw new Error('SecurityError'); });
  storage.set('a', '1');
  assert.equal(storage.get('a'), '1');
  storage.set('a', null);
  assert.equal(storage.get('a'), null);
});

test('what the reader typed is a configuration, or every mistake in it', () => {
  const known = ['AAPL', 'MSFT', 'NVDA', 'severity 1', 'eu-west-1'];
  const tickers = (text) => parseForm('Tech', text, known).tickers;
  assert.deepEqual(parseForm('  Tech ', 'aapl, msft;AAPL', known), { name: 'Tech', tickers: ['AAPL', 'MSFT'], mistakes: [] });
  assert.deepEqual(tickers('aapl  nvda, EU-West-1,severity 1, Severity 1'), ['AAPL', 'NVDA', 'eu-west-1', 'severity 1']);
  assert.deepEqual(tickers('aapl zzz, 600519,ß '), ['aapl zzz', '600519', 'ß'], 'what is not known is as it was typed');
  const details = (name, tickers) => parseForm(name, tickers).mistakes.map(({ detail }) => detail);
  assert.deepEqual(details(' ', ''), ['Give it a name.', 'Name at least one.']);
  assert.deepEqual(details('x'.repeat(51), Array.from({ length: 51 }, (_, n) => `T${n}`).join()), ['The name has at most 50 characters.', 'At most 50 of them.']);
  assert.deepEqual(details('😀'.repeat(50), 'A,B,C,D,E'), [], 'characters, not code units');
  assert.deepEqual(details('x', `BRK.B, ${'é'.repeat(33)}, ${'é'.repeat(32)}`), [`Each has at most 64 bytes: ${'é'.repeat(33)} has more.`]);
});

function configurations(asked, { hash = '', values = session() } = {}) {
  const place = memory(values);
  const { rest: api, storage } = rest(asked, { place: place.place });
  const address = { hash: () => hash, setHash: (next) => (hash = next) };
  return { made: new Configurations(api, storage, address), hash: () => hash, kept: place.kept };
}

test('the choice is in the address and kept', () => {
  const { made, hash, kept } = configurations(server());
  made.choose('a/b');
  assert.deepEqual([hash(), kept.get('configuration'), made.isStale], ['#configuration=a%2Fb', 'a/b', false]);
  made.choose('');
  assert.deepEqual([hash(), kept.has('configuration')], ['', false]);
  assert.equal(configurations(server(), { hash: '#configuration=a%2Fb' }).made.chosen, 'a/b');
  assert.equal(configurations(server(), { values: { ...session(), configuration: 'c' } }).made.chosen, 'c');
  assert.equal(configurations(server(), { values: { configuration: 'c' } }).made.chosen, '', 'of a session that is gone');
  assert.equal(configurations(server(), { hash: '#configuration=%' }).made.chosen, '');
});

test('a list is read, and follows what is changed', async () => {
  const b = { config_id: 'b', name: 'B', tickers: ['X'] };
  const { made } = configurations(server([200, { configurations: [b, { name: 'no id' }, null] }], [201, { config_id: 'a', name: 'A', tickers: ['Y'] }],
    [200, { ...b, name: '0' }], [204]));
  await made.load();
  await made.add({ name: 'A', tickers: ['Y'] });
  assert.deepEqual(made.list.map(({ name }) => name), ['A', 'B']);
  await made.edit('b', { name: '0', tickers: ['X'] });
  assert.deepEqual(made.list.map(({ name }) => name), ['0', 'A']);
  await made.remove('a');
  assert.deepEqual(made.list.map(({ config_id: id }) => id), ['b']);
});

test('a list that was asked for before something was saved does not take it back', async () => {
  let answer;
  const late = () => new Promise((resolve) => (answer = () => resolve(Response.json({ configurations: [] }))));
  const { made } = configurations(server(late, [201, { config_id: 'a', name: 'A', tickers: ['Y'] }]));
  const loading = made.load();
  await made.add({ name: 'A', tickers: ['Y'] });
  answer();
  await loading;
  assert.deepEqual(made.list.map(({ config_id: id }) => id), ['a']);
});

test('whether the chosen one is there is known only from an answer that says so', async () => {
  const isThere = (...answers) => configurations(server(...answers)).made.isThere();
  assert.deepEqual(await Promise.all([isThere([200, {}]), isThere([404, {}]), isThere([401, {}]), isThere([500, {}])]), [true, false, false, null]);
  const asked = server();
  assert.equal(await configurations(asked, { values: {} }).made.isThere(), false);
  assert.equal(asked.asked.length, 0);
});
