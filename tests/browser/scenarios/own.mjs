/**
 * A page of one's own: another language, title, logo and colours; within another page, on a wall, with a theme of the address; and a
 * page with nothing to show. Each on a phone, a laptop and a screen of 4K, each with a picture in target/screenshots, and axe has
 * nothing to say of any.
 */

import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { pause, REDRAWN_MS } from '../harness/clock.mjs';
import { OUTPUT } from '../harness/places.mjs';
import { loadAxe, violations } from './accessibility.mjs';
import { overflow } from './smoke.mjs';

const SIZES = { phone: { width: 390, height: 844 }, laptop: { width: 1440, height: 900 }, wall: { width: 3840, height: 2160 } };
const HOUR_MS = 3_600_000;

const LOGO = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 32"><rect width="96" height="32" rx="6" fill="#0a6b5e"/><path d="M12 22 24 8l12 14M48 10h36M48 22h24" fill="none" stroke="#fff" stroke-width="4"/></svg>').toString('base64');
const OWN = {
  LANGUAGE: 'de',
  TIME_ZONE: 'Asia/Kathmandu',
  TITLE: 'Nachrichtenlage der Handelsabteilung',
  TAGS: ['Börse', 'Börsen'],
  LOGO: `data:image/svg+xml;base64,${LOGO}`,
  ACCENT: { accent: ['#0a6b5e', '#1c7567'], 'accent-text': ['#0a6b5e', '#7fb3aa'], primary: ['#0a6b5e', '#0a6b5e'], flash: ['#e2edec', '#132c2e'] },
};

/** @type {import('./index.mjs').Scenario[]} */
export const own = [
  { name: 'own', about: 'another language, title, logo, accent and zone', run: german },
  { name: 'address', about: 'embed, tv and theme of the address', run: addresses },
  { name: 'nothing', about: 'an empty table, a filter without a match, a stream that is refused', run: nothing },
];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function german(stage) {
  const { checks } = stage;
  mkdirSync(OUTPUT, { recursive: true });
  const local = await stage.local({ SAMPLE_RATE: '3' });
  const { url, origins } = await stage.gates(local, OWN);
  const browser = await stage.chromium(origins);
  const tab = await browser.open(url);
  await tab.untilCounting();
  await tab.until('the feed', () => document.querySelectorAll('#feed .entry').length >= 8);
  await loadAxe(tab);
  const said = await tab.evaluate(() => ({
    lang: document.documentElement.lang,
    title: [document.title, document.querySelector('h1')?.textContent].join('|'),
    loaded: performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname).filter((name) => name.includes('/words/')),
    logo: /** @type {HTMLImageElement} */ (document.getElementById('logo')).naturalWidth > 0,
    tags: ['#tickers-title', '.tickers th', 'label[for="configuration-tickers"]'].map((place) => document.querySelector(place)?.textContent).join(),
    hints: [...document.querySelectorAll('input')].map((input) => input.placeholder).join(''),
    accent: getComputedStyle(document.documentElement).getPropertyValue('--accent').includes('#0a6b5e'),
  }));
  await checks.run('its words are German, and no others are loaded', () => (said.lang === 'de' && String(said.loaded) === '/js/words/de.js' ? '' : JSON.stringify(said)));
  await checks.run('title, logo and accent are its own', () => (said.title === `${OWN.TITLE}|${OWN.TITLE}` && said.logo && said.accent ? '' : JSON.stringify(said)));
  await checks.run('tags are called as it says, and no ticker is hinted at', () => (said.tags === 'Börsen,Börse,Börsen' && said.hints === '' ? '' : JSON.stringify(said)));
  await checks.run('no word of it is English', () => tab.evaluate(english));
  await checks.run('times are those of the zone', () => tab.evaluate(quarters));
  await looked(stage, tab, 'own');
  await tab.page.setViewportSize(SIZES.laptop);
  await tab.page.click('#configuration-new');
  await checks.run('the dialog, axe', () => violations(tab));
  await tab.page.screenshot({ path: path.join(OUTPUT, 'own-dialog.png') });
  await tab.page.keyboard.press('Escape');
  await tab.page.click('#chart-toggle');
  await checks.run('the table of the chart, axe', () => violations(tab));
  await tab.page.screenshot({ path: path.join(OUTPUT, 'own-table.png') });
  await stage.checkClean([tab]);
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function addresses(stage) {
  const { checks } = stage;
  mkdirSync(OUTPUT, { recursive: true });
  const local = await stage.local({ SAMPLE_RATE: '3' });
  const browser = await stage.chromium([new URL(local.page).origin, local.stream]);
  const tabs = [];
  for (const [name, query] of Object.entries({ embed: 'embed=1', tv: 'tv=1', 'tv-dark': 'tv=1&theme=dark', 'embed-light': 'embed=1&theme=light' })) {
    const tab = await browser.open(`${local.page}?${query}`);
    tabs.push(tab);
    await tab.untilCounting();
    await tab.until('the feed', () => document.querySelectorAll('#feed .entry').length >= 8);
    await loadAxe(tab);
    await looked(stage, tab, name);
    const shown = await tab.evaluate(visible);
    await checks.run(`${name}: what is shown`, () => (shown.heading === !name.startsWith('embed') && shown.pressed === !name.startsWith('tv') && shown.badge ? '' : JSON.stringify(shown)));
    const theme = new URLSearchParams(query).get('theme');
    if (theme === null) continue;
    await tab.page.emulateMedia({ colorScheme: theme === 'dark' ? 'light' : 'dark', reducedMotion: 'reduce' });
    await checks.run(`${name}: its theme is the address's`, () => tab.evaluate(ground).then((lightness) => (theme === 'dark' ? lightness < 60 : lightness > 200) ? '' : `its ground has ${lightness} of 255`));
  }
  await checks.run('on a wall all is on the screen', () => tabs[1].evaluate(() => {
    const { scrollHeight, clientHeight } = document.documentElement;
    return scrollHeight <= clientHeight ? '' : `${scrollHeight} px in ${clientHeight}`;
  }));
  await stage.checkClean(tabs);
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function nothing(stage) {
  const { checks } = stage;
  mkdirSync(OUTPUT, { recursive: true });
  const db = await stage.table();
  const local = await stage.local({ ...db.env, STORE: 'dynamodb', AUTH_MODE: 'off' });
  const { stream, url, origins } = await stage.gates(local, { WINDOW_MS: 6 * HOUR_MS });
  const browser = await stage.chromium(origins);
  const tab = await browser.open(url);
  await tab.untilCounting();
  await loadAxe(tab);
  const sees = () => ({ nothing: document.getElementById('nothing')?.checkVisibility(), text: document.getElementById('nothing')?.innerText ?? '', panels: document.querySelector('.panels')?.checkVisibility() });
  await checks.run('an empty table explains itself, with window and labels', () => tab.until('the explanation', sees,
    ({ nothing: isThere, text, panels }) => isThere && !panels && text.includes('6 hours') && text.includes('positive') && text.includes('infragen doctor')).then(() => ''));
  await checks.run('no range is longer than the window', () => tab.evaluate(() => [...document.querySelectorAll('#ranges button')].map(({ textContent }) => textContent).join()).then((text) => (text === '15 min,1 h,6 h' ? '' : text)));
  await looked(stage, tab, 'nothing');
  await db.write();
  await checks.run('it goes when a row comes', () => tab.until('the panels', sees, ({ nothing: isThere, panels }) => !isThere && panels).then(() => ''));
  await tab.page.fill('#filter', 'NOBODY');
  await checks.run('a filter without a match explains itself', () => tab.until('the explanation', sees, ({ nothing: isThere, text }) => isThere && text.includes('filter')).then(() => ''));
  await checks.run('the filter without a match, axe', () => violations(tab));
  await tab.page.screenshot({ path: path.join(OUTPUT, 'nothing-filter.png') });
  await stream.answer(401);
  const other = await browser.open(url);
  await other.untilPhase(['refused', 'polling']);
  const says = () => document.getElementById('trouble-text')?.textContent ?? '';
  await checks.run('a stream that is refused says why, and what to do', () => other.until('the sentence', says, (text) => text.includes('config.js')).then(() => ''));
  await loadAxe(other);
  await checks.run('the refused stream, axe', () => violations(other));
  await other.page.screenshot({ path: path.join(OUTPUT, 'nothing-refused.png') });
  await stage.checkClean([tab, other], { network: true });
}

/** A picture of each size and theme; it fits, and axe has nothing to say. */
async function looked(stage, tab, name) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    await tab.page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await tab.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await pause(REDRAWN_MS);
      await tab.page.screenshot({ path: path.join(OUTPUT, `${name}-${size}-${colorScheme}.png`) });
      await stage.checks.run(`${name}, ${size}, ${colorScheme}: fits`, () => tab.evaluate(overflow));
      await stage.checks.run(`${name}, ${size}, ${colorScheme}: axe`, () => violations(tab));
    }
  }
}

// These run inside the page.
const visible = () => ({
  heading: (document.querySelector('h1')?.getBoundingClientRect().width ?? 0) > 1,
  badge: document.getElementById('badge')?.checkVisibility() ?? false,
  pressed: document.getElementById('pause')?.checkVisibility() ?? false,
});
const ground = () => Number(/\d+/.exec(getComputedStyle(document.body).backgroundColor)?.[0]);
/** Words of the English page that are none of the German one. */
const english = () => {
  const node = /** @type {HTMLElement} */ (document.body.cloneNode(true));
  for (const free of node.querySelectorAll('#feed, #tickers, #labels, noscript, script')) free.remove();
  const attributes = [...document.querySelectorAll('[aria-label], [title], [placeholder]')].flatMap((one) => ['aria-label', 'title', 'placeholder'].map((name) => one.getAttribute(name) ?? ''));
  const found = [node.textContent ?? '', ...attributes].join(' ').match(/\b(?:the|of|last|items|hour|Latest|Waiting|Dismiss|Retry|Share|Show|Newest|Count|Everything|Updated|connection|just now)\b/g);
  return found ? [...new Set(found)].join(', ') : '';
};
/** Kathmandu is three quarters of an hour off: its times end in other minutes than everybody else's. */
const quarters = () => {
  const time = document.querySelector('#feed .entry .time');
  const [hours, minutes] = (time?.textContent ?? '').split(':').map(Number);
  const there = new Date(Date.now() + 345 * 60_000);
  const off = Math.abs(hours * 60 + minutes - there.getUTCHours() * 60 - there.getUTCMinutes());
  return Math.min(off, 1_440 - off) < 30 ? '' : `${time?.textContent}, where it is ${there.toISOString().slice(11, 16)}`;
};
