/**
 * What one scenario needs: servers, gates before them, browsers. Everything of it ends with the scenario.
 */

import { Cache } from './cache.mjs';
import { Chromium } from './chromium.mjs';
import { firstLine } from './clock.mjs';
import { DynamoDb } from './dynamodb.mjs';
import { Firefox } from './firefox.mjs';
import { Gate } from './gate.mjs';
import { Issuer } from './issuer.mjs';
import { Local } from './local.mjs';
import { started } from './program.mjs';

/** @type {Promise<DynamoDb> | null} one for all scenarios: each has tables of its own */
let dynamoDb = null;

/** Whether the stream function answers it. @param {string} url */
const isStream = (url) => /^\/api\/v2\/(configurations\/[^/]+\/)?stream(\?|\/status|$)/.test(url);

/** Ends what the scenarios shared. */
export async function closeShared() {
  await (await dynamoDb?.catch(() => null))?.close();
}

export class Stage {
  checks;
  /** @type {{close(): unknown}[]} */
  #open = [];

  /** @param {import('./checks.mjs').Checks} checks */
  constructor(checks) {
    this.checks = checks;
  }

  /** @template {{close(): unknown}} One @param {One} one @returns {One} */
  use(one) {
    this.#open.push(one);
    return one;
  }

  async table() {
    return (await this.dynamoDb()).table();
  }

  /** The one of all scenarios. */
  dynamoDb() {
    dynamoDb ??= DynamoDb.start();
    return dynamoDb;
  }

  /** @param {Record<string, string>} env @param {string[]} [command] what starts it, where that is another than the program */
  async local(env = {}, command = undefined) {
    return this.use(await Local.start(env, command));
  }

  /**
   * Gates before both ports of `local`; the page behind them knows the stream by its gate.
   * @param {Local} local @param {Record<string, unknown>} config keys of config.js that shall differ
   */
  async gates(local, config = {}) {
    const page = this.use(await Gate.open(local.ports.dashboard));
    const stream = this.use(await Gate.open(local.ports.stream));
    page.addresses = [[local.stream, stream.url]];
    page.config = { SSE_BASE_URL: stream.url, ...config };
    return { page, stream, url: `${page.url}/`, origins: [page.url, stream.url] };
  }

  /**
   * One gate before both ports, as CloudFront is: page and stream are of one origin, and its cookies go to both.
   * @param {Local} local @param {Record<string, unknown>} config keys of config.js that shall differ
   * @param {{stream: number}} behind port that has the stream
   */
  async front(local, config = {}, { stream } = local.ports) {
    const { dashboard } = local.ports;
    const gate = this.use(await Gate.open((url) => (isStream(url) ? stream : dashboard)));
    gate.config = { SSE_BASE_URL: '', ...config };
    return { gate, url: `${gate.url}/`, origins: [gate.url] };
  }

  /** A cache before the stream of `local`. @param {Local} local */
  async cache(local) {
    return this.use(await Cache.start(local.ports.stream));
  }

  /** An issuer of tokens that no other scenario knows. */
  async issuer() {
    return this.use(await Issuer.start());
  }

  /** @param {'chromium' | 'firefox'} kind @param {string[]} origins @returns {Promise<any>} */
  browser(kind, origins) {
    return kind === 'firefox' ? this.firefox(origins) : this.chromium(origins);
  }

  /** @param {string[]} origins @param {{moves?: boolean}} [options] */
  async chromium(origins, options = {}) {
    return this.use(await started(() => Chromium.start(origins, options)));
  }

  /** @param {string[]} origins */
  async firefox(origins) {
    return this.use(await started(() => Firefox.start(origins)));
  }

  /** No check is left out where the page did what it must not do. @param {import('./tab.mjs').Tab[]} tabs @param {{network?: boolean}} may */
  async checkClean(tabs, { network = false } = {}) {
    await this.checks.run('no errors on the console, nothing that the policy forbids, no third party', async () => {
      const breaches = await Promise.all(tabs.map((tab) => tab.seen().then(({ breaches: list }) => list, () => [])));
      const wrong = tabs.map((tab) => tab.watch.verdict({ network })).concat(breaches.flat());
      return [...new Set(wrong.filter(Boolean))].join('; ');
    });
  }

  async close() {
    for (const one of this.#open.reverse()) {
      await Promise.resolve(one.close()).catch((error) => this.checks.note(`could not close: ${firstLine(error)}`));
    }
  }
}
