/**
 * What axe finds, in both colour schemes, on a desk and on a phone, with and without the dialog.
 */

import { readFileSync } from 'node:fs';

import { toolPath } from '../harness/places.mjs';

const SIZES = { wide: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const MOTION_MS = 1_500;

/** @type {import('./index.mjs').Scenario[]} */
export const accessibility = [{ name: 'accessibility', about: 'axe has nothing to say', run }];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function run(stage) {
  const { checks } = stage;
  const local = await stage.local();
  const browser = await stage.chromium([new URL(local.page).origin, local.stream], { moves: true });
  const tab = await browser.open(local.page);
  await tab.untilCounting();
  await tab.until('the feed', () => document.querySelectorAll('#feed .entry').length >= 3);
  await loadAxe(tab);
  await tab.page.emulateMedia({ reducedMotion: 'reduce' });
  for (const [size, viewport] of Object.entries(SIZES)) {
    await tab.page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await tab.page.emulateMedia({ colorScheme });
      await tab.page.waitForTimeout(MOTION_MS); // what moves has no colour of its own yet
      await checks.run(`${size}, ${colorScheme}`, () => violations(tab));
      await tab.page.click('#configuration-new');
      await checks.run(`${size}, ${colorScheme}, the dialog`, () => violations(tab));
      await tab.page.keyboard.press('Escape');
      await tab.page.click('#feed .source');
      await checks.run(`${size}, ${colorScheme}, an item`, () => violations(tab));
      await tab.page.keyboard.press('Escape');
    }
  }
  await stage.checkClean([tab]);
}

/** Loads axe as the debugger and not as a script element: the page's policy allows none. @param {any} tab */
export async function loadAxe(tab) {
  await tab.cdp.send('Runtime.evaluate', { expression: readFileSync(toolPath('axe-core/axe.min.js'), 'utf8') });
}

/** @param {import('../harness/tab.mjs').Tab} tab */
export async function violations(tab) {
  const found = await tab.evaluate(async () => {
    const result = await /** @type {any} */ (window).axe.run(document, { resultTypes: ['violations'] });
    return result.violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ target, failureSummary }) => `${target.join(' ')} (${failureSummary?.split('\n')[1]?.trim()})`).join(', ')}`);
  });
  return found.join('; ');
}
