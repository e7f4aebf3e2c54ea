/**
 * How the page looks, in pictures for people (target/screenshots) and roughly for the test: where its regions are, and which
 * colours a picture has when it is made very small. `UPDATE=1` takes what is there for right.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { pause, REDRAWN_MS } from '../harness/clock.mjs';
import { OUTPUT, ROOT } from '../harness/places.mjs';
import { overflow } from './smoke.mjs';

const REFERENCE = path.join(ROOT, 'tests/browser/looks.json');
const SIZES = { desk: { width: 1280, height: 800 }, wide: { width: 1920, height: 1080 }, phone: { width: 390, height: 844 } };
const REGIONS = ['.top', '.totals', '.over-time', '.tickers', '.feed'];
/** Numbers are of different lengths at different times of day; a region that is elsewhere is off by more. */
const BOX_TOLERANCE = 40;
const CELLS = { columns: 16, rows: 10 };
/** Mean difference of a colour, of 255. The other colour scheme differs by 200; what is missing in a region, smoke tells. */
const COLOUR_TOLERANCE = 12;

/** @type {import('./index.mjs').Scenario[]} */
export const looks = [
  { name: 'looks', about: 'pictures: light, dark, desk, wide, phone, dialog', run: sizes },
  { name: 'badges', about: 'pictures: every state of the badge', run: badges },
];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function sizes(stage) {
  const { checks } = stage;
  mkdirSync(OUTPUT, { recursive: true });
  const local = await stage.local();
  const browser = await stage.chromium([new URL(local.page).origin, local.stream]);
  const tab = await browser.open(local.page);
  const developer = await browser.open('about:blank', { window: true });
  await tab.untilCounting();
  await tab.until('the feed', () => document.querySelectorAll('#feed .entry').length >= 12);
  const known = process.env.UPDATE ? {} : JSON.parse(readFileSync(REFERENCE, 'utf8'));
  for (const [size, viewport] of Object.entries(SIZES)) {
    await tab.page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await tab.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await pause(REDRAWN_MS);
      const name = `dashboard-${size}-${colorScheme}`;
      const look = { boxes: await tab.evaluate(boxes, REGIONS), cells: await cells(tab, developer, name) };
      if (process.env.UPDATE) known[name] = look;
      else await checks.run(name, () => differences(look, known[name]));
      await checks.run(`${name} fits its window`, () => tab.evaluate(overflow));
      await tab.page.click('#configuration-new');
      await tab.page.screenshot({ path: path.join(OUTPUT, `dialog-${size}-${colorScheme}.png`) });
      await tab.page.keyboard.press('Escape');
    }
  }
  if (process.env.UPDATE) writeFileSync(REFERENCE, `${JSON.stringify(known).replaceAll('"dashboard-', '\n"dashboard-').replace(/}$/, '\n}')}\n`);
  await stage.checkClean([tab]);
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function badges(stage) {
  const { checks } = stage;
  mkdirSync(OUTPUT, { recursive: true });
  const local = await stage.local();
  const { page, stream, url, origins } = await stage.gates(local);
  const browser = await stage.chromium(origins);
  const tab = await browser.open(url);
  await tab.untilCounting();
  const isRest = (asked) => asked.startsWith('/api/');
  /** @type {[string, () => unknown][]} each state with what leads to it from the one before */
  const ways = [
    ['live', () => undefined],
    ['behind', () => stream.swallow()],
    ['connecting', () => [stream.refuse(), page.answer(503, { only: isRest })]],
    ['refused', () => [stream.pass(), stream.answer(503)]],
    ['polling', () => page.pass()],
    ['resumed', () => stream.pass()],
    ['offline', () => [stream.refuse(), page.answer(503, { only: isRest }), browser.setOffline(true)]],
    ['live', () => [browser.setOffline(false), stream.pass(), page.pass()]],
  ];
  for (const [phase, way] of ways) {
    await checks.run(phase, async () => {
      await Promise.all([way()].flat());
      await tab.untilPhase([phase]);
      await tab.page.screenshot({ path: path.join(OUTPUT, `badge-${phase}.png`) });
      const words = await tab.evaluate(() => document.getElementById('phase')?.textContent?.trim());
      return words ? '' : 'it says nothing';
    });
  }
  await stage.checkClean([tab], { network: true });
}

/** Runs inside the page. Where each region is, in pixels. @param {string[]} regions */
const boxes = (regions) => Object.fromEntries(regions.map((region) => {
  const { left, top, width, height } = document.querySelector(region)?.getBoundingClientRect() ?? { left: -1, top: -1, width: -1, height: -1 };
  return [region, [left, top, width, height].map(Math.round)];
}));

/** Takes a picture and returns its colours when it is made very small. The page's policy lets no script see pictures, so another tab does it. */
async function cells(tab, developer, name) {
  const picture = await tab.page.screenshot({ path: path.join(OUTPUT, `${name}.png`) });
  return developer.evaluate(async ({ data, columns, rows }) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: columns, height: rows });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, columns, rows);
    const { data: pixels } = context.getImageData(0, 0, columns, rows);
    const hex = (value) => value.toString(16).padStart(2, '0');
    return Array.from({ length: columns * rows }, (_, cell) => [0, 1, 2].map((part) => hex(pixels[4 * cell + part])).join('')).join('');
  }, { data: picture.toString('base64'), ...CELLS });
}

/**
 * Says how a look differs from every one that is known of a picture. There are two of the phone: where the machine's font is
 * wide, the badge has a line of its own below the title. `UPDATE=1` writes one; put the other back beside it.
 */
function differences(look, known) {
  const all = [known].flat().map((one) => difference(look, one));
  return all.includes('') ? '' : all.join('; or ');
}

/** Says how a look differs from one that is known. */
function difference(look, known) {
  if (!known) return 'nothing to compare it with; UPDATE=1 takes it for right';
  const moved = Object.entries(known.boxes).flatMap(([region, box]) => {
    const off = Math.max(...box.map((value, index) => Math.abs(value - look.boxes[region][index])));
    return off <= BOX_TOLERANCE ? [] : [`${region} is at ${look.boxes[region]}, not at ${box}`];
  });
  if (moved.length > 0) return moved.join('; ');
  const colours = (text) => text.match(/../g).map((pair) => parseInt(pair, 16));
  const [now, before] = [colours(look.cells), colours(known.cells)];
  const mean = now.reduce((sum, value, index) => sum + Math.abs(value - before[index]), 0) / now.length;
  return mean <= COLOUR_TOLERANCE ? '' : `its colours differ by ${mean.toFixed(1)} of 255`;
}
