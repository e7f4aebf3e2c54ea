/**
 * What axe finds, in both colour schemes, on a desk and on a phone, with and without the dialog.
 */

import { readFileSync } from 'node:fs';

import { pause, REDRAWN_MS } from '../harness/clock.mjs';
import { toolPath } from '../harness/places.mjs';

const LABELS = 3;
/** The chart is made anew. */
const FORCED_MS = 3_000;
const SIZES = { wide: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

/** @type {import('./index.mjs').Scenario[]} */
export const accessibility = [{ name: 'accessibility', about: 'axe has nothing to say', run }];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function run(stage) {
  const { checks } = stage;
  const local = await stage.local();
  const browser = await stage.chromium([new URL(local.page).origin, local.stream]);
  const tab = await browser.open(local.page);
  await tab.untilCounting();
  await tab.until('the feed', () => document.querySelectorAll('#feed .entry').length >= 3);
  await loadAxe(tab);
  for (const [size, viewport] of Object.entries(SIZES)) {
    await tab.page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await tab.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await pause(REDRAWN_MS);
      await checks.run(`${size}, ${colorScheme}`, () => violations(tab));
      await tab.page.click('#configuration-new');
      await checks.run(`${size}, ${colorScheme}, the dialog`, () => violations(tab));
      await tab.page.keyboard.press('Escape');
      await tab.page.click('#feed .source');
      // Its code comes when the first one is opened.
      await tab.until('the item', () => /** @type {HTMLDialogElement} */ (document.getElementById('details')).open);
      await checks.run(`${size}, ${colorScheme}, an item`, () => violations(tab));
      await tab.page.keyboard.press('Escape');
    }
  }
  await tab.page.setViewportSize(SIZES.wide);
  for (const colorScheme of ['light', 'dark']) {
    await tab.page.emulateMedia({ colorScheme, forcedColors: 'active' });
    await tab.until('bars that differ', barColours, (count) => count >= LABELS, FORCED_MS).catch(() => undefined);
    await checks.run(`forced colours, ${colorScheme}: bars of each label, and what is pressed`, async () => {
      const found = [await tab.evaluate(barColours), ...(await tab.evaluate(buttonColours))];
      return found[0] >= LABELS && found[1] !== found[2] ? '' : `${found[0]} colours of bars; pressed ${found[1]}, others ${found[2]}`;
    });
  }
  await stage.checkClean([tab]);
}

// These run inside the page.

/** How many colours there is much of in the chart. */
const barColours = () => {
  const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('#chart canvas'));
  const { data } = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')).getImageData(0, 0, canvas.width, canvas.height);
  const counts = new Map();
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue, alpha] = data.subarray(at, at + 4);
    // Grey is of lines and letters.
    if (alpha === 255 && Math.max(red, green, blue) - Math.min(red, green, blue) > 8) counts.set((red << 16) | (green << 8) | blue, (counts.get((red << 16) | (green << 8) | blue) ?? 0) + 1);
  }
  return [...counts.values()].filter((count) => count > 200).length;
};

const buttonColours = () => ['true', 'false'].map((isPressed) => getComputedStyle(/** @type {Element} */ (document.querySelector(`#ranges [aria-pressed="${isPressed}"]`))).backgroundColor);

/** Loads axe as the debugger and not as a script element: the page's policy allows none. @param {any} tab */
export async function loadAxe(tab) {
  await tab.cdp.send('Runtime.evaluate', { expression: readFileSync(toolPath('axe-core/axe.min.js'), 'utf8') });
}

/** @param {import('../harness/tab.mjs').Tab} tab @param {string} [within] what is looked at, where the rest is as it was */
export async function violations(tab, within = 'html') {
  const found = await tab.evaluate(async (selector) => {
    const result = await /** @type {any} */ (window).axe.run(selector, { resultTypes: ['violations'] });
    return result.violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ target, failureSummary }) => `${target.join(' ')} (${failureSummary?.split('\n')[1]?.trim()})`).join(', ')}`);
  }, within);
  return found.join('; ');
}
