/**
 * The page on the sample feed, as somebody sees it who has just typed `./justw dev`.
 */

const UPDATES_MIN = 2;
const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/** @type {import('./index.mjs').Scenario[]} */
export const smoke = [{ name: 'smoke', about: 'the page on the sample feed: live, right, fits a phone', alone: true, run }];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function run(stage) {
  const { checks } = stage;
  const local = await stage.local();
  const origins = [new URL(local.page).origin, local.stream];
  const browser = await stage.chromium(origins, { moves: true });
  const tab = await browser.open(local.page, { viewport: WIDE });
  await checks.run('the badge says live', async () => void (await tab.untilLive()));
  await checks.run('the totals are numbers that add up', async () => void (await tab.until('the totals', totals, addUp)));
  await checks.run(`the feed shows ${UPDATES_MIN} updates`, async () => {
    await tab.until('the feed', () => document.querySelectorAll('#feed .entry:not(.earlier)').length, (count) => count >= UPDATES_MIN);
  });
  await checks.run('the table shows tickers', async () => {
    await tab.until('the table', () => document.querySelectorAll('#tickers tr').length);
  });
  await checks.run('the page fits its window', () => tab.evaluate(overflow));
  await checks.run('the page fits a phone', async () => {
    await tab.page.setViewportSize(PHONE);
    return tab.evaluate(overflow);
  });
  await checks.run('one stream is open', async () => {
    const open = await local.connections();
    return open === 1 ? '' : `${open} are`;
  });
  await checks.run('still live', async () => void (await tab.untilLive()));
  await stage.checkClean([tab]);
}

// These run inside the page.
const totals = () => ({
  total: document.getElementById('total')?.textContent,
  labels: [...document.querySelectorAll('#labels .figure')].map((node) => node.textContent),
  lastHour: document.getElementById('rate-hour')?.textContent,
});
export const overflow = () => {
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth > clientWidth ? `${scrollWidth} px wide content in a ${clientWidth} px window` : '';
};

export function addUp({ total, labels, lastHour }) {
  const numbers = [total, ...labels, lastHour].map((text) => (/^\d[\d,.]*$/.test(text) ? Number(text.replaceAll(',', '')) : NaN));
  if (labels.length === 0 || numbers.some(Number.isNaN)) return false;
  return numbers.slice(1, 1 + labels.length).reduce((sum, count) => sum + count, 0) === numbers[0];
}
