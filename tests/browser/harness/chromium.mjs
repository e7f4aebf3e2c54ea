/**
 * Chromium as people have it: a process of its own with a profile of its own, whose tabs can be hidden, frozen and killed. It
 * is started here and not by its driver, which would pretend to every tab that it is in front.
 */

import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

import { shown, START_MS, until, within } from './clock.mjs';
import { browserPath, tool } from './places.mjs';
import { Program, scratch } from './program.mjs';
import { record } from './record.mjs';
import { Tab } from './tab.mjs';
import { Watch } from './watch.mjs';

const FLAGS = [
  '--headless', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', '--no-first-run', '--no-default-browser-check',
  '--disable-background-networking', '--disable-breakpad', '--disable-component-update', '--disable-default-apps', '--disable-sync', '--no-proxy-server',
  // Its sandbox refuses to run as root, which is who runs the tests in a container.
  '--no-sandbox',
  // What is forgotten here gets nowhere.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  '--remote-debugging-port=0',
];
/** What moves is drawn sixty times a second without a graphics card, which takes more of a processor than everything that is tested. */
const STILL = '--force-prefers-reduced-motion';
const WIDE = { width: 1280, height: 800 };

/** Starts the browser's process, for whoever drives it; `place` is where its protocol is spoken. @param {string[]} more what it is started with beside */
export async function launched(more = []) {
  const profile = scratch();
  const program = new Program('Chromium', browserPath('CHROMIUM'), [...FLAGS, ...more, `--user-data-dir=${profile}`, 'about:blank']);
  const file = path.join(profile, 'DevToolsActivePort');
  await program.ready(async () => existsSync(file) && readFileSync(file, 'utf8').includes('\n'), START_MS);
  const [port, place] = readFileSync(file, 'utf8').split('\n');
  return { program, profile, port, place };
}

/** @typedef {{window?: boolean, keepUpdates?: boolean, viewport?: {width: number, height: number}}} TabOptions */

export class Chromium {
  #program;
  #profile;
  #browser;
  #context;
  #origins;
  #cdp;
  #opened = 0;

  constructor(program, profile, browser, cdp, origins) {
    this.#program = program;
    this.#profile = profile;
    this.#browser = browser;
    this.#context = browser.contexts()[0];
    this.#cdp = cdp;
    this.#origins = origins;
  }

  /**
   * @param {string[]} origins servers of the test; a request to another one is noted
   * @param {{moves?: boolean}} options whether what moves on the page is what a scenario is about
   * @returns {Promise<Chromium>}
   */
  static async start(origins, { moves = false } = {}) {
    const { program, profile, port } = await launched([...(moves ? [] : [STILL]), `--window-size=${WIDE.width},${WIDE.height}`]);
    const { chromium } = tool('playwright-core');
    const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true, isLocal: true, artifactsDir: profile, timeout: START_MS });
    return new Chromium(program, profile, browser, await browser.newBrowserCDPSession(), origins);
  }

  /**
   * Opens a page in a tab, which hides the others of its window, or in a window of its own.
   * @param {string} url @param {TabOptions} options @returns {Promise<ChromiumTab>}
   */
  async open(url, { window = false, keepUpdates = true, viewport } = {}) {
    const page = await this.#page(window);
    // A machine that is only slow opens a page, and takes a picture, in less.
    page.setDefaultTimeout(START_MS);
    const watch = new Watch(this.#origins);
    page.on('console', (message) => message.type() === 'error' && watch.said(message.text(), message.location().url));
    page.on('pageerror', (error) => watch.threw(String(error)));
    page.on('request', (request) => watch.requested(request.url()));
    if (viewport) await page.setViewportSize(viewport);
    await page.addInitScript(record, { keepUpdates, measures: true });
    this.#opened += 1;
    const tab = new ChromiumTab(`tab ${this.#opened}`, page, watch, await this.#context.newCDPSession(page));
    await page.goto(url, { waitUntil: 'load' });
    return tab;
  }

  /** Hides a tab behind an empty one in the same window. @param {ChromiumTab} tab */
  async cover(tab) {
    await tab.evaluate(() => void window.open('about:blank', '_blank', 'noopener'));
    await tab.until(`${tab.name} is hidden`, () => document.visibilityState, (state) => state === 'hidden');
  }

  async #page(window) {
    if (!window) return this.#context.newPage();
    const known = new Set(this.#context.pages());
    await this.#cdp.send('Target.createTarget', { url: 'about:blank', newWindow: true });
    return until('a new window', () => this.#context.pages().find((page) => !known.has(page)));
  }

  /** Cuts the whole browser off, which it then also says of itself. @param {boolean} offline */
  setOffline(offline) {
    return this.#context.setOffline(offline);
  }

  /** Puts everything of the browser to sleep, as a closed laptop does. */
  sleep() {
    this.#program.signal('SIGSTOP');
  }

  wake() {
    this.#program.signal('SIGCONT');
  }

  async close() {
    this.wake();
    await Promise.race([this.#browser.close().catch(() => undefined), new Promise((done) => setTimeout(done, 2_000))]);
    await this.#program.kill();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

export class ChromiumTab extends Tab {
  page;
  /** Raw commands to this tab. */
  cdp;

  constructor(name, page, watch, cdp) {
    super(name, {
      evaluate: (look, argument) => page.evaluate(look, argument),
      close: () => page.close(),
      show: () => page.bringToFront(),
    }, watch);
    this.page = page;
    this.cdp = cdp;
  }

  /** Ends the process that draws the page, as the system does when memory is short. */
  async crash() {
    const gone = new Promise((done) => this.page.once('crash', done));
    this.cdp.send('Page.crash').catch(() => undefined); // nobody is left to answer
    await within('the end of the renderer', gone);
  }

  /** Stops the process that draws the page; returns the way back. */
  async stop() {
    const pid = await this.#process();
    process.kill(pid, 'SIGSTOP');
    return () => process.kill(pid, 'SIGCONT');
  }

  /**
   * The process that draws the page. Of all that the browser says, only the first event of a trace names it: which frames there
   * are, each with its process.
   * @returns {Promise<number>}
   */
  async #process() {
    const { targetInfo } = await this.cdp.send('Target.getTargetInfo');
    const events = [];
    const collect = ({ value }) => events.push(...value);
    this.cdp.on('Tracing.dataCollected', collect);
    const complete = new Promise((done) => this.cdp.once('Tracing.tracingComplete', done));
    await this.cdp.send('Tracing.start', {
      transferMode: 'ReportEvents', traceConfig: { includedCategories: ['disabled-by-default-devtools.timeline'] },
    });
    await this.cdp.send('Tracing.end');
    await within('the end of the trace', complete);
    this.cdp.off('Tracing.dataCollected', collect);
    const frames = events.filter(({ name }) => name === 'TracingStartedInBrowser').flatMap(({ args }) => args.data.frames);
    const pid = frames.find(({ frame }) => frame === targetInfo.targetId)?.processId;
    if (!pid) throw new Error(`the trace does not name the process of ${this.name}: ${shown(frames)}`);
    return pid;
  }

  /** Freezes the page, as browsers do with hidden tabs that nobody looked at for long. */
  freeze() {
    return this.cdp.send('Page.setWebLifecycleState', { state: 'frozen' });
  }

  thaw() {
    return this.cdp.send('Page.setWebLifecycleState', { state: 'active' });
  }

  /** Bytes of JavaScript that are in use once garbage is collected. @returns {Promise<number>} */
  async heap() {
    for (let round = 0; round < 3; round += 1) await this.cdp.send('HeapProfiler.collectGarbage');
    return (await this.cdp.send('Runtime.getHeapUsage')).usedSize;
  }
}
