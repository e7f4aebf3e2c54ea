/**
 * Whatever range and filter are chosen: chart, totals and tickers are a count of the table, step by step, and REST says the same. One
 * table is busy while the page loads; another one has a random history of new, late and changed rows (`SEED` repeats one).
 */

import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';

import { RANGES } from '../../../frontend/js/ranges.js';
import { pause, START_MS, until } from '../harness/clock.mjs';
import { untruth } from '../harness/phases.mjs';
import { OUTPUT } from '../harness/places.mjs';
import { scratch } from '../harness/program.mjs';
import { loadAxe, violations } from './accessibility.mjs';
import { overflow } from './smoke.mjs';

/** Rows of one request, by DynamoDB's rule. */
const BATCH = 25;
const LABELS = ['positive', 'neutral', 'negative'];
const SETS = [['AAPL'], ['AAPLX', 'MSFT'], ['MSFT'], ['NVDA', 'AAPL'], ['New York'], []];
const FILTERS = ['', 'aap', '"AAPL"', 'MS, "New York"', 'NVDA'];
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const KEPT_ROWS = 400;
const KEPT_HOURS = 22;
const BUSY_PER_SECOND = 20;
const BUSY_SECONDS = 60;
const BUSY_OLD = 1_500;
const MOMENTS = 8;
/** What is counted anew is so at the next correction, on a machine that has other things to do. */
const AGREE_MS = 240_000;

const SEGMENT_MS = 10_000;
const VISITORS = 4;
/** What REST has counted is on its way for so long, and the stream goes on meanwhile. */
const ON_ITS_WAY_MS = 1_500;
/** A pause as long as this ends the stream. */
const PAUSE_MS = 60_000;

/** @typedef {{id: string, at: number, label: string, tickers: string[]}} Row */

/** @type {import('./index.mjs').Scenario[]} */
export const ranges = [
  { name: 'ranges', about: 'a busy table: each range, right after loading, is a count of it step by step', run: busy },
  { name: 'filters', about: 'a random history under random ranges and filters: the page, the table and REST agree', run: random },
  { name: 'kept', about: 'ranges beyond the window: sums of hours, a filter, and what is not known', run: kept },
  { name: 'shared', about: 'viewers share segments of the stream: whoever comes late has all of it, and nobody sees where one ends', run: segments },
  { name: 'paused', about: 'a pause ends the stream after a minute, and it goes on where it stopped', run: paused },
];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function busy(stage) {
  const table = new Counted(await stage.dynamoDb());
  const now = Date.now();
  const old = Array.from({ length: BUSY_OLD }, (_, index) => row(index, now - 120_000 - ((DAY_MS - 1_800_000) * index) / BUSY_OLD));
  const young = Array.from({ length: BUSY_PER_SECOND * BUSY_SECONDS }, (_, index) => row(BUSY_OLD + index, now - (index * 1_000) / BUSY_PER_SECOND));
  await table.put([...old, ...young]);
  const local = await stage.local(await table.env());
  const browser = await stage.chromium([new URL(local.page).origin, local.stream]);
  const tabs = [];
  let number = old.length + young.length;
  for (const range of RANGES) {
    const writing = table.steadily(() => row(number++, Date.now()), 1_000 / BUSY_PER_SECOND);
    const tab = await browser.open(`${local.page}?range=${range.name}`);
    tabs.push(tab);
    await tab.untilCounting();
    await writing.stop();
    await stage.checks.run(`${range.name}: every step is a count of the table`, () => agrees(tab, table, range, ''));
    if (range.isWindow) {
      for (const format of ['csv', 'json']) await stage.checks.run(`every item is in the file, once, while others come in: ${format}`, () => exports(tab, table, range, '', format));
      await tab.page.screenshot({ path: path.join(OUTPUT, 'export.png') });
    }
    await tab.close();
  }
  await stage.checkClean(tabs);
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function random(stage) {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  stage.checks.note(`SEED=${seed}`);
  const pick = chooser(seed);
  const table = new Counted(await stage.dynamoDb());
  let number = 0;
  const some = (count, spread) => Array.from({ length: count }, () => row(number++, Date.now() - pick(spread), LABELS[pick(3)], SETS[pick(SETS.length)]));
  await table.put(some(150, DAY_MS - 1_800_000));
  // What was analysed anew after the late window is found by a full read only.
  const local = await stage.local({ ...(await table.env()), SSE_RECONCILE_INTERVAL: '10s' });
  const browser = await stage.chromium([new URL(local.page).origin, local.stream]);
  const tab = await browser.open(local.page);
  await tab.untilCounting();
  let [range, filter] = [RANGES[1], ''];
  for (let moment = 0; moment < MOMENTS; moment += 1) {
    const act = pick(6);
    if (act === 0) {
      range = RANGES[pick(RANGES.length)];
      await tab.page.click(`#ranges [data-range="${range.name}"]`);
    } else if (act === 1) {
      filter = FILTERS[pick(FILTERS.length)];
      await tab.page.fill('#filter', filter);
    } else if (act === 2) {
      // One that is analysed anew, whether the page has ever heard of it or not.
      const changed = table.rows[pick(table.rows.length)];
      await table.put([{ ...changed, label: LABELS[(LABELS.indexOf(changed.label) + 1) % 3] }]);
    } else {
      await table.put(some(1 + pick(12), act === 3 ? 1_000 : 480_000));
    }
    const what = ['range', 'filter', 'changed', 'new', 'late', 'late'][act];
    await stage.checks.run(`${moment + 1}: ${what}, ${range.name}, \`${filter}\``, async () =>
      (await agrees(tab, table, range, filter)) || restAgrees(tab, local, table, filter));
  }
  await stage.checks.run('the exported items are those of range and filter', () => exports(tab, table, range, filter, 'csv'));
  const query = await tab.evaluate(() => new URLSearchParams(location.search).get('range'));
  await stage.checks.run('the range is in the address', () => (query === null || query === range.name ? '' : String(query)));
  await stage.checkClean([tab]);
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function segments(stage) {
  const { checks } = stage;
  const table = new Counted(await stage.dynamoDb());
  const some = (from, count) => Array.from({ length: count }, (_, index) => row(from + index, Date.now() - index * 7_000));
  await table.put(some(0, 100));
  const local = await stage.local({ ...(await table.env()), SSE_SHARED_SEGMENTS: 'true', SSE_SEGMENT_LENGTH: `${SEGMENT_MS / 1_000}s` });
  const cache = await stage.cache(local);
  const front = await stage.front(local, {}, { stream: cache.port });
  front.gate.handle('/api/v2/history', async (request, response) => {
    const answer = await fetch(new URL(request.url, local.page));
    const body = await answer.text();
    await pause(ON_ITS_WAY_MS);
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(body);
  });
  const range = RANGES[1];
  let number = 100;
  const writing = table.steadily(() => row(number++, Date.now()), 250);
  const tabs = [];
  // Each in a browser of its own: tabs of one share a stream anyway.
  for (const _ of Array(VISITORS)) {
    const tab = await (await stage.chromium(front.origins)).open(front.url);
    await tab.untilCounting();
    tabs.push({ tab, from: Date.now() });
  }
  const streams = [];
  for (const end = Date.now() + 2 * SEGMENT_MS; Date.now() < end;) {
    streams.push(await local.connections());
    await pause(500);
  }
  await writing.stop();
  for (const [index, { tab, from }] of tabs.entries()) {
    await checks.run(`visitor ${index + 1}: every step is a count of the table`, () => agrees(tab, table, range, ''));
    await checks.run(`visitor ${index + 1}: no word about where a segment ends`, async () => untruth((await tab.seen()).phases, from, Date.now(), ['live']));
  }
  // Those who go on, and a newcomer.
  const most = Math.max(...streams);
  await checks.run('they share their streams', () => (most <= 2 ? '' : `${most} were open at once, for ${VISITORS} visitors`));
  await stage.checkClean(tabs.map(({ tab }) => tab));
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function paused(stage) {
  const table = await stage.table();
  const local = await stage.local(table.env);
  const browser = await stage.chromium([new URL(local.page).origin, local.stream]);
  const tab = await browser.open(local.page);
  await tab.untilCounting();
  // Where there is nothing, there is nothing to hold.
  await table.write();
  await tab.untilHasAll(table.written);
  await tab.page.click('#pause');
  await stage.checks.run('a pause that lasts ends the stream and says so', async () => {
    await until('no stream', () => local.connections(), (count) => count === 0, AGREE_MS);
    return (await tab.phase()) === 'suspended' ? '' : tab.phase();
  });
  await table.write();
  await table.write();
  await tab.page.click('#notice-action');
  await stage.checks.run('it goes on without a loss', async () => {
    await tab.untilLive();
    await tab.untilHasAll(table.written);
    return tab.difference(table.written);
  });
  await stage.checks.run('another range or filter has a stream again, and nothing says otherwise', () => leftPaused(tab));
  await stage.checkClean([tab]);
}

/** @param {import('../harness/tab.mjs').Tab} tab */
async function leftPaused(tab) {
  const ended = () => tab.untilPhase(['suspended'], AGREE_MS);
  const said = () => tab.evaluate(() => [document.getElementById('notice')?.hidden ? '' : document.getElementById('notice-text')?.textContent, document.getElementById('pause')?.textContent].join('|'));
  await tab.page.click('#pause');
  await ended();
  await tab.page.click('#ranges [data-range="6h"]');
  await tab.untilLive();
  const afterRange = await said();
  // The feed still stands, so that this stream ends as well.
  await ended();
  await tab.page.fill('#filter', 'AAPL');
  await tab.untilLive();
  const afterFilter = await said();
  // What is pressed next is a pause of its own, and no other ends this stream.
  await pause(PAUSE_MS + 5_000);
  return afterRange === '|Resume' && afterFilter === '|Pause' && (await tab.phase()) === 'live' ? '' : `${afterRange}; ${afterFilter}; ${await tab.phase()}`;
}

/** Hours that one server has seen whole are shown by another one whose window is short. @param {import('../harness/stage.mjs').Stage} stage */
async function kept(stage) {
  const db = await stage.dynamoDb();
  const [table, sums] = [new Counted(db), (await db.table()).env.USERS_TABLE];
  const now = Date.now();
  const rows = Array.from({ length: KEPT_ROWS }, (_, index) => row(index, now - 60_000 - (KEPT_HOURS * HOUR_MS * index) / KEPT_ROWS));
  await table.put(rows);
  const env = { ...(await table.env()), HISTORY_TABLE: sums, HISTORY_KEEP: '400d' };
  const whole = await stage.local(env);
  const short = await stage.local({ ...env, DATA_WINDOW: '3h' });
  const browser = await stage.chromium([new URL(whole.page).origin, whole.stream, new URL(short.page).origin, short.stream]);
  const seen = await browser.open(whole.page);
  await seen.untilCounting();
  const from = new Date(now - 7 * DAY_MS).toISOString();
  const counted = async () => (await (await fetch(`${short.page}api/v2/history?step=1h&from=${from}`)).json()).points.reduce((sum, { by_label: byLabel }) => LABELS.reduce((all, label) => all + byLabel[label], sum), 0);
  await until('sums of all hours', counted, (total) => total === rows.length, AGREE_MS);
  const tab = await browser.open(`${short.page}?range=7d`);
  await tab.untilCounting();
  await loadAxe(tab);
  const offered = await tab.evaluate(() => [...document.querySelectorAll('#ranges button')].map((button) => /** @type {HTMLElement} */ (button).dataset.range).join());
  await stage.checks.run('ranges are those that the server has', () => (offered === '15m,1h,7d,30d' ? '' : offered));
  for (const [name, days] of /** @type {[string, number][]} */ ([['7d', 7], ['30d', 30]])) {
    await tab.page.click(`#ranges [data-range="${name}"]`);
    for (const filter of ['', 'aap']) {
      await tab.page.fill('#filter', filter);
      await stage.checks.run(`${name}, ${filter || 'everything'}: the chart is a count of the table`, () => addsUp(tab, table, filter, days));
    }
    await tab.page.fill('#filter', '');
    await tab.page.click('#chart-toggle');
    // Without the filter the hours are asked for anew, and the chart has no gaps until they are there.
    await stage.checks.run(`${name}: it says how much is not known`, () =>
      tab.until('how much is not known', () => document.getElementById('chart-time')?.textContent ?? '', (text) => /, .+ of it not known/.test(text)).then(() => ''));
    await tab.page.screenshot({ path: path.join(OUTPUT, `kept-${name}.png`) });
    for (const scheme of /** @type {const} */ (['dark', 'light'])) {
      await tab.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await stage.checks.run(`${name}, ${scheme}: axe`, () => violations(tab));
    }
    await tab.page.setViewportSize({ width: 390, height: 844 });
    await stage.checks.run(`${name}: fits a phone`, () => tab.evaluate(overflow));
    await tab.page.screenshot({ path: path.join(OUTPUT, `kept-${name}-phone.png`), fullPage: true });
    await tab.page.setViewportSize({ width: 1280, height: 800 });
    await tab.page.click('#chart-toggle');
  }
  await stage.checkClean([seen, tab]);
}

/** Says how the table of the chart differs from the rows until it does not: in all, and in days of which nothing is known. */
async function addsUp(tab, table, filter, days) {
  if (!(await tab.evaluate(() => document.getElementById('chart-toggle')?.getAttribute('aria-pressed') === 'true'))) await tab.page.click('#chart-toggle');
  const meant = table.rows.filter(({ tickers }) => passes(tickers, filter));
  const wanted = String(LABELS.map((label) => meant.filter((one) => one.label === label).length));
  let difference = '';
  await until('page and table agree', async () => {
    const lines = await tab.evaluate(() => [...document.querySelectorAll('#chart-table tbody tr')].map((line) => [...line.querySelectorAll('td')].slice(0, 3).map((cell) => cell.textContent ?? '')));
    const sums = LABELS.map((_, index) => lines.reduce((sum, line) => sum + Number(line[index].replace(/\D/g, '')), 0));
    const unknown = lines.filter((line) => line.every((cell) => cell === '–')).length;
    // Rows are of 22 hours, which may lie in two days of the table.
    const isRight = String(sums) === wanted && lines.length === days && [days - 2, days - 1].includes(unknown);
    return (difference = isRight ? '' : `${lines.length} lines, ${unknown} unknown, ${sums} for ${wanted}`);
  }, (text) => text === '', AGREE_MS).catch(() => {});
  return difference;
}

/** Says how the page differs from the table until it does not. */
async function agrees(tab, table, range, filter) {
  if (!(await tab.evaluate(() => document.getElementById('chart-toggle')?.getAttribute('aria-pressed') === 'true'))) await tab.page.click('#chart-toggle');
  let difference = '';
  await until('page and table agree', async () => {
    const shown = await tab.evaluate(look);
    const expected = expectation(table.rows, range, filter, Date.now());
    const [found, wanted] = [JSON.stringify(shown), JSON.stringify(expected)];
    return (difference = found === wanted ? '' : `the page ${found}, the table ${wanted}`);
  }, (text) => text === '', AGREE_MS).catch(() => {});
  return difference;
}

/** Runs inside the page. */
function look() {
  const numbers = (nodes) => [...nodes].map((node) => Number((node.textContent ?? '').replace(/\D/g, '')));
  const steps = [...document.querySelectorAll('#chart-table tbody tr')].map((line) => numbers([...line.querySelectorAll('td')].slice(0, 3)));
  const tickers = [...document.querySelectorAll('#tickers tr')].map((line) => [line.querySelector('th')?.textContent, ...numbers([line.querySelector('.count')])]);
  return { totals: numbers([document.getElementById('total'), ...document.querySelectorAll('#labels .figure')]), steps, tickers: tickers.filter(([, count]) => Number(count) > 0).sort() };
}

/** What the page must show of these rows. */
function expectation(rows, range, filter, now) {
  const meant = rows.filter(({ at, tickers }) => at > now - DAY_MS && passes(tickers, filter));
  const byLabel = (list) => LABELS.map((label) => list.filter((one) => one.label === label).length);
  const last = Math.floor(now / range.stepMs);
  const step = ({ at }) => last - Math.floor(at / range.stepMs);
  const length = range.pointMs / range.stepMs;
  const lines = Array.from({ length: Math.ceil(range.steps / length) }, (_, line) =>
    byLabel(meant.filter((one) => Math.floor(step(one) / length) === line && step(one) < range.steps)));
  const counts = new Map();
  for (const { tickers } of meant) for (const ticker of tickers) if (passes([ticker], filter)) counts.set(ticker, (counts.get(ticker) ?? 0) + 1);
  return { totals: [meant.length, ...byLabel(meant)], steps: lines, tickers: [...counts].sort() };
}

/** REST says the same under the same filter. */
async function restAgrees(tab, local, table, filter) {
  const all = [...new Set(SETS.flat())].filter((ticker) => passes([ticker], filter));
  const query = filter === '' ? '' : `tickers=${all.map(encodeURIComponent).join(',')}`;
  const [metrics, history] = await Promise.all(['metrics?', 'history?step=1h&'].map(async (path) => (await fetch(`${local.page}api/v2/${path}${query}`)).json()));
  const { totals } = await tab.evaluate(look);
  const sums = LABELS.map((label) => history.points.reduce((sum, point) => sum + point.by_label[label], 0));
  const said = [[metrics.total, ...LABELS.map((label) => metrics[label])], [sums.reduce((left, right) => left + right, 0), ...sums]];
  return said.every((one) => String(one) === String(totals)) ? '' : `the page ${totals}, REST ${said.join(' and ')}`;
}

/** Whether the page says that no file comes. Runs inside it. */
const hasFailed = () => document.getElementById('export-status')?.textContent?.startsWith('Nothing is saved') ?? false;

/** Returns what the browser saves when something is done. @param {() => Promise<void>} act */
async function saved(tab, act) {
  const folder = scratch();
  await tab.cdp.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder, eventsEnabled: true });
  let name = '';
  let isSaved = false;
  const onBegin = ({ suggestedFilename }) => (name = suggestedFilename);
  const onProgress = ({ state }) => (isSaved ||= state === 'completed');
  tab.cdp.on('Browser.downloadWillBegin', onBegin);
  tab.cdp.on('Browser.downloadProgress', onProgress);
  await act();
  await until('a saved file', async () => {
    // A busy machine may not answer a page within the time that there is for it: whoever wants the file asks again.
    if (!isSaved && (await tab.evaluate(hasFailed))) await act();
    return isSaved;
  }, Boolean, START_MS);
  tab.cdp.off('Browser.downloadWillBegin', onBegin);
  tab.cdp.off('Browser.downloadProgress', onProgress);
  const text = await readFile(path.join(folder, name), 'utf8');
  await rm(folder, { recursive: true });
  return text;
}

/** The file has each item of range and filter once, and what comes in meanwhile at most once. */
async function exports(tab, table, range, filter, format) {
  const meant = (from) => table.rows.filter(({ at, tickers }) => at >= from && passes(tickers, filter)).map(({ id }) => id);
  const now = Date.now();
  const first = range.isWindow ? now - DAY_MS : (Math.floor(now / range.stepMs) - range.steps + 1) * range.stepMs;
  // The range begins at the page's moment, which is a little later than this one.
  const expected = meant(first + range.stepMs).filter((id) => !table.strays.has(id));
  const allowed = new Set(meant(first));
  const isNextPage = (request) => request.url().includes('/items?limit=1000') && request.url().includes('after=');
  const onRequest = (request) => {
    if (!isNextPage(request)) return;
    const rows = [60_000, 40_000_000].map((ago, index) => row(1_000_000 + table.strays.size + index, now - ago, LABELS[0], SETS[0]));
    for (const { id } of rows) {
      allowed.add(id);
      table.strays.add(id);
    }
    table.put(rows);
  };
  tab.page.on('request', onRequest);
  if ((await tab.page.getAttribute('#export', 'open')) === null) await tab.page.click('#export summary');
  const text = await saved(tab, () => tab.page.click(`#export-items-${format}`));
  tab.page.off('request', onRequest);
  const lines = text.trim().split('\r\n');
  const found = format === 'csv' ? lines.slice(1).map((line) => line.split(',')[1]) : JSON.parse(text).items.map((item) => item.item_id);
  const head = format === 'csv' && (!lines[0].startsWith('timestamp,item_id,') || lines.slice(1).some((line) => line.startsWith('timestamp')));
  const once = new Set(found);
  const lost = expected.filter((id) => !once.has(id));
  const odd = found.filter((id) => !allowed.has(id));
  const said = await tab.until('what the file has', () => /saved/.test(document.getElementById('export-status').textContent) && document.getElementById('export-status').textContent);
  const isSaid = said.replace(/\D/g, '') === String(found.length);
  const isGood = !head && once.size === found.length && lost.length === 0 && odd.length === 0 && isSaid;
  return isGood ? '' : `${found.length} items, ${once.size} different, ${lost.length} of ${expected.length} lost, ${odd.length} not meant, “${said}”${head ? ', heads' : ''}`;
}

/** @param {string[]} tickers @param {string} filter */
function passes(tickers, filter) {
  if (filter === '') return true;
  const words = filter.match(/"[^"]*"|[^\s,]+/g) ?? [];
  const isMeant = (ticker) => words.some((word) => (word.startsWith('"') ? word === `"${ticker}"` : ticker.toUpperCase().startsWith(word.toUpperCase())));
  return tickers.some(isMeant);
}

/** @returns {Row} */
function row(number, at, label = LABELS[number % 3], tickers = SETS[number % SETS.length]) {
  return { id: `row-${number}`, at: Math.floor(at), label, tickers };
}

/** Whole numbers below one, the same for the same seed. @param {number} seed */
function chooser(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A table, and the rows that it has. */
class Counted {
  /** @type {Row[]} */
  rows = [];
  /** Ids of rows so late that they are found by the next full read only. @type {Set<string>} */
  strays = new Set();
  #db;
  #table;

  /** @param {import('../harness/dynamodb.mjs').DynamoDb} db */
  constructor(db) {
    this.#db = db;
    this.#table = db.table();
  }

  async env() {
    return { ...this.#db.env, ...(await this.#table).env, STORE: 'dynamodb' };
  }

  /** @param {Row[]} rows one with an id that is there takes its place */
  async put(rows) {
    const { SENTIMENTS_TABLE: name } = (await this.#table).env;
    for (let first = 0; first < rows.length; first += BATCH) {
      const requests = rows.slice(first, first + BATCH).map((one) => ({ PutRequest: { Item: stored(one) } }));
      await this.#db.call('BatchWriteItem', { RequestItems: { [name]: requests } });
    }
    const ids = new Set(rows.map(({ id }) => id));
    this.rows = [...this.rows.filter(({ id }) => rows.length > 100 || !ids.has(id)), ...rows];
  }

  /** @param {() => Row} make @param {number} everyMs */
  steadily(make, everyMs) {
    let stopped = false;
    const loop = async () => {
      while (!stopped) {
        await this.put([make()]);
        await new Promise((done) => setTimeout(done, everyMs));
      }
    };
    const running = loop();
    return { stop: () => ((stopped = true), running) };
  }
}

/** @param {Row} one */
const stored = ({ id, at, label, tickers }) => ({
  source_id: { S: id }, timestamp: { S: new Date(at).toISOString() }, sentiment: { S: label }, score: { N: '0.5' },
  matched_tickers: { L: tickers.map((S) => ({ S })) }, status: { S: 'analyzed' },
});
