/**
 * How long a new tab takes until it shows numbers: Chromium, warm, a tab after the other, on the sample feed. Figures, no verdict: they say
 * something on a machine that has nothing else to do, with the program in the profile that is deployed. Driven by the few commands of
 * the protocol that it needs: a driver that hears of each request takes a third of the time that it would measure.
 *
 *   LOCAL_PROGRAM=target/release/local node tests/browser/paint.mjs [TABS] [LATENCY_MS]
 */

import { rmSync } from 'node:fs';

import { launched } from './harness/chromium.mjs';
import { pause } from './harness/clock.mjs';
import { Local } from './harness/local.mjs';
import { WebSocketClient } from './harness/websocket.mjs';

const TABS = 20;
/** The first tabs pay for what a browser does once. */
const WARM_TABS = 3;
const BLANK_MS = 400;
const SETTLE_MS = 2_500;
const FIGURES = ['first contentful paint', 'stream asked for', 'first numbers written', 'first numbers painted'];
/** Intervals as they are deployed. */
const SERVER = { SAMPLE_RATE: '5', SSE_POLL_INTERVAL: '5s', SSE_HEARTBEAT_INTERVAL: '15s' };

/** Runs inside the page, before anything of it. */
function watch() {
  const times = {};
  const note = (/** @type {string} */ name) => (times[name] ??= performance.now());
  const Source = EventSource;
  Object.defineProperty(globalThis, 'EventSource', { value: class extends Source {
    constructor(/** @type {[string | URL, EventSourceInit?]} */ ...how) {
      super(...how);
      note('stream asked for');
    }
  } });
  const observer = new MutationObserver(() => {
    const text = document.getElementById('total')?.textContent ?? '';
    if (!/\d/.test(text)) return;
    observer.disconnect();
    note('first numbers written');
    // A message that is sent while a frame is drawn comes after it.
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => note('first numbers painted');
      port2.postMessage(null);
    });
  });
  observer.observe(document, { subtree: true, childList: true, characterData: true });
  Object.defineProperty(globalThis, '__times', { get: () => ({ ...times, 'first contentful paint': performance.getEntriesByName('first-contentful-paint')[0]?.startTime }) });
}

class Protocol {
  #socket;
  #sent = 0;
  /** @type {Map<number, (answer: any) => void>} */
  #waiting = new Map();

  /** @param {WebSocketClient} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.onText = (text) => {
      const { id, result } = JSON.parse(text);
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    };
  }

  /** @param {string} method @param {object} [params] @param {string} [sessionId] of a tab @returns {Promise<any>} */
  send(method, params = {}, sessionId) {
    this.#sent += 1;
    this.#socket.send(JSON.stringify({ id: this.#sent, method, params, sessionId }));
    return new Promise((resolve) => this.#waiting.set(this.#sent, resolve));
  }
}

/** One tab. @param {Protocol} protocol @param {string} url @param {number} latency @returns {Promise<Record<string, number>>} */
async function measured(protocol, url, latency) {
  const { targetId } = await protocol.send('Target.createTarget', { url: 'about:blank', newWindow: true });
  const { sessionId } = await protocol.send('Target.attachToTarget', { targetId, flatten: true });
  await protocol.send('Page.enable', {}, sessionId);
  await protocol.send('Page.addScriptToEvaluateOnNewDocument', { source: `(${watch})()` }, sessionId);
  if (latency > 0) {
    await protocol.send('Network.enable', {}, sessionId);
    await protocol.send('Network.emulateNetworkConditions', { offline: false, latency, downloadThroughput: -1, uploadThroughput: -1 }, sessionId);
  }
  await pause(BLANK_MS);
  await protocol.send('Page.navigate', { url }, sessionId);
  await pause(SETTLE_MS);
  const { result } = await protocol.send('Runtime.evaluate', { expression: '__times', returnByValue: true }, sessionId);
  await protocol.send('Target.closeTarget', { targetId });
  return result.value;
}

/** @param {number} tabs @param {number} latency */
async function main(tabs, latency) {
  if (!(tabs > 0 && latency >= 0)) throw new Error('usage: node tests/browser/paint.mjs [TABS] [LATENCY_MS]');
  const local = await Local.start(SERVER);
  const { program, profile, port, place } = await launched();
  const protocol = new Protocol(await WebSocketClient.connect(`ws://127.0.0.1:${port}${place}`));
  const found = [];
  for (let tab = 0; tab < WARM_TABS + tabs; tab += 1) found.push(await measured(protocol, local.page, latency));
  console.log(`${tabs} new tabs, ${latency} ms of latency; median, least and most, in milliseconds`);
  for (const name of FIGURES) {
    const times = found.slice(WARM_TABS).map((times) => times[name] ?? Infinity).sort((left, right) => left - right);
    const [least, middle, most] = [times[0], times[times.length >> 1], times.at(-1)].map((time) => time?.toFixed(0));
    console.log(`${name.padEnd(24)} ${middle} (${least} to ${most})`);
  }
  await program.kill();
  await local.close();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}

await main(Number(process.argv[2] ?? TABS), Number(process.argv[3] ?? 0));
