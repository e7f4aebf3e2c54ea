/**
 * Tables as other programs write them (tests/fixtures/tables), each with its manifest: the totals and the feed say what the rows
 * say, whatever labels, times, ids and tags are like. A picture of each is left in target/screenshots.
 */

import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { variables } from '../harness/manifest.mjs';
import { OUTPUT, ROOT } from '../harness/places.mjs';

const FOLDER = path.join(ROOT, 'tests/fixtures/tables');

/** @type {import('./index.mjs').Scenario[]} */
export const tables = [{ name: 'tables', about: 'tables of other programs, each with its manifest', run }];

/** @param {import('../harness/stage.mjs').Stage} stage */
async function run(stage) {
  mkdirSync(OUTPUT, { recursive: true });
  const db = await stage.dynamoDb();
  const all = await Promise.all(readdirSync(FOLDER).sort().map((name) => prepared(stage, db, name)));
  const browser = await stage.chromium(all.flatMap(({ local }) => [new URL(local.page).origin, local.stream]));
  const tabs = [];
  for (const one of all) {
    const tab = await browser.open(one.local.page);
    tabs.push(tab);
    await stage.checks.run(`${one.name}: totals and feed say what the rows say`, () => isShown(tab, one));
  }
  await stage.checkClean(tabs);
}

/**
 * Makes a table with the rows that are there before a page, and a server on it.
 * @param {import('../harness/stage.mjs').Stage} stage @param {import('../harness/dynamodb.mjs').DynamoDb} db @param {string} name
 */
async function prepared(stage, db, name) {
  const read = (file) => readFileSync(path.join(FOLDER, name, file), 'utf8');
  const [rows, expected] = ['rows.json', 'expected.json'].map((file) => JSON.parse(read(file)));
  const items = `fixture-${name}`;
  await db.call('CreateTable', { ...JSON.parse(read('table.json')), TableName: items, BillingMode: 'PAY_PER_REQUEST' });
  const put = (list) => Promise.all(list.map((row) => db.call('PutItem', { TableName: items, Item: dated(row) })));
  await put(rows.before);
  const local = await stage.local({ ...db.env, STORE: 'dynamodb', ...variables(read('deploy.toml')), SENTIMENTS_TABLE: items, USERS_TABLE: `${items}-users`, AUTH_MODE: 'off' });
  return { name, expected, local, more: () => put(rows.new) };
}

/** @param {import('../harness/tab.mjs').Tab} tab @param {Awaited<ReturnType<typeof prepared>>} fixture */
async function isShown(tab, { name, expected, more }) {
  await tab.untilCounting();
  await more();
  const { by_tag: tags, rate_last_hour: _, total, ...byKey } = expected.metrics;
  const config = await tab.evaluate(() => /** @type {any} */ (window).CONFIG);
  const wanted = [total, ...config.LABEL_KEYS.map((key) => byKey[key])].map(String).join(' ');
  const totals = () => [document.getElementById('total'), ...document.querySelectorAll('#labels .figure')].map((node) => node?.textContent).join(' ');
  await tab.until(`the totals ${wanted}`, totals, (text) => text === wanted);
  const names = expected.updates.map(({ ticker, item_id: id }) => ticker ?? id);
  const feed = () => [...document.querySelectorAll('#feed .entry:not(.earlier) .name')].map((node) => node.textContent);
  await tab.until(`${names.join(', ')} in the feed`, feed, (shown) => names.every((each) => shown.includes(each)));
  const filter = () => document.getElementById('filter')?.checkVisibility();
  await tab.until(config.HAS_TAGS === false ? 'no place for tickers' : 'the place for tickers', filter, (isThere) => isThere === (config.HAS_TAGS !== false));
  const tickers = () => [...document.querySelectorAll('#tickers tr th')].map((node) => node.textContent);
  await tab.until('the tickers', tickers, (shown) => Object.keys(tags).every((tag) => shown.includes(tag)));
  await tab.page.screenshot({ path: path.join(OUTPUT, `table-${name}.png`) });
}

/** Writes the times of a row, `@-60+3600|YYYY-MM-DDThh:mm:ssZ`. @param {any} value @returns {any} */
function dated(value) {
  if (Array.isArray(value)) return value.map(dated);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, dated(each)]));
  const found = typeof value === 'string' ? /^@([-+\d]+)\|(.*)$/s.exec(value) : null;
  if (!found) return value;
  const seconds = (found[1].match(/[-+]?\d+/g) ?? []).reduce((sum, shift) => sum + Number(shift), 0);
  const moment = new Date(Date.now() + seconds * 1_000);
  const text = moment.toISOString();
  const parts = [
    ['EPOCH', String(Math.floor(moment.getTime() / 1_000))], ['MILLIS', String(moment.getTime())],
    ['YYYY', text.slice(0, 4)], ['MM', text.slice(5, 7)], ['DD', text.slice(8, 10)],
    ['hh', text.slice(11, 13)], ['mm', text.slice(14, 16)], ['ss', text.slice(17, 19)],
    ['ffffff', `${text.slice(20, 23)}456`], ['fff', text.slice(20, 23)],
  ];
  return parts.reduce((pattern, [name, part]) => pattern.replaceAll(name, part), found[2]);
}
