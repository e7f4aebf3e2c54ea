/**
 * What the page costs: bytes, time to the first picture, movement of what is shown, frames while much happens.
 */

import { gzipSync } from 'node:zlib';

import { pause } from '../harness/clock.mjs';
import { slowness } from '../harness/slowness.mjs';

const BYTES_MAX = 130 * 1024;
const PAINT_MS = 2_000;
const SHIFT_MAX = 0.02;
const RATE = 50;
const FRAMES_MS = 6_000;
/** Frames at that rate, as a share of what an empty page has in the same browser, which draws without a graphics card here. */
const FRAMES_MIN = 0.6;
const SETTLE_MS = 3_000;

/** @type {import('./index.mjs').Scenario[]} */
export const budget = [{ name: 'budget', about: 'bytes, first paint, layout shift, frames per second', alone: true, run }];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function run(stage) {
  const { checks } = stage;
  const local = await stage.local({ SAMPLE_RATE: String(RATE) });
  const browser = await stage.chromium([new URL(local.page).origin, local.stream], { moves: true });
  await warm(browser, local.page);

  const sizes = new Map();
  const histories = [];
  const tab = await browser.open('about:blank', { window: true });
  tab.page.on('response', (answer) => {
    const url = new URL(answer.url());
    if (url.pathname.endsWith('/history')) histories.push(url.href);
    if (url.origin !== new URL(local.page).origin || url.pathname.startsWith('/api/')) return;
    sizes.set(url.pathname, answer.body().then((body) => gzipSync(body).length, () => 0));
  });
  await tab.page.goto(local.page);
  await tab.untilCounting();
  const slow = slowness();
  checks.note(`this machine computes ${slow.toFixed(1)} times as long as the usual one`);
  await pause(SETTLE_MS);
  const bytes = await Promise.all([...sizes].map(async ([path, size]) => [path, await size]));
  const total = bytes.reduce((sum, [, size]) => sum + size, 0);
  checks.note(`${bytes.length} files, ${(total / 1024).toFixed(1)} KB compressed; largest: ${bytes.sort(([, left], [, right]) => right - left).slice(0, 4).map(([path, size]) => `${path} ${(size / 1024).toFixed(1)}`).join(', ')}`);
  await checks.run(`at most ${BYTES_MAX / 1024} KB compressed`, () => (total > 0 && total <= BYTES_MAX ? '' : `${total} bytes`));
  await checks.run('the history is asked for once, whoever asks first', () => {
    // With another minute it is another question.
    const isOnce = histories.length > 0 && new Set(histories).size === histories.length;
    return isOnce ? '' : histories.join(' ');
  });
  const seen = await tab.seen();
  checks.note(`first contentful paint after ${seen.painted?.toFixed(0)} ms, layout shift ${seen.shift.toFixed(4)} ${seen.shifts.slice(0, 3).join('; ')}`);
  await checks.run(`first contentful paint within ${PAINT_MS} ms on a usual machine`, () => {
    const limit = PAINT_MS * slow;
    return seen.painted !== null && seen.painted <= limit ? '' : `${seen.painted} ms, not ${limit.toFixed(0)}`;
  });

  const slowBefore = slowness();
  const busy = await tab.evaluate(frames, FRAMES_MS);
  const slowAt = Math.max(slowBefore, slowness());
  const after = await tab.seen();
  const rate = (after.taken - seen.taken) / (FRAMES_MS / 1000);
  await checks.run(`layout shift below ${SHIFT_MAX}, with all that arrives`, () => (after.shift < SHIFT_MAX ? '' : `${after.shift.toFixed(4)}: ${after.shifts.join('; ')}`));
  const empty = await browser.open(`${local.page}health`, { window: true });
  const idle = await empty.evaluate(frames, FRAMES_MS);
  const perSecond = (count) => ((count * 1000) / FRAMES_MS).toFixed(1);
  checks.note(`${perSecond(busy)} frames a second at ${rate.toFixed(0)} updates a second, ${perSecond(idle)} on an empty page`);
  await checks.run(`at least ${FRAMES_MIN * 100} % of the frames of an empty page on a usual machine`, () => {
    const limit = (FRAMES_MIN / slowAt) * idle;
    return busy >= limit ? '' : `${perSecond(busy)} of ${perSecond(idle)} a second, not ${perSecond(limit)}`;
  });
  await stage.checkClean([tab]);
}

/** The first visit pays for the start of a browser, which is no cost of the page. */
async function warm(browser, url) {
  const tab = await browser.open(url, { window: true });
  await tab.untilCounting();
  await tab.close();
}

/** Runs inside the page. Frames that it gets to draw in this time. @param {number} ms */
const frames = (ms) => new Promise((resolve) => {
  const end = performance.now() + ms;
  let count = 0;
  const next = () => {
    count += 1;
    if (performance.now() < end) requestAnimationFrame(next);
    else resolve(count);
  };
  requestAnimationFrame(next);
});
