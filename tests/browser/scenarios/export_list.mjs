/**
 * The list of what can be exported, as people open it: at rest, while a file is being made, and when that has failed or is done. In both
 * languages and themes, on a phone, a laptop and at twice the size: axe has nothing to say, and all of it can be reached. A picture of each
 * is left in target/screenshots.
 */

import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { pause, REDRAWN_MS } from '../harness/clock.mjs';
import { OUTPUT } from '../harness/places.mjs';
import { loadAxe, violations } from './accessibility.mjs';
import { overflow } from './smoke.mjs';

/** Twice the size leaves a laptop half as many pixels. */
const SIZES = { phone: { width: 390, height: 844 }, laptop: { width: 1280, height: 800 }, zoomed: { width: 640, height: 400 }, 'zoomed-phone': { width: 320, height: 422 } };
const FAILED = JSON.stringify({ detail: 'The table does not answer. Try again later.' });

/** @type {import('./index.mjs').Scenario[]} */
export const exportList = ['en', 'de'].map((language) => ({ name: `export-${language}`, about: `the export list, at rest and at work: ${language}`, run: (stage) => run(stage, language) }));

/** @param {import('../harness/stage.mjs').Stage} stage @param {string} language */
async function run(stage, language) {
  const { checks } = stage;
  mkdirSync(OUTPUT, { recursive: true });
  const local = await stage.local({ SAMPLE_RATE: '3' });
  const { page, url, origins } = await stage.gates(local, { LANGUAGE: language });
  const browser = await stage.chromium(origins);
  const tab = await browser.open(url);
  await tab.untilCounting();
  await loadAxe(tab);
  await checks.run('it opens by keys', async () => {
    await tab.page.focus('#export summary');
    await tab.page.keyboard.press('Enter');
    await tab.until('the list', isReady);
    await tab.page.keyboard.press('Tab');
    await tab.until('the next stop', focused, (id) => id === 'export-items-csv');
  });
  await looked(stage, tab, `export-${language}`);
  const isItems = (asked) => asked.includes('/items?limit=1000');
  page.hold(isItems);
  const begin = async () => {
    await tab.page.click('#export-items-csv');
    await tab.until('the first page is asked for', () => document.getElementById('export-cancel')?.checkVisibility());
  };
  await begin();
  await looked(stage, tab, `export-${language}-making`);
  // The page does not wait for ever, and may have given up while so many pictures were taken.
  await begin();
  await checks.run('it can be cancelled by keys, and says no more of it', async () => {
    await tab.page.focus('#export-cancel');
    await tab.page.keyboard.press('Enter');
    await tab.until('its end', () => document.getElementById('export-cancel')?.checkVisibility(), (isThere) => isThere === false);
    return tab.evaluate(() => document.getElementById('export-status')?.textContent ?? '');
  });
  await checks.run('the place of who cancelled is not lost', async () => {
    const place = await tab.evaluate(focused);
    return place === 'export-items-csv' ? '' : `it is at ${place || 'no place'}`;
  });
  page.release();
  page.answer(400, { only: isItems, body: FAILED });
  await tab.page.click('#export-items-json');
  await tab.until('that it has failed', () => document.getElementById('export-status')?.textContent ?? '', (text) => text.includes('does not answer'));
  await looked(stage, tab, `export-${language}-failed`);
  await page.pass();
  await tab.page.click('#export-items-csv');
  await tab.until('that it is done', () => document.getElementById('export-status')?.textContent ?? '', (text) => /saved|gespeichert/.test(text) && /\d/.test(text));
  await looked(stage, tab, `export-${language}-done`);
  await checks.run('Escape closes it, and leads back', async () => {
    await tab.page.focus('#export-history-csv');
    await tab.page.keyboard.press('Escape');
    const seen = () => [/** @type {HTMLDetailsElement} */ (document.getElementById('export')).open, document.activeElement?.tagName];
    await tab.until('where it was opened', seen, ([isOpen, place]) => !isOpen && place === 'SUMMARY');
  });
  await stage.checkClean([tab], { network: true });
}

/** A picture of each size and theme; all of it is in the window or can be scrolled to, and axe has nothing to say. */
async function looked(stage, tab, name) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    await tab.page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await tab.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await pause(REDRAWN_MS);
      await tab.page.screenshot({ path: path.join(OUTPUT, `${name}-${size}-${colorScheme}.png`) });
      await stage.checks.run(`${name}, ${size}, ${colorScheme}: fits`, async () => (await tab.evaluate(overflow)) || tab.evaluate(outside));
      await stage.checks.run(`${name}, ${size}, ${colorScheme}: axe`, () => violations(tab, '#export'));
    }
  }
}

// These run inside the page.
const focused = () => document.activeElement?.id;
const isReady = () => /** @type {HTMLButtonElement} */ (document.getElementById('export-items-csv')).checkVisibility() && !/** @type {HTMLButtonElement} */ (document.getElementById('export-items-csv')).disabled;
/** What of the list is beyond the window where nobody can scroll to, or under something else. */
const outside = () => {
  const wrong = [];
  for (const node of document.querySelectorAll('#export li > *')) {
    if (!node.checkVisibility() || node.textContent === '') continue;
    const { left, right, top, bottom } = node.getBoundingClientRect();
    const { clientWidth, scrollHeight } = document.documentElement;
    if (left < 0 || right > clientWidth || bottom + scrollY > Math.max(scrollHeight, innerHeight)) wrong.push(`${node.id} is at ${[left, top, right, bottom].map(Math.round)}`);
    const onTop = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    if (bottom < innerHeight && onTop && !node.contains(onTop)) wrong.push(`${node.id} is under ${onTop.id || onTop.className || onTop.tagName}`);
  }
  return wrong.join('; ');
};
