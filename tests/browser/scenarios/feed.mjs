/**
 * What the feed begins with, what it says of an item, and an item opened, by hand and by keys.
 */

import { FakeStream, frame, metrics, opening } from '../harness/fake_stream.mjs';

const SAFE = 'https://example.com/story';

/** @type {import('./index.mjs').Scenario[]} */
export const feed = [
  { name: 'feed', about: 'the feed begins with the latest items, and each opens', run },
  { name: 'feed-links', about: 'titles are text, and no link leads anywhere but by https', run: links },
];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function run(stage) {
  const { checks } = stage;
  const local = await stage.local({ SAMPLE_RATE: '1' });
  const browser = await stage.chromium([new URL(local.page).origin, local.stream]);
  const tab = await browser.open(local.page);
  await tab.untilLive();
  const order = () => [...document.querySelectorAll('#feed > li')].sort((one, other) => one.getBoundingClientRect().top - other.getBoundingClientRect().top).map(({ className }) => (/earlier|gap/.exec(className)?.[0] ?? 'new') + (className.includes('entry-') ? '-mark' : ''));
  await checks.run('what was there before stands below a mark, and what is new above it', async () => {
    const found = await tab.until('both', order, (all) => all.includes('new') && all.filter((one) => one === 'earlier').length >= 15);
    const mark = found.indexOf('earlier-mark');
    return mark > 0 && found.every((one, index) => one === (index < mark ? 'new' : index === mark ? 'earlier-mark' : 'earlier')) ? '' : found.join(' ');
  });
  await checks.run('only what is new is counted', async () => {
    const [news, told] = await tab.evaluate(() => [document.querySelectorAll('#feed .entry:not(.earlier)').length, document.getElementById('feed-aside')?.textContent ?? '']);
    return told === `${news} so far` ? '' : `${news} entries, and it says ${told}`;
  });
  await checks.run('an item says what happened, with a link that leads away', async () => {
    const link = () => [...document.querySelectorAll('#feed .entry-title a')].map((node) => /** @type {HTMLAnchorElement} */ (node)).map(({ href, rel, target, textContent }) => `${href.startsWith('https://example.com/')} ${rel} ${target} ${(textContent ?? '').length > 10}`);
    const found = new Set(await tab.evaluate(link));
    return found.size === 1 && found.has('true noopener noreferrer _blank true') ? '' : [...found].join(', ');
  });
  const open = () => /** @type {HTMLDialogElement} */ (document.getElementById('details')).open;
  const said = () => [document.getElementById('details-title')?.textContent, ...[...document.querySelectorAll('#details dt')].map(({ textContent }) => textContent)].join('|');
  await tab.page.click('#pause'); // what is pressed stands still
  const first = '#feed .entry.earlier';
  const title = await tab.evaluate((selector) => document.querySelector(`${selector} .entry-title`)?.textContent, first);
  const expected = `${title}|Link|Ticker|Label|Score|Confidence|Source|author|Time|Item`;
  await checks.run('a click opens it', async () => {
    await tab.page.click(`${first} .source`);
    await tab.until('the dialog', open);
    const found = await tab.evaluate(said);
    await tab.page.keyboard.press('Escape');
    await tab.until('its end', open, (isOpen) => !isOpen);
    return found === expected ? '' : found;
  });
  await checks.run('Enter opens it, and leads back', async () => {
    await tab.page.focus(`${first} .name`);
    await tab.page.keyboard.press('Enter');
    await tab.until('the dialog', open);
    const found = await tab.evaluate(said);
    await tab.page.click('#details-close');
    await tab.until('the item', () => document.activeElement?.className, (place) => place === 'name');
    return found === expected ? '' : found;
  });
  await checks.run('an item is one stop of the Tab key, and what opens begins with its link', async () => {
    const focused = () => [document.activeElement?.className, [...document.querySelectorAll('#feed .entry')].findIndex((node) => node.contains(document.activeElement))].join(' ');
    const stops = [];
    await tab.page.focus('#feed .entry .name');
    for (let index = 0; index < 3; index += 1) {
      const stop = await tab.evaluate(focused);
      stops.push(stop);
      await tab.page.keyboard.press('Tab');
      await tab.until('the next stop', focused, (next) => next !== stop);
    }
    await tab.page.keyboard.press('Enter');
    await tab.until('the dialog', open);
    const [href, expectedHref] = await tab.evaluate(() => [/** @type {HTMLAnchorElement} */ (document.activeElement).href, /** @type {HTMLAnchorElement} */ (document.querySelectorAll('#feed .entry')[3]?.querySelector('.entry-title a')).href]);
    await tab.page.keyboard.press('Escape');
    return stops.join() === 'name 0,name 1,name 2' && href === expectedHref ? '' : `${stops.join()}, then ${href} and not ${expectedHref}`;
  });
  await stage.checkClean([tab]);
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function links(stage) {
  const { checks } = stage;
  const local = await stage.local({ SAMPLE_RATE: '0' });
  const gates = await stage.gates(local, { SHOW: ['price', '__proto__'] });
  const fake = new FakeStream(() => opening('evt_1'));
  gates.stream.handle('/api/v2/stream', fake.handler);
  const browser = await stage.chromium(gates.origins);
  const tab = await browser.open(gates.url);
  await tab.untilLive();
  await fake.send(metrics({ AAPL: 1 }));
  const titles = ['<img src=x onerror=alert(1)>', '\u202egnitirw sdrawkcab', 'a\u0000b\nc', 'x'.repeat(100_000)];
  const urls = ['javascript:alert(1)', 'java\nscript:alert(1)', 'http://example.com/', 'data:text/html,<script>alert(1)</script>', '//example.com', ' ', 7, SAFE];
  let index = 0;
  for (const title of titles) {
    for (const url of urls) {
      index += 1;
      const data = { item_id: `link-${index}`, ticker: 'AAPL', score: 0.5, label: 'positive', timestamp: new Date().toISOString(), title, url, price: index };
      await fake.send(frame('sentiment_update', data, `evt_${index + 1}`));
    }
  }
  const count = titles.length * urls.length;
  await tab.until('every title', () => document.querySelectorAll('#feed .entry-title').length, (found) => found === count);
  await checks.run('one link for each safe address', async () => {
    const found = await tab.evaluate(() => [...document.querySelectorAll('#feed a')].map((node) => /** @type {HTMLAnchorElement} */ (node).href));
    return found.length === titles.length && found.every((href) => href === SAFE) ? '' : found.join(' ');
  });
  await checks.run('titles are text, each apart from what is beside it', async () => {
    const found = await tab.evaluate(() => ({ images: document.querySelectorAll('#feed img').length, apart: [...document.querySelectorAll('.entry-title > *')].every((node) => getComputedStyle(node).unicodeBidi === 'isolate' && /** @type {HTMLElement} */ (node).dir === 'auto') }));
    return found.images === 0 && found.apart ? '' : JSON.stringify(found);
  });
  await checks.run('a value is told with its name', () => tab.until('the price', () => document.querySelector('#feed .source')?.textContent, (text) => text === `price ${count}`).then(() => ''));
  await checks.run('what is opened says a long label whole', async () => {
    const long = { item_id: 'long', ticker: 'AAPL', score: 0.5, label: 'waiting for third party confirmation after escalation', timestamp: new Date().toISOString() };
    await fake.send(frame('sentiment_update', long, 'evt_999'));
    await tab.until('it', () => document.querySelectorAll('#feed .entry').length, (found) => found > count);
    await tab.evaluate(() => /** @type {HTMLElement} */ (document.querySelector('#feed .entry .name')).click());
    await tab.until('the dialog', () => document.querySelector('#details[open] .chip') !== null);
    return tab.evaluate(() => {
      const { scrollWidth, clientWidth } = /** @type {HTMLElement} */ (document.querySelector('#details .chip'));
      return scrollWidth > clientWidth ? `${scrollWidth} px of it in ${clientWidth} px` : '';
    });
  });
  await stage.checkClean([tab]);
}
