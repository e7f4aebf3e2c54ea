/**
 * Many tabs of one browser: one stream under all of them, whatever happens to the tab that holds it.
 */

import { BUSY_MS, pause, until } from '../harness/clock.mjs';
import { slowness } from '../harness/slowness.mjs';

const TABS = 10;
const ROWS_PER_SECOND = 4;
/** From a row being there to be read until a tab has it, whatever happens to its leader: a poll of the table, and three seconds. */
const ARRIVAL_MS = 3_000 + 500 + BUSY_MS;
const CALM_MS = 3_000;
/** A new tab is not to wait for a network: what the leader shows is on this machine. */
const NEW_TAB_MS = 1_500;

/**
 * What happens to the tab that leads, one after the other; each returns the way back, where there is one.
 * @type {{name: string, fate: (browser: any, leader: any) => Promise<null | (() => unknown)>}[]}
 */
const FATES = [
  {
    name: 'stopped with its process',
    fate: (_, leader) => leader.stop(),
  },
  {
    name: 'frozen by the browser',
    fate: async (browser, leader) => {
      await browser.cover(leader);
      await leader.freeze();
      return async () => {
        await leader.thaw();
        await leader.show();
      };
    },
  },
  { name: 'killed with its process', fate: async (_, leader) => (await leader.crash(), null) },
  { name: 'closed', fate: async (_, leader) => (await leader.close(), null) },
];
/** Time for which a leader is away that comes back: longer than its tabs may have to wait for what it does not bring. */
const AWAY_MS = 12_000;

/** @type {import('./index.mjs').Scenario[]} */
export const tabs = [
  { name: 'new-tab', about: 'a new tab shows what the others show at once', alone: true, run: quickTab },
  { name: 'leaders', about: 'the tab that holds the stream is stopped, frozen, killed, closed', alone: true, run: leaders },
  { name: 'ten-tabs', about: 'ten tabs share one stream, and each gets every update once', alone: true, run: tenTabs },
];

/**
 * @param {import('../harness/stage.mjs').Stage} stage @param {number} count
 * @param {(index: number) => boolean} isSeen which of them have a window of their own; the others hide each other
 */
async function openTabs(stage, count, isSeen = () => true) {
  const table = await stage.table();
  const local = await stage.local(table.env);
  const gates = await stage.gates(local);
  const browser = await stage.chromium(gates.origins);
  const list = [];
  for (let index = 0; index < count; index += 1) {
    const tab = await browser.open(gates.url, { window: isSeen(index) });
    await tab.untilCounting();
    list.push(tab);
  }
  return { table, local, gates, browser, list };
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function tenTabs(stage) {
  const { checks } = stage;
  const { table, local, gates, browser, list } = await openTabs(stage, TABS, (index) => index >= TABS / 2);
  await checks.run('half of the tabs are hidden, the leader too', async () => {
    const states = await Promise.all(list.map((tab) => tab.evaluate(() => document.visibilityState)));
    return states[0] === 'hidden' && states.filter((state) => state === 'visible').length >= TABS / 2 ? '' : states.join(' ');
  });
  const counts = watchConnections(local);
  const writer = table.writer(ROWS_PER_SECOND);
  await checks.run('one tab leads, the others follow', async () => {
    const roles = await Promise.all(list.map((tab) => tab.role()));
    const leaders = roles.filter((role) => role === 'leader').length;
    return leaders === 1 && roles.filter((role) => role === 'follower').length === TABS - 1 ? '' : roles.join(' ');
  });
  await pause(CALM_MS);

  let late;
  await checks.run('a new tab shows numbers and feed before any answer of a server', async () => {
    late = (await newTab(stage, { gates, browser })).tab;
  });
  await pause(CALM_MS);
  await writer.stop();
  await checks.run(`all ${TABS} tabs got all of ${table.written.length} updates`, () => Promise.all(list.map((tab) => tab.untilHasAll(table.written))).then(() => ''));
  await checks.run('each tab got each once', async () => (await Promise.all(list.map((tab) => tab.difference(table.written)))).filter(Boolean).join('; '));
  await checks.run('the new tab shows every row once', () => late.untilShows(table.written));
  await checks.run('one stream was open at any time', () => (counts.most() === 1 ? '' : `up to ${counts.most()}`));
  counts.stop();
  checks.note(`slowest of all updates in all tabs: ${await slowest(list, table.written)} ms`);
  await stage.checkClean([...list, late]);
}

/** Measured where nothing else runs. @param {import('../harness/stage.mjs').Stage} stage */
async function quickTab(stage) {
  const { table, gates, browser, list } = await openTabs(stage, 2);
  for (let row = 0; row < 20; row += 1) await table.write();
  await list[0].untilHasAll(table.written);
  await stage.checks.run(`a new tab shows what the others show within ${NEW_TAB_MS} ms on a usual machine, before any answer of a server`, async () => {
    const { took } = await newTab(stage, { gates, browser });
    const limit = NEW_TAB_MS * slowness();
    return took <= limit ? '' : `${took} ms, not ${limit.toFixed(0)}`;
  });
}

/** Opens one more tab, and holds back everything from it but the page's own files. @param {import('../harness/stage.mjs').Stage} stage */
async function newTab({ checks }, { gates, browser }) {
  const asked = gates.stream.requests.length;
  gates.page.hold((url) => url.startsWith('/api/'));
  const tab = await browser.open(gates.url, { window: true });
  const rows = await tab.until('the feed', () => document.querySelectorAll('#feed .entry').length);
  await tab.until('the first numbers', () => document.getElementById('total')?.textContent ?? '', (text) => /^\d/.test(text));
  const took = Date.now() - (await tab.seen()).began;
  gates.page.release();
  checks.note(`a new tab showed its numbers and ${rows} entries ${took} ms after it began to load`);
  if (gates.stream.requests.length !== asked) throw new Error('it opened a stream of its own');
  return { tab, took };
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function leaders(stage) {
  const { checks } = stage;
  const { table, local, browser, list } = await openTabs(stage, 4);
  const writer = table.writer(ROWS_PER_SECOND);
  let alive = list;
  for (const { name, fate } of FATES) {
    const roles = await Promise.all(alive.map((tab) => tab.role()));
    const leader = alive[roles.indexOf('leader')];
    const others = alive.filter((tab) => tab !== leader);
    await pause(CALM_MS);
    const counts = watchConnections(local);
    const from = table.written.length;
    const back = await fate(browser, leader);
    await checks.run(`${name}: another tab leads`, () => until('a new leader', () => Promise.all(others.map((tab) => tab.role())), (seen) => seen.includes('leader')).then(() => ''));
    await pause(back ? AWAY_MS : CALM_MS);
    await back?.();
    if (!back) alive = others;
    await checks.run(`${name}: one leads, and one stream is open`, async () => {
      await until('one leader', () => Promise.all(alive.map((tab) => tab.role())), (seen) => seen.filter((role) => role === 'leader').length === 1);
      await until('one stream', () => local.connections(), (open) => open === 1);
    });
    counts.stop();
    const rows = table.written.slice(from);
    await Promise.all(others.map((tab) => tab.untilHasAll(rows)));
    // What a tab took over from another one is seen in its feed only, and only as long as that has room.
    await Promise.all(alive.map((tab) => tab.untilHasAll(table.written)));
    await checks.run(`${name}: everything came to the others within ${ARRIVAL_MS} ms`, async () => {
      const took = await slowest(others, rows);
      checks.note(`${name}: slowest of ${rows.length} updates ${took} ms, most streams at once ${counts.most()}`);
      return took <= ARRIVAL_MS ? '' : `${took} ms`;
    });
  }
  await writer.stop();
  await checks.run(`every tab that is left has every one of ${table.written.length} updates`, () => Promise.all(alive.map((tab) => tab.untilHasAll(table.written))).then(() => ''));
  await checks.run('each once', async () => (await Promise.all(alive.map((tab) => tab.difference(table.written)))).filter(Boolean).join('; '));
  await checks.run('each stands in the feed once', async () => (await Promise.all(alive.map((tab) => tab.untilShows(table.written)))).filter(Boolean).join('; '));
  await stage.checkClean(alive);
}

/** How long the slowest update took to the slowest of these tabs, ms. */
async function slowest(list, rows) {
  let most = 0;
  for (const tab of list) {
    const had = new Map();
    for (const { key, at } of (await tab.seen()).updates) if (!had.has(key)) had.set(key, at);
    for (const { key, at } of rows) if (had.has(key)) most = Math.max(most, had.get(key) - at);
  }
  return most;
}

/** Looks at the server's own count all the time. @param {import('../harness/local.mjs').Local} local */
function watchConnections(local) {
  let [most, stopped] = [0, false];
  const look = async () => {
    while (!stopped) {
      most = Math.max(most, await local.connections().catch(() => 0));
      await pause(100);
    }
  };
  void look();
  return { most: () => most, stop: () => (stopped = true) };
}

/** Two tabs, the leading one closed: what every browser must be able to do. @param {import('../harness/stage.mjs').Stage} stage */
export async function twoTabs(stage) {
  const { checks } = stage;
  const table = await stage.table();
  const local = await stage.local(table.env);
  const gates = await stage.gates(local);
  const browser = await stage.firefox(gates.origins);
  const list = [];
  for (let index = 0; index < 2; index += 1) {
    const tab = await browser.open(gates.url, { window: true });
    await tab.untilCounting();
    list.push(tab);
  }
  const writer = table.writer(ROWS_PER_SECOND);
  await pause(CALM_MS);
  await checks.run('one stream is open', async () => {
    const open = await local.connections();
    return open === 1 ? '' : `${open} are`;
  });
  const roles = await Promise.all(list.map((tab) => tab.role()));
  const [leader, other] = roles[0] === 'leader' ? list : [list[1], list[0]];
  await leader.close();
  await checks.run('the other tab leads', () => until('the leader', () => other.role(), (role) => role === 'leader').then(() => ''));
  await pause(CALM_MS);
  await writer.stop();
  await checks.run(`it has every one of ${table.written.length} updates`, () => other.untilHasAll(table.written));
  await checks.run('each once', () => other.difference(table.written));
  await checks.run(`each came within ${ARRIVAL_MS} ms`, async () => {
    const took = await slowest([other], table.written);
    checks.note(`slowest update: ${took} ms`);
    return took <= ARRIVAL_MS ? '' : `${took} ms`;
  });
  await checks.run('one stream in the end', () => until('one stream', () => local.connections(), (open) => open === 1).then(() => ''));
  await stage.checkClean([other]);
}
