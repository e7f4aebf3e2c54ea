/**
 * A page that stays open: so many minutes at 20 updates a second, across the ends of many sessions. The last line is
 * `N passed, M failed`.
 *
 *   LOCAL_PROGRAM=… DYNAMODB_LOCAL_DIR=… TOOLS_NODE_MODULES=… node tests/browser/soak.mjs MINUTES
 */

import { Checks } from './harness/checks.mjs';
import { firstLine, pause, until } from './harness/clock.mjs';
import { during, untruth } from './harness/phases.mjs';
import { closeShared, Stage } from './harness/stage.mjs';

const RATE = 20;
const MINUTE_MS = 60_000;
const DRAIN_MS = 5_000;
/** By then the feed is full and everything is compiled that will be. */
const WARM_MINUTES = 2;
const GROWTH_MAX = 0.1;
const READINGS = 9;
const READING_MS = 1_000;
/** The window to be read again at each poll would hold 12,000 rows at this rate, which DynamoDB Local takes seconds for. */
const SERVER = { SSE_POLL_INTERVAL: '1s', SSE_LATE_WINDOW: '30s', SSE_HEARTBEAT_INTERVAL: '15s', SSE_MAX_SESSION: '2m' };

/** @param {number} minutes */
async function main(minutes) {
  if (!(minutes > WARM_MINUTES)) {
    console.error(`usage: node tests/browser/soak.mjs MINUTES, more than ${WARM_MINUTES}: sooner the page is not warm, and all of it grows`);
    return 2;
  }
  const checks = new Checks('soak');
  const stage = new Stage(checks);
  try {
    await soak(stage, minutes);
  } catch (error) {
    await checks.run('runs to its end', () => firstLine(error));
  }
  await stage.close();
  await closeShared();
  console.log(`${checks.passed} passed, ${checks.failed} failed`);
  return checks.failed === 0 ? 0 : 1;
}

/** @param {Stage} stage @param {number} minutes */
async function soak(stage, minutes) {
  const { checks } = stage;
  const table = await stage.table();
  const local = await stage.local({ ...table.env, ...SERVER });
  const gates = await stage.gates(local);
  const browser = await stage.chromium(gates.origins, { moves: true });
  const tab = await browser.open(gates.url);
  await tab.untilCounting();
  const heard = new Heard(tab);
  const writer = table.writer(RATE);
  const began = Date.now();
  const warmAt = began + WARM_MINUTES * MINUTE_MS;
  /** @type {number | null} */
  let warm = null;
  for (let minute = 1; minute <= minutes; minute += 1) {
    for (const end = began + minute * MINUTE_MS; Date.now() < end;) {
      await pause(Math.min(DRAIN_MS, Math.max(1, end - Date.now())));
      await heard.drain();
      if (warm === null && Date.now() >= warmAt) warm = await settledHeap(tab, heard);
    }
    const [heap, phase] = [await tab.heap(), await tab.phase()];
    const nodes = await tab.evaluate(() => document.getElementsByTagName('*').length);
    const sessions = gates.stream.requests.filter(({ url }) => url.startsWith('/api/v2/stream')).length;
    console.log(`minute ${minute}: ${table.written.length} written, ${heard.count} heard, ${(heap / 1e6).toFixed(2)} MB, ${nodes} nodes, ${phase}, ${sessions} sessions`);
  }
  const last = await settledHeap(tab, heard);
  await writer.stop();
  await checks.run(`every one of ${table.written.length} updates was heard`, () => until('the last of them', async () => {
    await heard.drain();
    return heard.missing(table.written);
  }, (missing) => missing.length === 0).then(() => ''));
  await checks.run('each once', () => heard.doubled().slice(0, 10).join(', '));
  await checks.run(`memory grew by less than ${GROWTH_MAX * 100} % since minute ${(warmAt - began) / MINUTE_MS}`, () => {
    const growth = last / /** @type {number} */ (warm) - 1;
    checks.note(`${(growth * 100).toFixed(1)} %: from ${((warm ?? 0) / 1e6).toFixed(2)} to ${(last / 1e6).toFixed(2)} MB`);
    return growth < GROWTH_MAX ? '' : `by ${(growth * 100).toFixed(1)} %`;
  });
  const { phases } = await tab.seen();
  await checks.run('the badge said live all the time', () => untruth(phases, began, Date.now(), ['live', 'resumed']));
  checks.note(`${during(phases, 0, Date.now()).length} phases`);
  await stage.checkClean([tab]);
}

/**
 * The median of some readings: of three megabytes, what is under way at one moment is a tenth.
 * @param {any} tab @param {Heard} heard
 */
async function settledHeap(tab, heard) {
  const readings = [];
  for (let reading = 0; reading < READINGS; reading += 1) {
    await heard.drain();
    readings.push(await tab.heap());
    await pause(READING_MS);
  }
  return readings.sort((left, right) => left - right)[Math.floor(READINGS / 2)];
}

/** What the page heard, taken out of it from time to time: it is not to hold what only the test wants. */
class Heard {
  /** @type {Map<string, number>} */
  #counts = new Map();
  #tab;

  /** @param {import('./harness/tab.mjs').Tab} tab */
  constructor(tab) {
    this.#tab = tab;
  }

  get count() {
    return this.#counts.size;
  }

  async drain() {
    const updates = await this.#tab.evaluate(() => /** @type {any} */ (window).__seen.updates.splice(0));
    for (const { key } of updates) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** @param {{key: string}[]} written */
  missing(written) {
    return written.filter(({ key }) => !this.#counts.has(key)).map(({ key }) => key);
  }

  doubled() {
    return [...this.#counts].filter(([, count]) => count > 1).map(([key, count]) => `${key} ${count} times`);
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
process.exit(await main(Number(process.argv[2])).catch((error) => {
  console.error(`not ok  ${firstLine(error)}`);
  console.log('0 passed, 1 failed');
  return 1;
}));
