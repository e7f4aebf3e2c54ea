/**
 * A deployment that asks everybody for a user: where the page can make itself one it is live at once, elsewhere it says what it
 * needs and goes on as soon as it has it.
 */

import { pause } from '../harness/clock.mjs';

const PATIENCE_MS = 18_000;
/** Sooner than it would have tried by itself. */
const SOON_MS = 5_000;

/** @type {import('./index.mjs').Scenario[]} */
export const privates = [
  { name: 'private-session', about: 'the page gets itself a user before it asks for anything', run: runSession },
  { name: 'private-sign-in', about: 'a page without a user says so, and is live once there is one', run: runSignIn },
];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function runSession(stage) {
  const { checks } = stage;
  const local = await stage.local({ AUTH_MODE: 'session', AUTH_PRIVATE: 'true' });
  const browser = await stage.chromium([new URL(local.page).origin, local.stream]);
  const tab = await browser.open(local.page);
  await checks.run('the badge says live', async () => void (await tab.untilLive()));
  await checks.run('the numbers are there', async () => void (await tab.until('the total', total, (text) => /^[1-9]/.test(text ?? ''))));
  // A browser logs each 401.
  await stage.checkClean([tab]);
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function runSignIn(stage) {
  const { checks } = stage;
  const local = await stage.local({ AUTH_MODE: 'session', AUTH_PRIVATE: 'true' });
  // As with an issuer of tokens: the page can make itself no user.
  const gates = await stage.gates(local, { AUTH_MODE: 'jwt' });
  const browser = await stage.chromium(gates.origins);
  const tab = await browser.open(gates.url);
  await checks.run('the page says that it needs a sign-in', async () => {
    await tab.until('the badge', badge, (word) => word === 'Sign in');
    await tab.until('the sentence', sentence, (text) => /needs a sign-in/.test(text ?? ''));
  });
  await checks.run('with a user it is live as soon as somebody looks', async () => {
    // By now it tries seldom.
    await pause(PATIENCE_MS);
    // In place of a cookie, which no page of two origins has.
    const { token } = await (await fetch(`${local.page}api/v2/auth/anonymous`, { method: 'POST' })).json();
    await tab.page.route('**/api/v2/**', (route) => {
      const url = new URL(route.request().url());
      url.searchParams.set('token', token);
      return route.continue({ url: String(url) });
    });
    await tab.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await tab.untilLive(SOON_MS);
  });
  await stage.checkClean([tab], { network: true });
}

// These run inside the page.
const total = () => document.getElementById('total')?.textContent;
const badge = () => document.getElementById('phase')?.textContent;
const sentence = () => document.getElementById('trouble-text')?.textContent;
