/**
 * Saved configurations, by keyboard alone, and seen from another tab.
 */

import { until } from '../harness/clock.mjs';

/** @type {import('./index.mjs').Scenario[]} */
export const configurations = [{ name: 'configurations', about: 'made, changed and deleted by keyboard; another tab sees it', run }];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function run(stage) {
  const { checks } = stage;
  const table = await stage.table();
  const local = await stage.local(table.env);
  const browser = await stage.chromium([new URL(local.page).origin, local.stream]);
  const tab = await browser.open(local.page, { window: true });
  await tab.untilCounting();
  const { keyboard } = tab.page;
  for (const ticker of ['AAPL', 'MSFT', 'NVDA']) await table.write({ tickers: [ticker] });
  await tab.untilHasAll(table.written);

  await checks.run('one is made by keyboard', async () => {
    await reach(tab, 'configuration-new');
    await keyboard.press('Enter');
    await tab.until('the dialog', isOpen);
    await reach(tab, 'configuration-name');
    await keyboard.type('Chips');
    await reach(tab, 'configuration-tickers');
    await keyboard.type('nvda, aapl');
    await reach(tab, 'configuration-save');
    await keyboard.press('Enter');
    await tab.until('the dialog closes', isOpen, (open) => !open);
    await tab.until('it is chosen', chosen, (name) => name === 'Chips');
  });
  await checks.run('the stream is narrowed', async () => {
    await untilTotal(tab, 2);
    const mark = await writeAll(table, ['MSFT', 'NVDA', 'AAPL']);
    await untilHeard(tab, mark, ['NVDA', 'AAPL'], ['MSFT']);
    await untilTotal(tab, 4);
  });
  await checks.run('a mistake is told and nothing is lost', async () => {
    await reach(tab, 'configuration-new');
    await keyboard.press('Enter');
    await tab.until('the dialog', isOpen);
    await reach(tab, 'configuration-name');
    await keyboard.type('Wrong');
    await reach(tab, 'configuration-tickers');
    await keyboard.type('TOOLONG'.repeat(10));
    await keyboard.press('Enter');
    await tab.until('the mistake', () => document.getElementById('configuration-error')?.textContent, (text) => text?.includes('TOOLONG'));
    await keyboard.press('Escape');
    await tab.until('the dialog closes', isOpen, (open) => !open);
    await tab.until('the choice', chosen, (name) => name === 'Chips');
  });
  let other;
  await checks.run('another tab sees it', async () => {
    other = await browser.open(local.page, { window: true });
    await other.until('it is offered', names, (list) => list.includes('Chips'));
  });
  await checks.run('it is changed by keyboard, and the stream follows', async () => {
    await tab.show();
    await reach(tab, 'configuration-edit');
    await keyboard.press('Enter');
    await tab.until('the dialog', isOpen);
    await reach(tab, 'configuration-tickers');
    await keyboard.press('Control+A');
    await keyboard.type('MSFT');
    await keyboard.press('Enter');
    await tab.until('the dialog closes', isOpen, (open) => !open);
    await untilTotal(tab, 2);
    const mark = await writeAll(table, ['NVDA', 'MSFT']);
    await untilHeard(tab, mark, ['MSFT'], ['NVDA']);
  });
  await checks.run('it is deleted by keyboard, and everything is shown', async () => {
    await reach(tab, 'configuration-delete');
    await keyboard.press('Enter');
    await tab.until('everything is chosen', chosen, (name) => name === 'Everything');
    await tab.until('it is not offered', names, (list) => !list.includes('Chips'));
    await untilTotal(tab, table.written.length);
    const mark = await writeAll(table, ['NVDA', 'MSFT']);
    await untilHeard(tab, mark, ['NVDA', 'MSFT'], []);
  });
  await checks.run('a tab that shows it when it is deleted falls back to everything', () => until('everything', () => other.evaluate(chosen), (name) => name === 'Everything').then(() => ''));
  await stage.checkClean([tab, ...(other ? [other] : [])]);
}

/** Goes on by the Tab key until the focus is where it should be. */
async function reach(tab, id) {
  for (let step = 0; step < 60; step += 1) {
    if ((await tab.evaluate(() => document.activeElement?.id)) === id) return;
    await tab.page.keyboard.press('Tab');
  }
  throw new Error(`the Tab key never gets to #${id}`);
}

/** Writes a row for each ticker and returns what was written. */
async function writeAll(table, tickers) {
  const from = table.written.length;
  for (const ticker of tickers) await table.write({ tickers: [ticker] });
  return table.written.slice(from);
}

/** Waits for the numbers of what is chosen: what is written from then on is an update of it. */
async function untilTotal(tab, total) {
  await tab.untilLive();
  await tab.until(`a total of ${total}`, () => document.getElementById('total')?.textContent, (text) => text === String(total));
}

/** Waits for the last of what must come, and looks that nothing came that must not. */
async function untilHeard(tab, rows, wanted, unwanted) {
  const of = (tickers) => rows.filter(({ key }) => tickers.includes(key.split(' ')[1]));
  await tab.untilHasAll(of(wanted));
  const heard = new Set((await tab.seen()).updates.map(({ key }) => key));
  const wrong = of(unwanted).filter(({ key }) => heard.has(key));
  if (wrong.length > 0) throw new Error(`heard ${wrong.map(({ key }) => key).join(', ')}`);
}

// These run inside the page.
const isOpen = () => /** @type {HTMLDialogElement | null} */ (document.getElementById('configuration-dialog'))?.open === true;
const names = () => [...document.querySelectorAll('#configuration-select option')].map((node) => node.textContent);
const chosen = () => /** @type {HTMLSelectElement | null} */ (document.getElementById('configuration-select'))?.selectedOptions[0]?.textContent;
