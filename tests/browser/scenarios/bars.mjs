/**
 * What is behind a bar of the chart: by pointer and by keys, under a filter, in both languages and themes, on a desk and on a phone. A picture
 * of each is left in target/screenshots.
 */

import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { pause, REDRAWN_MS } from '../harness/clock.mjs';
import { OUTPUT } from '../harness/places.mjs';
import { loadAxe, violations } from './accessibility.mjs';
import { overflow } from './smoke.mjs';

const SIZES = { desk: { width: 1280, height: 800 }, phone: { width: 390, height: 844 }, zoomed: { width: 640, height: 400 } };
/** Steps of the usual range, and one in its middle: no update comes to it any more. */
const [STEPS, STEP] = [60, 30];

/** @type {import('./index.mjs').Scenario[]} */
export const bars = [{ name: 'bars', about: 'what is behind a bar of the chart', run }];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function run(stage) {
  const { checks } = stage;
  mkdirSync(OUTPUT, { recursive: true });
  const local = await stage.local({ SAMPLE_RATE: '1' });
  const { url, origins } = await stage.gates(local, { LANGUAGE: 'de' });
  const browser = await stage.chromium([new URL(local.page).origin, local.stream, ...origins]);
  const tab = await browser.open(local.page);
  await drawn(tab);
  /** @type {string[]} what the page asked for */
  const asked = [];
  tab.page.on('request', (request) => request.url().includes('/items?limit=50&') && asked.push(request.url()));
  const total = () => Number(document.getElementById('total')?.textContent?.replace(/\D/g, ''));
  const all = await tab.evaluate(total);
  for (const filter of ['', '"AAPL"']) {
    await tab.page.fill('#filter', filter);
    // The stream of what is meant has begun, after its history.
    if (filter !== '') await tab.until('fewer', total, (found) => found > 0 && found < all / 2);
    await checks.run(`a bar opens, and has what REST says of it: ${filter || 'everything'}`, async () => {
      await press(tab);
      const found = await tab.until('the items', said, ({ items, note }) => items > 0 && !note.includes('Reading'));
      const query = new URL(asked.at(-1) ?? '').searchParams;
      query.delete('limit');
      const { points } = await (await fetch(`${local.page}api/v2/history?step=1m&${query}`)).json();
      const { total, by_label: byLabel } = points[0];
      const counts = Object.values(byLabel).filter((count) => count > 0).sort().join();
      await tab.page.keyboard.press('Escape');
      return points.length === 1 && counts === found.counts.sort().join() && found.items === Math.min(total, 50) && total > 0 && (filter === '') !== query.has('tickers') ? '' : JSON.stringify([found, points, String(query)]);
    });
  }
  await tab.page.fill('#filter', '');
  await tab.until('all again', total, (found) => found >= all);
  await checks.run('an item of it opens whole, above it', async () => {
    await press(tab);
    await tab.until('the items', said, ({ items }) => items > 0);
    await tab.page.click('#step-items .link');
    // Its code comes when the first one is opened.
    await tab.until('the item', () => /** @type {HTMLDialogElement} */ (document.getElementById('details')).open);
    const found = await tab.evaluate(() => [document.getElementById('details-title')?.textContent, document.querySelector('#step-items .link')?.textContent, /** @type {HTMLDialogElement} */ (document.getElementById('details')).open]);
    await tab.page.keyboard.press('Escape');
    await tab.until('the item to close', () => /** @type {HTMLDialogElement} */ (document.getElementById('details')).open, (isOpen) => !isOpen);
    const isBelow = await tab.evaluate(() => /** @type {HTMLDialogElement} */ (document.getElementById('step')).open);
    await tab.page.keyboard.press('Escape');
    return found[0] === found[1] && found[2] && isBelow ? '' : JSON.stringify([found, isBelow]);
  });
  await checks.run('by keys it opens from the table, and leads back there', async () => {
    await tab.page.click('#chart-toggle');
    await tab.page.focus('#chart-table tbody tr:nth-child(3) button');
    const from = await tab.evaluate(() => /** @type {HTMLElement} */ (document.activeElement).dataset.from);
    await tab.page.keyboard.press('Enter');
    await tab.until('the items', said, ({ items }) => items > 0);
    // Updates come meanwhile, and the table has other numbers.
    const received = () => document.getElementById('feed-aside')?.textContent ?? '';
    const before = await tab.evaluate(received);
    await tab.until('an update', received, (now) => now !== before);
    await tab.page.keyboard.press('Escape');
    await tab.until('another update', received, (now) => now !== before);
    const back = await tab.until('the button', () => /** @type {HTMLElement} */ (document.activeElement).dataset.from, (found) => found === from);
    await tab.page.click('#chart-toggle');
    return back === from ? '' : `${back}, not ${from}`;
  });
  await looked(stage, tab, 'bars');
  const german = await browser.open(url);
  await drawn(german);
  await looked(stage, german, 'bars-de');
  await stage.checkClean([tab, german]);
}

/** A picture of each size and theme; it fits, and axe has nothing to say. */
async function looked(stage, tab, name) {
  await loadAxe(tab);
  for (const [size, viewport] of Object.entries(SIZES)) {
    await tab.page.setViewportSize(viewport);
    await pause(REDRAWN_MS);
    await press(tab);
    await tab.until('the items', said, ({ items }) => items > 0);
    for (const colorScheme of ['light', 'dark']) {
      await tab.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await pause(REDRAWN_MS);
      await tab.page.screenshot({ path: path.join(OUTPUT, `${name}-${size}-${colorScheme}.png`) });
      await stage.checks.run(`${name}, ${size}, ${colorScheme}: fits`, async () => (await tab.evaluate(overflow)) || tab.evaluate(within));
      await stage.checks.run(`${name}, ${size}, ${colorScheme}: axe`, () => violations(tab));
    }
    await tab.page.keyboard.press('Escape');
  }
}

/** @param {import('../harness/tab.mjs').Tab} tab */
async function drawn(tab) {
  await tab.untilCounting();
  await tab.until('the chart', () => document.querySelector('#chart canvas') !== null && /** @type {HTMLElement} */ (document.getElementById('chart-empty')).hidden);
}

/** Presses the bar in the middle, once the chart has its history. @param {any} tab */
async function press(tab) {
  await tab.until('the history', () => /** @type {HTMLElement} */ (document.getElementById('chart-empty')).hidden);
  await tab.page.locator('#chart').scrollIntoViewIfNeeded();
  const { left, top, width, height } = await tab.evaluate(() => {
    const { left, top, width, height } = /** @type {Element} */ (document.querySelector('#chart .u-over')).getBoundingClientRect();
    return { left, top, width, height };
  });
  const [x, y] = [left + (width * (STEP + 0.5)) / STEPS, top + height * 0.6];
  await tab.page.mouse.move(x - 1, y);
  await tab.page.mouse.click(x, y);
  await tab.until('the dialog', () => /** @type {HTMLDialogElement} */ (document.getElementById('step')).open);
}

// These run inside the page.
const said = () => ({
  items: document.querySelectorAll('#step-items > li').length,
  counts: [...document.querySelectorAll('#step-counts strong')].map(({ textContent }) => textContent ?? ''),
  note: document.getElementById('step-note')?.textContent ?? '',
});
const within = () => {
  const { left, right, top, bottom } = /** @type {Element} */ (document.getElementById('step')).getBoundingClientRect();
  return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight ? '' : `it is at ${[left, top, right, bottom].map(Math.round)}`;
};
