/**
 * What happens to connections. Each scenario ends in a live page by itself, with every row shown once, and with a badge that
 * told the truth all the way.
 */

import { BUSY_MS, pause } from '../harness/clock.mjs';
import { during, story, untruth } from '../harness/phases.mjs';

/** Rows while all is well, before and after. */
const CALM_MS = 4_000;
const ROWS_PER_SECOND = 1;
/** What the badge may say once data flows again. */
const UP = ['connecting', 'resumed', 'live', 'behind'];
const isStream = (url) => url.startsWith('/api/v2/stream') && !url.includes('status') && !url.includes('goodbye');
const isRest = (url) => url.startsWith('/api/v2/') && !isStream(url);

/**
 * @typedef {object} Scene
 * @property {import('../harness/stage.mjs').Stage} stage
 * @property {any} table
 * @property {import('../harness/local.mjs').Local} local
 * @property {Awaited<ReturnType<import('../harness/stage.mjs').Stage['gates']>>} gates
 * @property {any} browser
 * @property {any} tab
 *
 * @typedef {object} Outage
 * @property {string} name
 * @property {string} about
 * @property {Record<string, string>} [env] of the server
 * @property {number} ms how long it lasts
 * @property {(scene: Scene) => unknown} down
 * @property {(scene: Scene) => unknown} up
 * @property {number} noticedMs after this the badge must know
 * @property {string[]} may what it may say from then on, until it is over
 * @property {string[]} [must] what it must have said at some time during the outage
 * @property {boolean} [heard] whether updates arrive even during the outage
 * @property {number} liveMs how soon after it the page is live
 * @property {number} [requestsMax] most requests to the stream while it lasts
 * @property {boolean} [network] whether browsers log failures of their own
 */

/** @type {Outage[]} */
const OUTAGES = [
  {
    name: 'server-killed', about: 'the server is killed and comes back after 90 s', ms: 90_000,
    down: ({ local }) => local.kill(), up: ({ local }) => local.start(),
    noticedMs: 3_000, may: ['connecting'], must: ['connecting'], liveMs: 20_000, requestsMax: 60, network: true,
  },
  {
    name: 'network-cut', about: 'every connection is cut and refused for 20 s', ms: 20_000,
    down: ({ gates }) => Promise.all([gates.page.refuse(), gates.stream.refuse()]),
    up: ({ gates }) => Promise.all([gates.page.pass(), gates.stream.pass()]),
    noticedMs: 3_000, may: ['connecting'], must: ['connecting'], liveMs: 20_000, network: true,
  },
  {
    name: 'network-silent', about: 'for 40 s nothing comes through, and nobody says so', ms: 40_000,
    down: ({ gates }) => [gates.page.swallow(), gates.stream.swallow()],
    up: ({ gates }) => Promise.all([gates.page.pass(), gates.stream.pass()]),
    noticedMs: 15_000, may: ['connecting'], must: ['connecting'], liveMs: 20_000, network: true,
  },
  {
    name: 'status-503', about: 'the stream answers 503 for 25 s', ms: 25_000,
    down: ({ gates }) => gates.stream.answer(503, { headers: { 'retry-after': '30' }, body: '{"detail":"Connection limit reached. Try again later."}' }),
    up: ({ gates }) => gates.stream.pass(),
    noticedMs: 3_000, may: ['connecting', 'refused', 'polling'], must: ['polling'], heard: true, liveMs: 60_000, requestsMax: 15, network: true,
  },
  {
    name: 'status-429', about: 'the stream answers 429 for 25 s', ms: 25_000,
    down: ({ gates }) => gates.stream.answer(429, { headers: { 'retry-after': '5' }, body: '{"message":"Rate Exceeded."}' }),
    up: ({ gates }) => gates.stream.pass(),
    noticedMs: 3_000, may: ['connecting', 'refused', 'polling'], must: ['polling'], heard: true, liveMs: 60_000, requestsMax: 15, network: true,
  },
  {
    name: 'unavailable', about: 'for a minute the server cannot tell who is asking, and says so', ms: 60_000,
    down: ({ gates }) => gates.stream.answer(200, {
      headers: { 'content-type': 'text/event-stream', 'access-control-allow-origin': '*' },
      body: 'retry: 3000\nevent: unavailable\ndata: {"detail":"the issuer does not answer","retry_after_ms":3000}\n\n',
    }),
    up: ({ gates }) => gates.stream.pass(),
    noticedMs: 3_000, may: ['connecting', 'refused', 'polling'], must: ['refused', 'polling'], heard: true, liveMs: 60_000, requestsMax: 30, network: true,
  },
  {
    name: 'buffered', about: 'for 50 s the stream comes in whole sessions, as from a function deployed with BUFFERED', ms: 50_000,
    env: { SSE_MAX_SESSION: '15s' },
    down: ({ gates }) => gates.stream.buffer(), up: ({ gates }) => gates.stream.pass(),
    noticedMs: 3_000, may: ['connecting', 'behind', 'polling'], must: ['polling'], heard: true, liveMs: 40_000, network: true,
  },
  {
    name: 'rest-dead', about: 'REST answers 503 for 15 s, which a stream does not need', ms: 15_000,
    down: ({ gates }) => gates.page.answer(503, { body: '{"detail":"no"}', only: isRest }), up: ({ gates }) => gates.page.pass(),
    noticedMs: 0, may: ['live', 'resumed'], heard: true, liveMs: 5_000, network: true,
  },
  {
    name: 'everything-503', about: 'stream and REST answer 503 for 20 s', ms: 20_000,
    down: ({ gates }) => [gates.stream.answer(503), gates.page.answer(503, { only: isRest })],
    up: ({ gates }) => Promise.all([gates.stream.pass(), gates.page.pass()]),
    noticedMs: 3_000, may: ['connecting', 'refused'], must: ['refused'], liveMs: 60_000, network: true,
  },
];

/** @param {Outage} outage @param {'chromium' | 'firefox'} kind @param {number} ms */
const scenario = (outage, kind, ms = outage.ms) => ({
  name: `${kind === 'firefox' ? 'firefox-' : ''}${outage.name}`,
  about: `${kind === 'firefox' ? 'Firefox: ' : ''}${outage.about}`,
  run: (stage) => play(stage, { ...outage, ms }, kind),
});

/** @type {import('./index.mjs').Scenario[]} */
export const outages = OUTAGES.map((outage) => scenario(outage, 'chromium'));
/** Shorter where only the length differs from Chromium. @type {import('./index.mjs').Scenario[]} */
export const firefoxOutages = OUTAGES.filter(({ name }) => ['server-killed', 'network-cut', 'network-silent', 'status-503', 'unavailable', 'buffered'].includes(name))
  .map((outage) => scenario(outage, 'firefox', Math.min(outage.ms, 50_000)));

/** A page that is live on a table of its own. @param {import('../harness/stage.mjs').Stage} stage @param {Record<string, string>} env @param {'chromium' | 'firefox'} kind */
export async function scene(stage, env, kind) {
  const table = await stage.table();
  const local = await stage.local({ ...table.env, ...env });
  const gates = await stage.gates(local);
  const browser = await stage.browser(kind, gates.origins);
  const tab = await browser.open(gates.url);
  await tab.untilCounting();
  return { stage, table, local, gates, browser, tab };
}

/** @param {import('../harness/stage.mjs').Stage} stage @param {Outage} outage @param {'chromium' | 'firefox'} kind */
async function play(stage, outage, kind) {
  const { checks } = stage;
  const place = await scene(stage, outage.env ?? {}, kind);
  const { tab, table, gates } = place;
  const writer = table.writer(ROWS_PER_SECOND);
  await tab.until('the first updates', () => /** @type {any} */ (window).__seen.taken >= 2);

  // What need not be noticed is not noticed later either.
  const noticedMs = outage.noticedMs === 0 ? 0 : outage.noticedMs + BUSY_MS;
  const liveMs = outage.liveMs + BUSY_MS;
  const from = Date.now();
  await outage.down(place);
  const down = Date.now();
  await pause(outage.ms);
  const to = Date.now();
  const asked = gates.stream.requests.filter(({ at, url }) => at >= down && at <= to && isStream(url)).length;
  await outage.up(place);
  const up = Date.now();

  await checks.run(`live again by itself within ${outage.liveMs / 1000} s`, async () => void (await tab.untilLive(liveMs)));
  checks.note(`live ${((Date.now() - up) / 1000).toFixed(1)} s after the end of it`);
  await pause(CALM_MS);
  await writer.stop();
  await checkRows(stage, tab, table);

  const { phases, updates } = await tab.seen();
  await checks.run('the badge told the truth meanwhile', () => {
    if (noticedMs >= outage.ms) return 'the outage is shorter than it takes to notice it';
    return untruth(phases, down + noticedMs, to, outage.may);
  });
  if (outage.must) {
    await checks.run(`the badge said ${outage.must.join(', ')}`, () => {
      const said = during(phases, from, to);
      const missing = outage.must?.filter((phase) => !said.includes(phase)) ?? [];
      return missing.length === 0 ? '' : `not ${missing.join(', ')}: ${story(phases, from)}`;
    });
  }
  await checks.run('the badge told the truth before and after', () => untruth(phases, 0, from, ['connecting', 'live', 'resumed'])
    || untruth(phases, up + liveMs, Date.now(), UP));
  if (outage.heard) {
    await checks.run('updates went on arriving', () => {
      const inside = table.written.filter(({ at }) => at > down + noticedMs && at < to - 20_000 / 2);
      const byKey = new Map(updates.map(({ key, at }) => [key, at]));
      const late = inside.filter(({ key }) => !((byKey.get(key) ?? Infinity) <= to));
      return late.length <= inside.length / 2 ? '' : `${late.length} of ${inside.length} only came afterwards`;
    });
  }
  if (outage.requestsMax) {
    await checks.run(`at most ${outage.requestsMax} requests to the stream meanwhile`, () => (asked <= outage.requestsMax ? '' : `${asked}`));
  }
  checks.note(story(phases, from));
  await stage.checkClean([tab], { network: outage.network });
}

/** Every row was taken in once, and stands in the feed once. */
export async function checkRows(stage, tab, table) {
  await stage.checks.run(`every one of ${table.written.length} updates arrived`, () => tab.untilHasAll(table.written));
  await stage.checks.run('each arrived once', () => tab.difference(table.written));
  await stage.checks.run('each stands in the feed once', () => tab.untilShows(table.written));
}
