/**
 * A deployment that asks everybody for a user: where the page can make itself one it is live at once, elsewhere it says what it
 * needs and goes on as soon as it has it.
 */

import { pause } from '../harness/clock.mjs';
import { during, story, untruth } from '../harness/phases.mjs';

const PATIENCE_MS = 18_000;
/** Sooner than it would have tried by itself. */
const SOON_MS = 5_000;
/** As long as it may wait between two tries, and a moment. */
const BY_ITSELF_MS = 90_000;
const KINDS = /** @type {const} */ (['chromium', 'firefox']);

/** @typedef {'chromium' | 'firefox'} Kind */
/** @param {{name: string, about: string, play: (stage: import('../harness/stage.mjs').Stage, kind: Kind) => Promise<void>}} scenario */
export const inBoth = ({ name, about, play }) => KINDS.map((kind) => ({
  name: kind === 'firefox' ? `firefox-${name}` : name,
  about: kind === 'firefox' ? `Firefox: ${about}` : about,
  run: (stage) => play(stage, kind),
}));

/** @type {import('./index.mjs').Scenario[]} */
export const privates = [
  { name: 'private-session', about: 'the page gets itself a user before it asks for anything', play: playSession },
  { name: 'private-cookie', about: 'the same where only a cookie holds the user', play: playCookie },
  { name: 'private-sign-in', about: 'a page without a user says so, and is live once there is one', play: playSignIn },
  { name: 'private-sign-in-elsewhere', about: 'the same sentence where the stream is of another origin', play: playElsewhere },
  { name: 'private-sign-in-unseen', about: 'the same where nobody looks at it: it is live by itself', play: playUnseen },
].flatMap(inBoth);

const PRIVATE_SESSION = { AUTH_MODE: 'session', AUTH_PRIVATE: 'true' };

/** @param {import('../harness/stage.mjs').Stage} stage @param {Kind} kind */
async function playSession(stage, kind) {
  const local = await stage.local(PRIVATE_SESSION);
  const browser = await stage.browser(kind, [new URL(local.page).origin, local.stream]);
  await isLiveAtOnce(stage, await browser.open(local.page));
}

/** @param {import('../harness/stage.mjs').Stage} stage @param {Kind} kind */
async function playCookie(stage, kind) {
  const front = await stage.front(await stage.local(PRIVATE_SESSION), { SIGNED_REQUESTS: true });
  const browser = await stage.browser(kind, front.origins);
  await isLiveAtOnce(stage, await browser.open(front.url));
}

/** @param {import('../harness/stage.mjs').Stage} stage @param {import('../harness/tab.mjs').Tab} tab */
async function isLiveAtOnce(stage, tab) {
  const { checks } = stage;
  await checks.run('the badge says live', async () => void (await tab.untilLive()));
  await checks.run('the numbers are there', async () => void (await tab.until('the total', total, (text) => /^[1-9]/.test(text ?? ''))));
  await checks.run('nobody was asked to sign in', async () => untruth((await tab.seen()).phases, 0, Date.now(), ['connecting', 'live']));
  // A browser logs each 401.
  await stage.checkClean([tab]);
}

/**
 * A page behind one address in mode `jwt`. Whoever serves it signs people in at `/sign-in`, by a cookie that no script reads.
 * @param {import('../harness/stage.mjs').Stage} stage @param {Kind} kind
 */
async function signedOut(stage, kind) {
  const issuer = await stage.issuer();
  const front = await stage.front(await stage.local({ ...issuer.env, AUTH_PRIVATE: 'true' }));
  front.gate.handle('/sign-in', (_, response) => {
    response.writeHead(204, { 'set-cookie': `session=${issuer.token('ann')}; Path=/api/; HttpOnly; SameSite=Strict` }).end();
  });
  const browser = await stage.browser(kind, front.origins);
  const tab = await browser.open(front.url);
  await saysSignIn(stage, tab);
  return { tab, said: Date.now(), signIn: () => tab.evaluate(() => fetch('/sign-in', { method: 'POST' }).then(({ status }) => status)) };
}

/** @param {import('../harness/stage.mjs').Stage} stage @param {import('../harness/tab.mjs').Tab} tab */
async function saysSignIn({ checks }, tab) {
  await checks.run('the page says that it needs a sign-in', async () => {
    await tab.until('the badge', badge, (word) => word === 'Sign in', PATIENCE_MS);
    await tab.until('the sentence', sentence, (text) => /needs a sign-in/.test(text ?? ''));
  });
}

/** @param {import('../harness/stage.mjs').Stage} stage @param {Kind} kind */
async function playSignIn(stage, kind) {
  const { checks } = stage;
  const { tab, said, signIn } = await signedOut(stage, kind);
  // By the end of this it tries seldom.
  await pause(PATIENCE_MS);
  const signedIn = Date.now();
  await checks.run('with a user it is live as soon as somebody looks', async () => {
    await signIn();
    await tab.evaluate(() => void document.dispatchEvent(new Event('visibilitychange')));
    await tab.untilLive(SOON_MS);
  });
  await isTrue(stage, tab, said, signedIn);
}

/** @param {import('../harness/stage.mjs').Stage} stage @param {Kind} kind */
async function playElsewhere(stage, kind) {
  const issuer = await stage.issuer();
  const { url, origins } = await stage.gates(await stage.local({ ...issuer.env, AUTH_PRIVATE: 'true' }));
  const browser = await stage.browser(kind, origins);
  const tab = await browser.open(url);
  await saysSignIn(stage, tab);
  await stage.checkClean([tab], { network: true });
}

/** @param {import('../harness/stage.mjs').Stage} stage @param {Kind} kind */
async function playUnseen(stage, kind) {
  const { checks } = stage;
  const { tab, said, signIn } = await signedOut(stage, kind);
  await pause(PATIENCE_MS);
  const signedIn = Date.now();
  await checks.run('with a user it is live by itself', async () => {
    await signIn();
    await tab.untilLive(BY_ITSELF_MS);
  });
  checks.note(`live ${((Date.now() - signedIn) / 1_000).toFixed(1)} s after the sign-in`);
  await isTrue(stage, tab, said, signedIn);
}

/** @param {import('../harness/stage.mjs').Stage} stage @param {import('../harness/tab.mjs').Tab} tab @param {number} said @param {number} signedIn */
async function isTrue(stage, tab, said, signedIn) {
  const { phases } = await tab.seen();
  await stage.checks.run('the badge said nothing else meanwhile, and nothing of a sign-in afterwards', async () => {
    const before = during(phases, 0, said).includes('live') ? `it was live without a user: ${story(phases)}` : '';
    const after = await tab.evaluate(sentence);
    return before || untruth(phases, said, signedIn, ['refused']) || (after ? `it still says: ${after}` : '');
  });
  await stage.checkClean([tab], { network: true });
}

// These run inside the page.
const total = () => document.getElementById('total')?.textContent;
const badge = () => document.getElementById('phase')?.textContent;
const sentence = () => document.getElementById('trouble-text')?.textContent;
