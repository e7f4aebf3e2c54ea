/**
 * A reader who is away: the machine sleeps, the tab is hidden, the browser freezes it, the network is switched off.
 */

import { BUSY_MS, pause, until } from '../harness/clock.mjs';
import { during, story, untruth } from '../harness/phases.mjs';
import { checkRows, scene } from './outages.mjs';

const ROWS_PER_SECOND = 1;
const CALM_MS = 3_000;
const SLEEP_MS = 60_000;
const FREEZE_MS = 20_000;
const OFFLINE_MS = 15_000;
/** A hidden page keeps its stream for a minute; a server hears of the end at its next poll or heartbeat. */
const HIDDEN_MS = 60_000;
const CLOSED_MS = 30_000 + BUSY_MS;
const AWAKE_MS = 15_000 + BUSY_MS;

/** @type {import('./index.mjs').Scenario[]} */
export const absences = [
  { name: 'laptop-sleeps', about: 'the machine sleeps for a minute, and the server ends its session meanwhile', run: (stage) => sleep(stage, 'chromium', SLEEP_MS) },
  { name: 'tab-hidden', about: 'the tab is hidden until its stream is closed, then looked at again', run: hidden },
  { name: 'tab-frozen', about: 'the browser freezes the tab and lets it go on', run: frozen },
  { name: 'browser-offline', about: 'the machine has no network for a while, and says so', run: offline },
];
/** @type {import('./index.mjs').Scenario} */
export const firefoxSleeps = {
  name: 'firefox-laptop-sleeps', about: 'Firefox: the machine sleeps, and the server ends its session meanwhile', run: (stage) => sleep(stage, 'firefox', SLEEP_MS / 2),
};

/** @param {import('../harness/stage.mjs').Stage} stage @param {'chromium' | 'firefox'} kind @param {number} ms */
async function sleep(stage, kind, ms) {
  const { checks } = stage;
  const { table, local, browser, tab } = await scene(stage, { SSE_MAX_SESSION: '20s' }, kind);
  const writer = table.writer(ROWS_PER_SECOND);
  await pause(CALM_MS);
  browser.sleep();
  const from = Date.now();
  await pause(ms);
  await checks.run('the server ended the session meanwhile', () => until('no stream', () => local.connections(), (open) => open === 0).then(() => ''));
  browser.wake();
  const woke = Date.now();
  await checks.run(`live within ${AWAKE_MS / 1000} s, with what was missed`, async () => {
    await tab.untilLive(AWAKE_MS);
    await tab.untilHasAll(table.written.filter(({ at }) => at < woke), AWAKE_MS);
  });
  checks.note(`had everything ${((Date.now() - woke) / 1000).toFixed(1)} s after waking up`);
  await pause(CALM_MS);
  await writer.stop();
  await checkRows(stage, tab, table);
  const { phases } = await tab.seen();
  await checks.run('the badge told the truth', () => untruth(phases, woke + 2_000, Date.now(), ['connecting', 'behind', 'resumed', 'live']));
  checks.note(story(phases, from));
  await stage.checkClean([tab], { network: true });
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function hidden(stage) {
  const { checks } = stage;
  const { table, local, browser, tab } = await scene(stage, {}, 'chromium');
  const writer = table.writer(ROWS_PER_SECOND);
  await pause(CALM_MS);
  await browser.cover(tab);
  const from = Date.now();
  await checks.run('its stream stays open for a while', async () => {
    await pause(HIDDEN_MS / 2);
    const open = await local.connections();
    return open === 1 ? '' : `${open} are open`;
  });
  await checks.run('its stream is closed then', () => until('no stream', () => local.connections(), (open) => open === 0, HIDDEN_MS / 2 + CLOSED_MS).then(() => ''));
  checks.note(`closed ${((Date.now() - from) / 1000).toFixed(0)} s after the page was hidden`);
  await pause(10_000);
  const shown = Date.now();
  await tab.show();
  await checks.run('live when it is looked at again, with what was missed', async () => {
    await tab.untilLive(AWAKE_MS);
    await tab.untilHasAll(table.written.filter(({ at }) => at < shown), AWAKE_MS);
  });
  checks.note(`had everything ${((Date.now() - shown) / 1000).toFixed(1)} s after it was shown`);
  await pause(CALM_MS);
  await writer.stop();
  await checkRows(stage, tab, table);
  const { phases } = await tab.seen();
  // A hidden page draws nothing; what counts is what somebody sees who looks at it.
  await checks.run('the badge told the truth', () => untruth(phases, shown + 500, Date.now(), ['suspended', 'connecting', 'resumed', 'live']));
  checks.note(story(phases, from));
  await stage.checkClean([tab]);
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function frozen(stage) {
  const { checks } = stage;
  const { table, browser, tab } = await scene(stage, {}, 'chromium');
  const writer = table.writer(ROWS_PER_SECOND);
  await pause(CALM_MS);
  await browser.cover(tab);
  await tab.freeze();
  const from = Date.now();
  await pause(FREEZE_MS);
  await tab.thaw();
  await tab.show();
  const thawed = Date.now();
  await checks.run('live when it goes on, with what was missed', async () => {
    await tab.untilLive(AWAKE_MS);
    await tab.untilHasAll(table.written.filter(({ at }) => at < thawed), AWAKE_MS);
  });
  await pause(CALM_MS);
  await writer.stop();
  await checkRows(stage, tab, table);
  const { phases } = await tab.seen();
  await checks.run('the badge told the truth', () => untruth(phases, thawed + 500, Date.now(), ['suspended', 'connecting', 'resumed', 'live']));
  checks.note(story(phases, from));
  await stage.checkClean([tab]);
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function offline(stage) {
  const { checks } = stage;
  const { table, browser, tab } = await scene(stage, {}, 'chromium');
  const writer = table.writer(ROWS_PER_SECOND);
  await pause(CALM_MS);
  const from = Date.now();
  await browser.setOffline(true);
  await pause(OFFLINE_MS);
  const to = Date.now();
  await browser.setOffline(false);
  await checks.run(`live again within ${AWAKE_MS / 1000} s`, async () => void (await tab.untilLive(AWAKE_MS)));
  await pause(CALM_MS);
  await writer.stop();
  await checkRows(stage, tab, table);
  const { phases } = await tab.seen();
  await checks.run('the badge said offline', () => (during(phases, from, to).includes('offline') ? '' : story(phases, from)));
  // What flows in spite of it is shown as what it is: the browser lets an open connection live.
  await checks.run('the badge told the truth', () => untruth(phases, from + 2_000, to, ['offline', 'live', 'resumed', 'behind', 'connecting']));
  checks.note(story(phases, from));
  await stage.checkClean([tab], { network: true });
}
