/**
 * Firefox, driven by WebDriver BiDi, which it speaks by itself.
 */

import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { START_MS } from './clock.mjs';
import { browserPath } from './places.mjs';
import { Program, scratch } from './program.mjs';
import { record } from './record.mjs';
import { Tab } from './tab.mjs';
import { Watch } from './watch.mjs';
import { WebSocketClient } from './websocket.mjs';

/** What Firefox 140 says now and then of a page with any preload script, an empty one too; without a stack, which pages' errors have. */
const OWN_ERROR = 'Error: Permission denied to access property "length"';
/**
 * No first-run pages, updates or reports. A proxy that nobody runs stands before everything but this machine, so that what is
 * forgotten here gets nowhere either.
 */
const PREFERENCES = {
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.sessionstore.resume_from_crash': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.startup.page': 0,
  'datareporting.healthreport.uploadEnabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'dom.push.connection.enabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.proxy.type': 1,
  'network.proxy.socks': '127.0.0.1',
  'network.proxy.socks_port': 9,
  'network.proxy.socks_remote_dns': true,
  'network.proxy.no_proxies_on': '127.0.0.1',
  'network.proxy.failover_direct': false,
  'toolkit.telemetry.server': '',
  // What moves is drawn sixty times a second without a graphics card, which takes more of a processor than everything that is tested.
  'ui.prefersReducedMotion': 1,
};

export class Firefox {
  #program;
  #profile;
  #origins;
  #socket;
  #asked = 0;
  #opened = 0;
  /** @type {Map<number, {resolve: (result: any) => void, reject: (error: Error) => void}>} */
  #waiting = new Map();
  /** @type {Map<string, Watch>} by browsing context */
  #watches = new Map();

  constructor(program, profile, socket, origins) {
    this.#program = program;
    this.#profile = profile;
    this.#socket = socket;
    this.#origins = origins;
    socket.onText = (text) => this.#heard(JSON.parse(text));
  }

  /** @param {string[]} origins servers of the test; a request to another one is noted @returns {Promise<Firefox>} */
  static async start(origins) {
    const profile = scratch();
    const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
    writeFileSync(path.join(profile, 'user.js'), lines.join(''));
    const program = new Program('Firefox', browserPath('FIREFOX'), [
      '--headless', '--no-remote', '--new-instance', '--profile', profile, '--remote-debugging-port=0', '--width=1280', '--height=800',
    ], { env: { PATH: process.env.PATH, LANG: process.env.LANG, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' } });
    const address = () => program.lines.map((line) => /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1]).find(Boolean);
    await program.ready(async () => address(), START_MS);
    const firefox = new Firefox(program, profile, await WebSocketClient.connect(`${address()}/session`), origins);
    await firefox.#send('session.new', { capabilities: {} });
    await firefox.#send('session.subscribe', { events: ['log.entryAdded', 'network.beforeRequestSent'] });
    return firefox;
  }

  /** Opens a page in a tab, or in a window of its own. @param {string} url @param {{window?: boolean}} options @returns {Promise<Tab>} */
  async open(url, { window = false } = {}) {
    this.#opened += 1;
    const { context } = await this.#send('browsingContext.create', { type: window ? 'window' : 'tab' });
    const watch = new Watch(this.#origins);
    this.#watches.set(context, watch);
    // It knows no layout shifts.
    const functionDeclaration = `() => (${record})({ keepUpdates: true, measures: false })`;
    await this.#send('script.addPreloadScript', { functionDeclaration, contexts: [context] });
    await this.#send('browsingContext.navigate', { context, url, wait: 'interactive' });
    return new Tab(`tab ${this.#opened}`, {
      evaluate: (look, argument) => this.#call(context, look, argument),
      close: () => this.#send('browsingContext.close', { context }),
      show: () => this.#send('browsingContext.activate', { context }),
    }, watch);
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
    this.#socket.close();
    await this.#program.kill();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  /** @param {string} context @param {Function} look @param {unknown} argument */
  async #call(context, look, argument) {
    // As text both ways: the protocol's own form of values is made for tools, not for tests.
    const functionDeclaration = `async () => JSON.stringify([await (${look})(${JSON.stringify(argument) ?? 'undefined'})])`;
    const answer = await this.#send('script.callFunction', { functionDeclaration, awaitPromise: true, target: { context } });
    if (answer.type !== 'success') throw new Error(answer.exceptionDetails.text);
    return JSON.parse(answer.result.value)[0];
  }

  /** @param {string} method @param {object} params @returns {Promise<any>} */
  #send(method, params) {
    this.#asked += 1;
    const id = this.#asked;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #heard(message) {
    if (message.type === 'event') {
      this.#event(message.method, message.params);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === 'success') waiting?.resolve(message.result);
    else waiting?.reject(new Error(`${message.error}: ${message.message}`));
  }

  #event(method, params) {
    const watch = this.#watches.get(params.source?.context ?? params.context);
    if (!watch || (params.text === OWN_ERROR && !params.stackTrace)) return;
    if (method === 'network.beforeRequestSent') watch.requested(params.request.url);
    else if (params.type === 'javascript' && params.level === 'error') watch.threw(params.text, frames(params.stackTrace));
    else if (params.level === 'error') watch.said(params.text);
  }
}

/** Where an error came from. @param {{callFrames: {url: string, lineNumber: number, functionName: string}[]} | undefined} stack */
function frames(stack) {
  return (stack?.callFrames ?? []).slice(0, 3).map(({ url, lineNumber, functionName }) => `${functionName} ${url}:${lineNumber + 1}`).join(' < ');
}
