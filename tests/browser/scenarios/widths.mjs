/**
 * The tables at every width of a window: a count is whole and alone in its cell, a name has room before columns that say less, and
 * the chart's table scrolls sideways within its box where it has many labels.
 */

import { pause, REDRAWN_MS } from '../harness/clock.mjs';

const [FIRST, LAST, STEP] = [320, 2_000, 10];
const HEIGHT = 800;
const PHONE = { width: 412, height: 915 };
const MANY = Array.from({ length: 16 }, (_, index) => `label ${index + 1}`);

/** @type {import('./index.mjs').Scenario[]} */
export const widths = [
  { name: 'widths', about: 'the table of tickers in windows from 320 to 2000 px: no count is cut or painted over', run: sweep },
  { name: 'many-labels', about: 'the table of a chart of sixteen labels on a phone', run: manyLabels },
];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function sweep(stage) {
  const { checks } = stage;
  const local = await stage.local();
  const tabs = [];
  for (const [language, config] of /** @type {const} */ ([['en', {}], ['de', { LANGUAGE: 'de' }]])) {
    const { url, origins } = await stage.gates(local, config);
    const browser = await stage.chromium(origins);
    const tab = await browser.open(url);
    tabs.push(tab);
    for (const address of ['', '?tv=1', '?embed=1']) {
      await tab.page.goto(`${url}${address}`);
      await tab.until('the tickers', () => document.querySelectorAll('#tickers tr .chip').length >= 3);
      await checks.run(`${language} ${address}`, () => wrongWidths(tab));
    }
  }
  await stage.checkClean(tabs);
}

/** @param {any} tab */
async function wrongWidths(tab) {
  const wrong = [];
  for (let width = FIRST; width <= LAST; width += STEP) {
    await tab.page.setViewportSize({ width, height: HEIGHT });
    const found = await tab.evaluate(crowded);
    if (found !== '') wrong.push(`${width} px: ${found}`);
  }
  return wrong.join('; ');
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function manyLabels(stage) {
  const { checks } = stage;
  const { url, origins } = await stage.gates(await stage.local(), { LABELS: MANY, LABEL_KEYS: MANY.map((label) => label.replace(' ', '_')) });
  const browser = await stage.chromium(origins);
  const tab = await browser.open(url, { viewport: PHONE });
  await tab.untilCounting();
  await tab.page.click('#chart-toggle');
  await tab.until('lines', () => document.querySelectorAll('#chart-table tbody tr').length);
  await checks.run('times and numbers are whole', () => tab.evaluate(cutCells));
  await checks.run('times stay where they are when it is scrolled', async () => {
    const before = await tab.evaluate(timeAt);
    await tab.evaluate(() => void (/** @type {HTMLElement} */ (document.getElementById('chart-table')).scrollLeft = 300));
    await pause(REDRAWN_MS);
    const after = await tab.evaluate(timeAt);
    return after.scrolled > 0 && after.left === before.left ? '' : JSON.stringify({ before, after });
  });
  await stage.checkClean([tab]);
}

// These run inside the page.

/** Counts of seven digits are put in, as of a busy table; the page puts its own back when they change. */
const crowded = () => {
  const NAME_MIN = 60;
  const span = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return range.getBoundingClientRect();
  };
  const isWhole = (cell) => {
    const [text, box] = [span(cell), cell.getBoundingClientRect()];
    return text.left >= box.left - 0.5 && text.right <= box.right + 0.5;
  };
  const heads = [...document.querySelectorAll('.tickers thead th')].filter((cell) => cell.checkVisibility());
  const wrong = heads.filter((cell) => !isWhole(cell)).map((cell) => `the head ${cell.textContent} is cut`);
  const rows = [...document.querySelectorAll('#tickers tr')].slice(0, 3);
  const table = document.querySelector('.tickers table')?.getBoundingClientRect().right ?? NaN;
  if (rows.some((row) => (row.querySelector('svg')?.getBoundingClientRect().right ?? 0) > table)) wrong.push('a line is cut');
  for (const row of rows) {
    const [name, count] = ['.name', '.count'].map((place) => /** @type {HTMLElement} */ (row.querySelector(place)));
    const before = count.textContent;
    count.textContent = '1,234,567';
    if (!isWhole(count)) wrong.push('a count is cut');
    count.textContent = before;
    const { paddingLeft, paddingRight } = getComputedStyle(name);
    const room = name.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
    if (room < NAME_MIN) wrong.push(`a name has ${Math.round(room)} px`);
  }
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) wrong.push('the page is wider than its window');
  return [...new Set(wrong)].join(', ');
};

const cutCells = () => {
  const cells = [...document.querySelectorAll('#chart-table :is(th, td)')];
  const isCut = (node) => node !== null && node.scrollWidth > node.clientWidth + 1;
  const cut = cells.filter((cell) => isCut(cell) || isCut(cell.querySelector('button')));
  return cut.length === 0 ? '' : `${cut.length} of ${cells.length} are cut: ${cut.slice(0, 3).map((cell) => cell.textContent).join(', ')}`;
};

const timeAt = () => ({
  scrolled: document.getElementById('chart-table')?.scrollLeft ?? 0,
  left: Math.round(document.querySelector('#chart-table tbody th')?.getBoundingClientRect().left ?? NaN),
});
