/**
 * A page whose stream is there and whose REST is not, or is slow: it does not call empty what it does not know, and has all of it as
 * soon as REST is there.
 */

import { pause } from '../harness/clock.mjs';

const ROWS = 12;
/** Longer than a stream waits for its history. */
const SLOW_MS = 4_500;
/** Two tries of a slow history, or the longest wait between two tries by then, and what a busy machine adds; a correction comes later. */
const SOON_MS = 30_000;

const isRest = (url) => url.startsWith('/api/');

/** @type {import('./index.mjs').Scenario[]} */
export const lateHistory = [
  { name: 'late-history-away', about: 'REST is away when the page opens, and comes back', run: (stage) => play(stage, away, 0) },
  { name: 'late-history-slow', about: 'REST is slow when the page opens, and rows are written meanwhile', run: (stage) => play(stage, slow, SLOW_MS) },
];

/**
 * @param {import('../harness/stage.mjs').Stage} stage
 * @param {(open: () => Promise<import('../harness/tab.mjs').Tab>, gate: import('../harness/gate.mjs').Gate, write: () => Promise<void>, checks: import('../harness/checks.mjs').Checks) => Promise<import('../harness/tab.mjs').Tab>} until
 * @param {number} historyMs how long a history is on its way
 */
async function play(stage, until, historyMs) {
  const table = await stage.table();
  const write = async () => {
    for (let row = 0; row < ROWS; row += 1) await table.write();
  };
  await write();
  const local = await stage.local(table.env);
  const { page, url, origins } = await stage.gates(local);
  // As far as the server is concerned, it answers at once.
  page.handle('/api/v2/history', async (request, response) => {
    const answer = await (await fetch(new URL(request.url ?? '', local.page))).text();
    await pause(historyMs);
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
  });
  const browser = await stage.chromium(origins);
  const tab = await until(() => browser.open(url), page, write, stage.checks);
  await stage.checks.run('chart, totals, tickers and feed have all', async () => {
    await tab.until('the same numbers', shown, isAll(table.written.length), SOON_MS);
  });
  await stage.checkClean([tab], { network: true });
}

async function away(open, gate, write, checks) {
  gate.answer(500, { only: isRest });
  const tab = await open();
  await tab.untilCounting();
  await checks.run('what is not known is not called empty', async () => {
    await tab.until('the sentence', () => document.getElementById('chart-empty')?.textContent, (text) => /could not be read/.test(text));
    const { time, chart } = await tab.evaluate(shown);
    return /not known/.test(time) && Number.isNaN(chart) ? '' : `${time}: ${chart}`;
  });
  await pause(SLOW_MS);
  await write();
  gate.pass();
  return tab;
}

async function slow(open, _, write) {
  const tab = await open();
  // After the first history was counted, and before the stream begins.
  await pause(SLOW_MS / 4);
  await write();
  await pause(SLOW_MS);
  return tab;
}

/** Runs inside the page. */
const shown = () => ({
  total: Number(document.getElementById('total')?.textContent),
  chart: [...document.querySelectorAll('#chart-legend .key:not([hidden], .key-mean) .key-value')].reduce((sum, node) => sum + Number(node.textContent), 0),
  time: document.getElementById('chart-time')?.textContent ?? '',
  nameless: [...document.querySelectorAll('#tickers tr .last')].filter((node) => node.textContent === '–').length,
  entries: document.querySelectorAll('#feed .entry').length,
});

// The feed begins with what was there when it was read.
const isAll = (count) => ({ total, chart, time, nameless, entries }) => total === count && chart === count && !/not known/.test(time) && nameless === 0 && entries >= ROWS;
