/**
 * Texts that want to be markup, keys that want to be prototypes, and more of them than anybody would send: shown as what they
 * are, and nothing of it runs.
 */

import { FakeStream, frame, metrics, opening } from '../harness/fake_stream.mjs';
import { overflow } from './smoke.mjs';

const MARKUP = '<img src=x onerror=alert(1)>';
const SCRIPT = '"><script>window.__ran=true</script>';
const NAMES = [
  '__proto__', 'constructor', 'toString', 'hasOwnProperty', MARKUP, SCRIPT, 'javascript:alert(1)', '{{7*7}}', '${window.__ran=true}',
  '\u202egnp.exe', 'a\u0000b', '\ud800', 'é'.repeat(40), ' ', '😀', "'; DROP TABLE items; --", '../../etc/passwd', '%00', '&lt;b&gt;',
];
const HOSTILE_LABELS = ['positive', MARKUP, '__proto__', 'constructor'];
const LONG = 100_000;

/** @type {import('./index.mjs').Scenario[]} */
export const hostile = [
  { name: 'hostile-rows', about: 'markup and prototypes in rows of a real table', run: rows },
  { name: 'hostile-stream', about: 'a stream that says what no server of ours would', run: stream },
];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function rows(stage) {
  const { checks } = stage;
  const table = await stage.table();
  const local = await stage.local(table.env);
  const origins = [new URL(local.page).origin, local.stream];
  const browser = await stage.chromium(origins);
  // Some are there before, so that REST tells of them too.
  await table.write({ id: `before ${MARKUP}`, tickers: ['__proto__', MARKUP], source: SCRIPT });
  const tab = await browser.open(local.page);
  await tab.untilCounting();
  await spy(tab);
  await table.write({ id: MARKUP, tickers: ['__proto__', 'constructor', MARKUP], source: MARKUP });
  await table.write({ id: 'last', tickers: ['LAST'], source: 'last.' });
  await tab.until('the last row', () => document.getElementById('feed')?.textContent?.includes('last.'));
  await checks.run('markup is shown as text', () => tab.until('the text', shows).then(() => ''));
  await checks.run('tickers called __proto__ and constructor are tickers', async () => {
    const tickers = await tab.evaluate(() => [...document.querySelectorAll('#tickers tr th')].map((node) => node.textContent));
    const missing = ['__proto__', 'constructor', '<img src=x onerror=alert(1)>'].filter((name) => !tickers.includes(name));
    return missing.length === 0 ? '' : `not ${missing.join(', ')} in ${tickers.join(', ')}`;
  });
  await checkNothingRan(stage, tab);
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function stream(stage) {
  const { checks } = stage;
  const local = await stage.local();
  const gates = await stage.gates(local, { LABELS: HOSTILE_LABELS, LABEL_KEYS: HOSTILE_LABELS });
  const fake = new FakeStream(() => opening('evt_1'));
  gates.stream.handle('/api/v2/stream', fake.handler);
  const browser = await stage.chromium(gates.origins);
  const tab = await browser.open(gates.url);
  await tab.untilLive();
  await spy(tab);
  const update = (index, extra) => frame('sentiment_update', {
    item_id: `hostile-${index}`, ticker: 'AAPL', score: 0.5, label: 'positive', confidence: 0.9, source: 'x', timestamp: new Date().toISOString(), ...extra,
  }, `evt_${index + 2}`);
  await fake.send(metrics(Object.fromEntries(NAMES.map((name, index) => [name === '__proto__' ? 'proto' : name, index + 1]))));
  await fake.send(metrics(Object.assign(Object.create(null), { ['__proto__']: 3, constructor: 4, AAPL: 5 })));
  let index = 0;
  for (const name of NAMES) await fake.send(update((index += 1), { ticker: name, label: name, source: name, item_id: name }));
  await fake.send(update((index += 1), { source: 'x'.repeat(LONG), ticker: 'y'.repeat(LONG), label: 'z'.repeat(LONG) }));
  // What is not an event of ours at all.
  for (const data of ['', '{', 'null', '[]', '"text"', '1e999', '{"ticker":{"a":1},"label":[]}', `{"__proto__":{"ticker":"P"},"label":"x"}`]) {
    await fake.send(`event: sentiment_update\ndata: ${data}\n\nevent: metrics\ndata: ${data}\n\nevent: unknown\ndata: ${data}\n\n`);
  }
  await fake.send(update((index += 1), { source: 'last.', timestamp: 'yesterday', score: 1e300, confidence: -5 }));
  await checks.run('the page goes on to the end', () => tab.until('the last update', () => document.getElementById('feed')?.textContent?.includes('last.')).then(() => ''));
  await checks.run('markup is shown as text', () => tab.until('the text', shows).then(() => ''));
  await checks.run('a text of 100 KB does not make the page wider', () => tab.evaluate(overflow));
  await checks.run('a text of 100 KB is cut', async () => {
    const longest = await tab.evaluate(() => Math.max(...[...document.querySelectorAll('#feed .entry, #tickers tr')].map((node) => node.textContent?.length ?? 0)));
    return longest < 2_000 ? '' : `an entry of ${longest} characters`;
  });
  await checkNothingRan(stage, tab);
}

/** Notes what must not happen. @param {import('../harness/tab.mjs').Tab} tab */
const spy = (tab) => tab.evaluate(() => {
  window.alert = () => Object.assign(window, { __ran: true });
});

/** Runs inside the page. */
const shows = () => document.getElementById('feed')?.textContent?.includes('<img src=x onerror=alert(1)>');

/** @param {import('../harness/stage.mjs').Stage} stage @param {import('../harness/tab.mjs').Tab} tab */
async function checkNothingRan(stage, tab) {
  await stage.checks.run('nothing of it ran, and no prototype was changed', async () => {
    const found = await tab.evaluate(() => ({
      ran: /** @type {any} */ (window).__ran === true,
      // The page's own picture is in its head from the start.
      images: document.querySelectorAll('img:not(#logo), iframe, object, embed').length,
      scripts: [...document.querySelectorAll('main script, header script')].length,
      prototype: Object.keys(Object.prototype).join(),
    }));
    return found.ran || found.images || found.scripts || found.prototype ? JSON.stringify(found) : '';
  });
  await stage.checks.run('still live', async () => void (await tab.untilLive()));
  await stage.checkClean([tab]);
}
