/**
 * A page that stays open all day: as many updates as a day has, as fast as it takes them, and no more memory in the end than
 * after the first fifth.
 */

import { until } from '../harness/clock.mjs';
import { FakeStream, frame, metrics, opening } from '../harness/fake_stream.mjs';

const FIRST = 20_000;
const ALL = 100_000;
const GROWTH_MAX = 0.1;
const NODES_MAX = 10_000;
const BURST = 500;
const TICKERS = Array.from({ length: 60 }, (_, index) => `T${String.fromCharCode(65 + (index % 26))}${String.fromCharCode(65 + Math.floor(index / 26))}`);
const LABELS = ['positive', 'neutral', 'negative'];

/** @type {import('./index.mjs').Scenario[]} */
export const memory = [{ name: 'memory', about: '100,000 updates leave no trace', alone: true, run }];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function run(stage) {
  const { checks } = stage;
  const local = await stage.local();
  const gates = await stage.gates(local);
  const fake = new FakeStream(() => opening('evt_1') + metrics({ AAPL: 1 }, 'evt_1'));
  gates.stream.handle('/api/v2/stream', fake.handler);
  const browser = await stage.chromium(gates.origins, { moves: true });
  const tab = await browser.open(gates.url, { keepUpdates: false });
  await tab.untilCounting();
  const began = Date.now();
  await feed(fake, tab, 0, FIRST);
  const early = { heap: await tab.heap(), nodes: await nodes(tab) };
  await feed(fake, tab, FIRST, ALL);
  const late = { heap: await tab.heap(), nodes: await nodes(tab) };
  const growth = late.heap / early.heap - 1;
  checks.note(`${ALL} updates in ${((Date.now() - began) / 1000).toFixed(1)} s; heap ${mega(early.heap)} MB after ${FIRST}, ${mega(late.heap)} MB after ${ALL} (${(growth * 100).toFixed(1)} %); ${late.nodes} nodes`);
  await checks.run(`the heap grows by less than ${GROWTH_MAX * 100} %`, () => (growth < GROWTH_MAX ? '' : `by ${(growth * 100).toFixed(1)} %`));
  await checks.run(`the document has less than ${NODES_MAX} nodes`, () => (late.nodes < NODES_MAX ? '' : `${late.nodes}`));
  await checks.run('still live', async () => void (await tab.untilLive()));
  await stage.checkClean([tab]);
}

/** Sends updates and waits until the page has taken them in. */
async function feed(fake, tab, from, to) {
  for (let index = from; index < to; index += BURST) {
    let bytes = '';
    for (let number = index; number < index + BURST; number += 1) bytes += update(number);
    await fake.send(bytes + metrics({ AAPL: index + BURST }, `evt_${index + BURST}`));
    // A page that is behind would only fill the buffers in between.
    await until('the page keeps up', () => taken(tab), (count) => count >= index - 4 * BURST, 60_000);
  }
  await until(`${to} updates`, () => taken(tab), (count) => count >= to, 60_000);
}

const taken = (tab) => tab.evaluate(() => /** @type {any} */ (window).__seen.taken);
const nodes = (tab) => tab.evaluate(() => document.getElementsByTagName('*').length);
const mega = (bytes) => (bytes / 1e6).toFixed(2);

/** @param {number} number */
function update(number) {
  return frame('sentiment_update', {
    item_id: `item-${number}`, ticker: TICKERS[number % TICKERS.length], score: ((number % 21) - 10) / 10, label: LABELS[number % LABELS.length],
    confidence: 0.9, source: `source ${number % 1000}`, timestamp: new Date().toISOString(),
  }, `evt_${number}`);
}
