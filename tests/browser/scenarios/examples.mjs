/**
 * The worked examples of docs/examples, each as `./justw dev --example` starts it, and tables of other shapes, each with its manifest: with and
 * without scores, confidence, tags and titles, with two labels and with sixteen. What a table has not, the page has not either. A
 * picture of each is left in target/screenshots.
 */

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { pause, REDRAWN_MS } from '../harness/clock.mjs';
import { INFRAGEN, variables } from '../harness/manifest.mjs';
import { OUTPUT, ROOT } from '../harness/places.mjs';
import { scratch } from '../harness/program.mjs';
import { overflow } from './smoke.mjs';

const FOLDER = path.join(ROOT, 'docs/examples');
const SIZES = { desk: { width: 1280, height: 800 }, wide: { width: 1920, height: 1080 }, phone: { width: 390, height: 844 } };

/** @type {import('./index.mjs').Scenario[]} */
export const examples = [
  { name: 'examples', about: 'the worked examples, as `./justw dev --example` shows them', run: worked },
  { name: 'shapes', about: 'tables with and without scores, tags and titles, with two labels and sixteen', run: shapes },
];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function worked(stage) {
  const names = readdirSync(FOLDER);
  const start = async (name) => {
    const env = { INFRAGEN, BINARIES_DIR: path.dirname(process.env.LOCAL_PROGRAM ?? path.join(ROOT, 'target/debug/local')) };
    return { name, local: await stage.local(env, [path.join(ROOT, 'tools/dev.sh'), '--example', name]), speaksOfSentiment: name === 'sentiment' };
  };
  await look(stage, await Promise.all(names.map(start)), ['desk', 'wide', 'phone']);
}

/** @param {import('../harness/stage.mjs').Stage} stage */
async function shapes(stage) {
  const start = async ([name, { manifest, row }]) => {
    const rows = path.join(scratch(), 'rows.jsonl');
    const lines = Array.from({ length: 60 }, (_, number) => JSON.stringify({ id: { S: `row-${number}` }, at: { S: `2026-11-28T09:00:${String(number).padStart(2, '0')}Z` }, ...row(number) }));
    writeFileSync(rows, lines.join('\n'));
    const local = await stage.local({ ...variables(`${manifest}key = "id"\ntime = "at"\nlabel = "kind"\n`), SAMPLE_ROWS: rows });
    return { name, local, speaksOfSentiment: false };
  };
  await look(stage, await Promise.all(Object.entries(SHAPES).map(start)), ['desk', 'phone']);
}

/** @param {string[]} names @param {string} more */
const manifestOf = (names, more) => `[data]\nlabels = [${names.map((name) => (name.startsWith('{') ? name : JSON.stringify(name))).join(', ')}]\nupdate_event = "row_seen"\n[data.attributes]\nstatus = false\n${more}`;
const without = (...names) => names.map((name) => `${name} = false\n`).join('');
/** Sixteen labels of any text, the longest of 64 characters; those in whose letters no name follows have one. */
const SIXTEEN = [
  'waiting for the customs declaration of the second of two parcels', 'Überprüfung', '要確認', 'ok', 'n/a', 'A & B <i>', 'mañana', 'delayed by weather',
  'incomprehensibilities-without-a-space-in-sixty-four-characters-x', 'in_progress', '5 stars', 'Ready?', '— other —', 'POSTED', 'half done', 'zzz',
];
const keyed = SIXTEEN.map((value, at) => `{ value = ${JSON.stringify(value)}, key = "kind_${at}" }`);
const S = (text) => ({ S: text });
const ALPHABET = 'abcdefghijkl';

/** @type {Record<string, {manifest: string, row: (number: number) => object}>} */
const SHAPES = {
  // As little as there may be.
  'two-labels': { manifest: manifestOf(['on', 'off'], without('tags', 'score', 'confidence', 'source')), row: (n) => ({ kind: S(n % 3 ? 'on' : 'off') }) },
  'scores-without-tags': {
    manifest: manifestOf(['calm', 'busy'], `score = "load"\n${without('tags', 'confidence', 'source')}`),
    row: (n) => ({ kind: S(n % 2 ? 'calm' : 'busy'), load: { N: String((n % 21) / 10 - 1) } }),
  },
  'sixteen-labels': {
    manifest: manifestOf(keyed, `tags = "team"\ntitle = "title"\nurl = "url"\n${without('score', 'confidence', 'source')}`),
    row: (n) => ({ kind: S(SIXTEEN[n % 16]), team: S(`team-${ALPHABET[n % 12]}`), title: S(`${'A long headline that goes on and on '.repeat(1 + (n % 8))}${n}`.slice(0, 290)), url: S(`https://example.com/${n}`) }),
  },
  'long-tags': {
    manifest: manifestOf(['one', 'two', 'three'], `tags = "tag"\nsource = "from"\n${without('score', 'confidence')}`),
    row: (n) => ({ kind: S(['one', 'two', 'three'][n % 3]), tag: S(`a-tag-of-sixty-four-characters-with-no-space-in-it-${'x'.repeat(12)}${n % 9}`), from: S('a source with a name that is longer than most of them are') }),
  },
};

/**
 * Opens each page and checks that it says what its table has, and nothing else.
 * @param {import('../harness/stage.mjs').Stage} stage
 * @param {{name: string, local: import('../harness/local.mjs').Local, speaksOfSentiment: boolean}[]} all
 * @param {(keyof typeof SIZES)[]} sizes
 */
async function look(stage, all, sizes) {
  mkdirSync(OUTPUT, { recursive: true });
  const browser = await stage.chromium(all.flatMap(({ local }) => [new URL(local.page).origin, local.stream]));
  const tabs = [];
  for (const { name, local, speaksOfSentiment } of all) {
    const tab = await browser.open(local.page);
    tabs.push(tab);
    await tab.untilCounting();
    await tab.until('the feed', () => document.querySelectorAll('#feed .entry').length >= 8);
    await tab.until('the chart', () => document.querySelector('#chart canvas') !== null && /** @type {HTMLElement} */ (document.getElementById('chart-empty')).hidden);
    await stage.checks.run(`${name}: totals are those of REST`, async () => {
      const { total, ...numbers } = await (await fetch(`${local.page}api/v2/metrics`)).json();
      const keys = await tab.evaluate(() => /** @type {any} */ (window).CONFIG.LABEL_KEYS);
      const sum = keys.reduce((all, key) => all + numbers[key], 0);
      return total > 0 && sum === total ? '' : `${sum} of ${total}`;
    });
    await stage.checks.run(`${name}: an update comes`, async () => void (await tab.until('an update', () => document.querySelector('#feed .entry:not(.earlier)') !== null)));
    for (const size of sizes) {
      await tab.page.setViewportSize(SIZES[size]);
      for (const colorScheme of size === 'desk' ? ['dark', 'light'] : ['light']) {
        await tab.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await pause(REDRAWN_MS);
        await tab.page.screenshot({ path: path.join(OUTPUT, `example-${name}-${size}-${colorScheme}.png`) });
      }
      await stage.checks.run(`${name} on ${size} fits its window`, () => tab.evaluate(overflow));
      await stage.checks.run(`${name} on ${size} has no empty boxes and no clipped words`, () => tab.evaluate(faults));
    }
    if (!speaksOfSentiment) await stage.checks.run(`${name} does not speak of sentiment`, () => tab.evaluate(sentiment));
  }
  await stage.checkClean(tabs);
}

// These run inside the page.

/** Boxes that show nothing, and words of which a part is hidden and is nowhere else to be read. */
function faults() {
  const visible = (/** @type {Element} */ node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const told = (/** @type {Element} */ node) => `${node.id ? `#${node.id}` : `.${node.className}`} \`${(node.textContent ?? '').trim().slice(0, 40)}\``;
  const wrong = [];
  for (const box of document.querySelectorAll('.card, thead th, .legend, .labels')) {
    if (!visible(box)) continue;
    const { width, height } = box.getBoundingClientRect();
    if ((box.textContent ?? '').trim() === '' || width < 8 || height < 8) wrong.push(`empty: ${told(box)}`);
  }
  for (const column of ['th.score', 'th.last', 'th.change']) {
    const head = document.querySelector(`.tickers thead ${column}`);
    if (!head || !visible(head)) continue;
    const index = [...(head.parentElement?.children ?? [])].indexOf(head);
    const cells = [...document.querySelectorAll('#tickers tr')].map((row) => row.children[index]?.textContent ?? '');
    if (cells.length > 0 && cells.every((text) => /^[–\s]*$/.test(text))) wrong.push(`empty column: ${told(head)}`);
  }
  const [legend, chart] = ['chart-legend', 'chart'].map((id) => document.getElementById(id)?.getBoundingClientRect());
  if (legend && chart && legend.bottom > chart.top + 1) wrong.push(`the legend is ${Math.round(legend.bottom - chart.top)} px over the chart`);
  for (const node of document.querySelectorAll('main *, header *')) {
    if (node.children.length > 0 || !visible(node) || node.closest('svg, canvas, .unseen')) continue;
    const isCut = node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).overflowX !== 'visible';
    const title = node.closest('[title]')?.getAttribute('title') ?? '';
    if (isCut && !title.toLowerCase().includes((node.textContent ?? '').trim().toLowerCase())) wrong.push(`clipped: ${told(node)}`);
  }
  return [...new Set(wrong)].slice(0, 10).join('; ');
}

function sentiment() {
  const said = [document.title, document.body.innerText];
  for (const node of document.querySelectorAll('[title], [aria-label], [placeholder]')) {
    if (node.checkVisibility()) said.push(...['title', 'aria-label', 'placeholder'].map((name) => node.getAttribute(name) ?? ''));
  }
  return said.filter((text) => /sentiment|positive|negative/i.test(text)).map((text) => text.slice(0, 60)).join('; ');
}
