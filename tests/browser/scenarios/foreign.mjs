/**
 * A cookie named as ours that another program of the same domain has set: a text of its own, and a token of an issuer that nobody
 * here knows. The page works as if there were none.
 */

import { untruth } from '../harness/phases.mjs';
import { inBoth } from './private.mjs';

/** Both are sent along; the one with the longer path first. */
const FOREIGN = [
  `session=${'s%3Aq7d2'.repeat(5)}.x/y+z=; Path=/; HttpOnly`,
  `session=${['{"alg":"RS256","kid":"elsewhere","typ":"JWT"}', '{"iss":"https://accounts.example.com","sub":"bob","aud":"other","exp":4102444800}', 'no signature of anybody here']
    .map((text) => Buffer.from(text).toString('base64url')).join('.')}; Path=/api/v2; HttpOnly`,
];

/** @type {import('./index.mjs').Scenario[]} */
export const foreign = [
  { name: 'foreign-cookie', about: "another program's `session` cookie beside a page whose user is a cookie too", play: (stage, kind) => play(stage, kind, true) },
  { name: 'foreign-cookie-header', about: "another program's `session` cookie beside a page that sends its token itself", play: (stage, kind) => play(stage, kind, false) },
  { name: 'foreign-cookie-private', about: "another program's `session` cookie where everybody needs a user", play: (stage, kind) => play(stage, kind, true, { AUTH_PRIVATE: 'true' }) },
].flatMap(inBoth);

/**
 * @param {import('../harness/stage.mjs').Stage} stage @param {import('./private.mjs').Kind} kind
 * @param {boolean} isSigned whether CloudFront's signature stands where a token would @param {Record<string, string>} env
 */
async function play(stage, kind, isSigned, env = {}) {
  const { checks } = stage;
  const table = await stage.table();
  const local = await stage.local({ ...table.env, AUTH_MODE: 'session', ...env });
  const front = await stage.front(local, { SIGNED_REQUESTS: isSigned });
  front.gate.handle('/other-program', (_, response) => {
    response.writeHead(200, { 'content-type': 'text/html', 'set-cookie': FOREIGN }).end('<!doctype html><link rel="icon" href="data:,"><title>another program</title>');
  });
  const sent = new Set();
  front.gate.onRequest = ({ url, headers }) => url.startsWith('/api/v2/stream') && sent.add((headers.cookie ?? '').split(';').filter((pair) => /^\s*session=/.test(pair)).length);
  const browser = await stage.browser(kind, front.origins);
  await (await browser.open(`${front.url}other-program`)).close();
  for (const ticker of ['AAPL', 'MSFT', 'NVDA']) await table.write({ tickers: [ticker] });
  const tab = await browser.open(front.url);

  await checks.run('the badge says live, and the numbers are right', () => isLive(tab, 3));
  await checks.run('both cookies were sent', () => (Math.max(...sent) >= FOREIGN.length ? '' : `so many: ${[...sent]}`));
  await checks.run('an update arrives', async () => {
    await table.write({ tickers: ['AAPL'] });
    await tab.untilHasAll(table.written.slice(-1));
    await isLive(tab, 4);
  });
  await checks.run('a configuration is saved and narrows the stream', async () => {
    await tab.evaluate(saveOne);
    await tab.until('it is chosen', chosen, (name) => name === 'Chips');
    await isLive(tab, 1);
    await table.write({ tickers: ['NVDA'] });
    await tab.untilHasAll(table.written.slice(-1));
    await isLive(tab, 2);
  });
  await checks.run('it is there after the page was loaded anew', async () => {
    const again = await browser.open(`${front.url}${await tab.evaluate(() => location.hash)}`);
    await again.until('it is chosen', chosen, (name) => name === 'Chips');
    await isLive(again, 2);
    await again.close();
  });
  await checks.run('the badge told the truth', async () => untruth((await tab.seen()).phases, 0, Date.now(), ['connecting', 'live', 'resumed']));
  await stage.checkClean([tab]);
}

/** @param {import('../harness/tab.mjs').Tab} tab @param {number} total */
async function isLive(tab, total) {
  await tab.untilLive();
  await tab.until(`a total of ${total}`, () => document.getElementById('total')?.textContent, (text) => text === String(total));
}

// These run inside the page.
const chosen = () => /** @type {HTMLSelectElement | null} */ (document.getElementById('configuration-select'))?.selectedOptions[0]?.textContent;
const saveOne = () => {
  const of = (id) => /** @type {any} */ (document.getElementById(id));
  of('configuration-new').click();
  of('configuration-name').value = 'Chips';
  of('configuration-tickers').value = 'NVDA';
  of('configuration-save').click();
};
