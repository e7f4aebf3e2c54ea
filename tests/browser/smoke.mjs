/**
 * Opens the page in a real browser, waits until it is live, and takes screenshots. Says exactly what was wrong, or
 * `N passed, 0 failed`. The page brings its own content security policy, so a breach shows up as an error here.
 *
 *   TOOLS_NODE_MODULES=… [CHROMIUM=…] node tests/browser/smoke.mjs PAGE_URL SCREENSHOT_DIR
 *
 * TOOLS_NODE_MODULES is the folder that holds `playwright-core`.
 */

import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Time for all waits together: what comes, comes soon. */
const WAIT_MS = 30_000;
const MOTION_MS = 1_500;
const UPDATES_MIN = 2;
const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** What the page did that it must not do. */
class Watch {
  console = [];
  pageErrors = [];
  foreign = [];
  policy = [];

  constructor(page, origins) {
    page.on('console', (message) => {
      if (message.type() !== 'error') return;
      const text = `${message.text()} (${message.location().url})`;
      (/Content Security Policy/i.test(text) ? this.policy : this.console).push(text);
    });
    page.on('pageerror', (error) => this.pageErrors.push(String(error)));
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol !== 'data:' && !origins.has(url.origin)) this.foreign.push(request.url());
    });
  }
}

/** Named checks; all of them run, so one report shows all that is wrong. */
class Checks {
  passed = 0;
  failed = 0;

  async run(name, check) {
    let wrong;
    try {
      wrong = await check();
    } catch (error) {
      wrong = String(error.message ?? error).split('\n')[0];
    }
    if (wrong) this.failed += 1;
    else this.passed += 1;
    console.log(wrong ? `not ok  ${name}: ${wrong}` : `ok      ${name}`);
  }
}

async function main() {
  const [pageUrl, screenshots] = process.argv.slice(2);
  if (!pageUrl || !screenshots || !process.env.TOOLS_NODE_MODULES) {
    console.error('usage: TOOLS_NODE_MODULES=DIR node tests/browser/smoke.mjs PAGE_URL SCREENSHOT_DIR');
    return 2;
  }
  const { chromium } = createRequire(path.join(path.resolve(process.env.TOOLS_NODE_MODULES), 'resolve.js'))('playwright-core');
  mkdirSync(screenshots, { recursive: true });
  const profile = mkdtempSync(path.join(tmpdir(), 'smoke-'));
  const checks = new Checks();
  try {
    const context = await chromium.launchPersistentContext(profile, { executablePath: browserPath(), args: FLAGS, viewport: WIDE });
    try {
      await checkPage(context, pageUrl, screenshots, checks);
    } finally {
      await context.close();
    }
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
  console.log(`${checks.passed} passed, ${checks.failed} failed`);
  return checks.failed === 0 ? 0 : 1;
}

async function checkPage(context, pageUrl, screenshots, checks) {
  const { origin } = new URL(pageUrl);
  const streamOrigin = await readStreamOrigin(pageUrl);
  const page = await context.newPage();
  const watch = new Watch(page, new Set([origin, streamOrigin]));
  const waitUntil = waitFor.bind(null, Date.now() + WAIT_MS);

  await checks.run('the page loads', () => page.goto(pageUrl).then((answer) => (answer.ok() ? '' : `status ${answer.status()}`)));
  await checks.run('the badge says live', () => waitUntil(page, phase, (seen) => seen === 'live'));
  await checks.run('the totals are numbers that add up', () => waitUntil(page, totals, addUp));
  await checks.run(`the feed shows ${UPDATES_MIN} updates`, () => waitUntil(page, feedLength, (seen) => seen >= UPDATES_MIN));
  await checks.run('the table shows tickers', () => waitUntil(page, tableLength, (seen) => seen > 0));
  await checks.run('screenshots', () => takeScreenshots(page, screenshots));
  await checks.run('the page fits a phone', () => page.evaluate(overflow));
  await checks.run('still live', () => waitUntil(page, phase, (seen) => seen === 'live'));
  await checks.run('no errors on the console', () => watch.console.join('; '));
  await checks.run('no uncaught errors', () => watch.pageErrors.join('; '));
  await checks.run('nothing the content security policy forbids', () => watch.policy.join('; '));
  await checks.run('no request to a third party', () => watch.foreign.join('; '));
}

// These run inside the page.
const phase = () => document.getElementById('badge')?.dataset.phase;
const feedLength = () => document.querySelectorAll('#feed .entry').length;
const tableLength = () => document.querySelectorAll('#tickers tr').length;
const totals = () => ({
  total: document.getElementById('total')?.textContent,
  labels: [...document.querySelectorAll('#labels .figure')].map((node) => node.textContent),
  rates: ['rate-hour', 'rate-day'].map((id) => document.getElementById(id)?.textContent),
});
const overflow = () => {
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth > clientWidth ? `${scrollWidth} px wide content in a ${clientWidth} px window` : '';
};

function addUp({ total, labels, rates }) {
  const numbers = [total, ...labels, ...rates].map((text) => (/^\d[\d,.]*$/.test(text) ? Number(text.replaceAll(',', '')) : NaN));
  if (labels.length === 0 || numbers.some(Number.isNaN)) return false;
  return numbers.slice(1, 1 + labels.length).reduce((sum, count) => sum + count, 0) === numbers[0];
}

/** Waits until the page shows what is expected; otherwise returns what it showed instead. */
async function waitFor(until, page, look, accepts) {
  for (;;) {
    const seen = await page.evaluate(look);
    if (accepts(seen)) return '';
    if (Date.now() > until) return `still ${JSON.stringify(seen)}`;
    await page.waitForTimeout(100);
  }
}

async function takeScreenshots(page, folder) {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.waitForTimeout(MOTION_MS); // what moves already comes to rest
  for (const [size, viewport] of [['wide', WIDE], ['phone', PHONE]]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: path.join(folder, `dashboard-${size}-${colorScheme}.png`) });
    }
  }
}

async function readStreamOrigin(pageUrl) {
  const url = new URL('config.js', pageUrl);
  const answer = await fetch(url).catch(({ cause }) => {
    throw new Error(`${url} does not answer: ${cause?.message || cause?.code}`);
  });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  const base = /"SSE_BASE_URL"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(await answer.text());
  if (!base) throw new Error(`${url} names no SSE_BASE_URL`);
  return new URL(JSON.parse(base[1]) || '/', pageUrl).origin;
}

function browserPath() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const found = BROWSERS.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(isExecutable);
  if (!found) throw new Error(`none of ${BROWSERS.join(', ')} is on PATH; name a browser in CHROMIUM`);
  return found;
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

process.exitCode = await main().catch((error) => {
  console.error(`not ok  ${error.message}`);
  console.log('0 passed, 1 failed');
  return 1;
});
