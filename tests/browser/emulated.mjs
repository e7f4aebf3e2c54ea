/**
 * The page against both functions as Lambda runs them. The functions are there already (tests/page starts them); the page, and
 * where it is on the same origin what stands before the functions, is served here. The last line is `N passed, M failed`.
 *
 *   STREAM_PORT=… DASHBOARD_PORT=… DYNAMODB_PORT=… ITEMS_TABLE=… USERS_TABLE=… node tests/browser/emulated.mjs one-origin|two-origins
 */

import { Checks } from './harness/checks.mjs';
import { firstLine, pause, until } from './harness/clock.mjs';
import { DynamoDb, Table } from './harness/dynamodb.mjs';
import { Gate } from './harness/gate.mjs';
import { during, story, untruth } from './harness/phases.mjs';
import { site } from './harness/site.mjs';
import { Stage } from './harness/stage.mjs';

const ROWS_PER_SECOND = 2;
const SESSIONS_MIN = 4;
const SESSIONS_MS = 180_000;
const REFUSED_MS = 60_000;
const LIVE_MS = 90_000;
/** What CloudFront says with the page, as infragen/src/plan/front.rs has it. */
const ONE_ORIGIN_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; connect-src 'self'; base-uri 'none'; "
  + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const isStream = (url) => /^\/api\/v2\/(stream(?!\/goodbye)|configurations\/[^/]+\/stream)/.test(url);
const isRest = (url) => /^\/(api\/|health$)/.test(url);

/** @param {Stage} stage @param {string} origins */
async function gates(stage, origins) {
  const [streamPort, dashboardPort] = [Number(process.env.STREAM_PORT), Number(process.env.DASHBOARD_PORT)];
  const config = {
    API_BASE_URL: '', SSE_BASE_URL: '', ENVIRONMENT: 'emulated', LABELS: ['positive', 'neutral', 'negative'], UPDATE_EVENT: 'sentiment_update',
    HEARTBEAT_INTERVAL_MS: 2_000, POLL_INTERVAL_MS: 2_000, AUTH_MODE: 'off', SIGNED_REQUESTS: false,
  };
  if (origins === 'one-origin') {
    const front = stage.use(await Gate.open((url) => (isStream(url) ? streamPort : isRest(url) ? dashboardPort : 0)));
    front.files = site({ ...config, SIGNED_REQUESTS: true }, { 'content-security-policy': ONE_ORIGIN_POLICY });
    return { url: `${front.url}/`, stream: front, origins: [front.url] };
  }
  const page = stage.use(await Gate.open(0));
  const stream = stage.use(await Gate.open(streamPort));
  const rest = stage.use(await Gate.open(dashboardPort));
  page.files = site({ ...config, API_BASE_URL: rest.url, SSE_BASE_URL: stream.url });
  return { url: `${page.url}/`, stream, origins: [page.url, stream.url, rest.url] };
}

/** @param {Stage} stage @param {string} origins */
async function play(stage, origins) {
  const { checks } = stage;
  const { url, stream, origins: own } = await gates(stage, origins);
  const db = new DynamoDb(`http://127.0.0.1:${process.env.DYNAMODB_PORT}`);
  const table = new Table(db, process.env.ITEMS_TABLE ?? '', process.env.USERS_TABLE ?? '');
  const browser = await stage.chromium(own);
  const tab = await browser.open(url);
  await checks.run('the page is live and has numbers', async () => void (await tab.untilCounting()));
  const writer = table.writer(ROWS_PER_SECOND);

  const sessions = () => stream.requests.filter(({ url: asked }) => isStream(asked)).length;
  await checks.run(`${SESSIONS_MIN} sessions, one after the other`, () => until('sessions', sessions, (count) => count >= SESSIONS_MIN, SESSIONS_MS).then(() => ''));
  const calm = Date.now();
  await checks.run('their ends were not worth a word', async () => untruth((await tab.seen()).phases, 0, calm, ['connecting', 'live', 'resumed'])
    || (during((await tab.seen()).phases, 0, calm).filter((phase) => phase === 'connecting').length > 1 ? story((await tab.seen()).phases) : ''));

  stream.answer(503, { headers: { 'retry-after': '30' }, body: '{"detail":"no"}', only: isStream });
  const down = Date.now();
  await checks.run('REST takes over', async () => void (await tab.untilPhase(['polling'], REFUSED_MS)));
  const before = (await tab.seen()).taken;
  await checks.run('updates come by REST', () => until('an update', async () => (await tab.seen()).taken, (taken) => taken > before, REFUSED_MS).then(() => ''));
  await stream.pass();
  await checks.run('the stream takes over again', async () => void (await tab.untilLive(LIVE_MS)));
  await checks.run('the badge told the truth', async () => untruth((await tab.seen()).phases, down + 3_000, Date.now(), ['connecting', 'refused', 'polling', 'resumed', 'live']));
  await pause(3_000);
  await writer.stop();
  await checks.run(`every one of ${table.written.length} updates arrived`, () => tab.untilHasAll(table.written));
  await checks.run('each arrived once', () => tab.difference(table.written));
  await checks.run('each stands in the feed once', () => tab.untilShows(table.written));
  await checks.run('no browser complained of another origin', () => tab.watch.network.filter((line) => /CORS/.test(line)).join('; '));
  checks.note(story((await tab.seen()).phases));
  await stage.checkClean([tab], { network: true });
}

async function main(origins) {
  if (origins !== 'one-origin' && origins !== 'two-origins') {
    console.error('usage: node tests/browser/emulated.mjs one-origin|two-origins');
    return 2;
  }
  const checks = new Checks(origins);
  const stage = new Stage(checks);
  try {
    await play(stage, origins);
  } catch (error) {
    await checks.run('runs to its end', () => firstLine(error));
  }
  await stage.close();
  console.log(`${checks.passed} passed, ${checks.failed} failed`);
  return checks.failed === 0 ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
process.exit(await main(process.argv[2]).catch((error) => {
  console.error(`not ok  ${firstLine(error)}`);
  console.log('0 passed, 1 failed');
  return 1;
}));
