/** What index.html promises to the modules, and they to the content security policy. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const PAGE = read('index.html');
const MODULES = readdirSync(new URL('../js/', import.meta.url)).filter((name) => name.endsWith('.js'));
const LANGUAGES = readdirSync(new URL('../js/words/', import.meta.url));
/** The page's two scripts: what it looks like, and what it does. */
const SCRIPTS = [...PAGE.matchAll(/<script type="module" src="js\/([^"]+)"/g)].map(([, name]) => name);

/** Modules that `name` comes to, itself included. */
function reached(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const [, next] of read(`js/${name}`).matchAll(/^import [^;]*'\.\/([^']+)';/gm)) reached(next, seen);
  return seen;
}

/** Every module of the page. */
const ALL = SCRIPTS.reduce((seen, name) => reached(name, seen), new Set());

/** Modules that come when somebody asks for what they do, with what these need beside. */
const LATER = [...ALL].flatMap((name) => [...read(`js/${name}`).matchAll(/ await import\('\.\/([a-z_]+\.js)'\)/g)].map(([, later]) => later));
const ALL_LATER = LATER.reduce((seen, name) => reached(name, seen), new Set());

test('every module of the page is asked for at once, but what hardly anybody asks for', () => {
  assert.deepEqual(LATER.sort(), ['chart_table.js', 'details.js', 'export_links.js', 'nothing.js', 'step_list.js']);
  assert.deepEqual(SCRIPTS, ['looks.js', 'main.js']);
  const preloaded = [...PAGE.matchAll(/<link rel="modulepreload" href="js\/([^"]+)" fetchpriority="low">/g)].map(([, name]) => name);
  assert.deepEqual([...SCRIPTS, ...preloaded].sort(), [...ALL].sort());
});

test('no module lies about that the page does not come to', () => {
  assert.deepEqual(MODULES.filter((name) => !ALL.has(name) && !ALL_LATER.has(name)), []);
});

test('the words of a language are asked for when it is known which, and by one module only', () => {
  assert.doesNotMatch(PAGE, /js\/words\//);
  for (const name of MODULES) assert.equal(/words\/[a-z]{2}\.js'\)/.test(read(`js/${name}`)), name === 'words.js', name);
  for (const file of LANGUAGES) assert.match(read('js/words.js'), new RegExp(`import\\('\\./words/${file}'\\)`));
});

test('ids are there once', () => {
  const ids = [...PAGE.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.deepEqual(ids.filter((id, index) => ids.indexOf(id) !== index), []);
  const referred = [...PAGE.matchAll(/ (?:for|aria-labelledby|aria-describedby)="([^"]+)"/g)].flatMap(([, list]) => list.split(' '));
  assert.deepEqual(referred.filter((id) => !ids.includes(id)), []);
});

test('nothing in the page runs or styles in line, and nothing comes from elsewhere', () => {
  assert.doesNotMatch(PAGE, /<style|\sstyle=|\son[a-z]+=|javascript:/i);
  for (const [tag] of PAGE.matchAll(/<script[^>]*>[^<]*/g)) assert.match(tag, / src="[^":]+"(?: fetchpriority="low")?>$/);
  for (const [, address] of PAGE.matchAll(/ (?:src|href)="([^"]+)"/g)) assert.match(address, /^(?:data:|[a-z]+[/.])/);
});

test('no module makes markup from text', () => {
  for (const name of [...MODULES, ...LANGUAGES.map((file) => `words/${file}`)]) assert.doesNotMatch(read(`js/${name}`), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function/, name);
});
