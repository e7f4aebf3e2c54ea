/** That every text which a person meets, or a screen reader says, comes from the words of a language, and that all languages have all of them. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import de from '../js/words/de.js';
import en from '../js/words/en.js';
import { LANGUAGES } from '../js/words.js';

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const PAGE = read('index.html');
const MODULES = readdirSync(new URL('../js/', import.meta.url)).filter((name) => name.endsWith('.js'));
const WORDS = { en, de };

/** Paths of all words, each with what it takes: a text takes nothing. */
function shape(words, path = '') {
  if (typeof words === 'object') return Object.entries(words).flatMap(([name, value]) => shape(value, `${path}.${name}`));
  return [`${path}: ${typeof words === 'function' ? words.length : 'text'}`];
}

/** Everything that a language says, functions with `#` for what comes in. */
function said(words) {
  if (typeof words === 'object') return Object.values(words).flatMap(said);
  return [typeof words === 'function' ? words(...Array(words.length).fill('#')) : words];
}

test('every language has every word, with the same values in it', () => {
  assert.deepEqual(Object.keys(WORDS), [...LANGUAGES]);
  for (const words of Object.values(WORDS)) {
    assert.deepEqual(shape(words), shape(en));
    assert.deepEqual(said(words).filter((text) => typeof text !== 'string' || text.trim() === '' || text.includes('undefined')), []);
  }
});

test('every value that comes in is said', () => {
  const check = (words, path) => Object.entries(words).forEach(([name, value]) => {
    if (typeof value === 'object') return check(value, `${path}.${name}`);
    if (typeof value !== 'function') return undefined;
    const values = Array.from({ length: value.length }, (_, index) => `<${index}>`);
    const text = value(...values);
    return values.forEach((one) => assert.ok(text.includes(one), `${path}.${name} leaves ${one} out: ${text}`));
  });
  for (const [language, words] of Object.entries(WORDS)) check(words, language);
});

test('one is not many', () => {
  assert.equal(en.totals.instance('1', '0:10'), 'Instance has 1 connection, up 0:10');
  assert.equal(en.totals.instance('2', '0:10'), 'Instance has 2 connections, up 0:10');
  assert.equal(de.totals.instance('1', '0:10'), 'Instanz mit 1 Verbindung, läuft seit 0:10');
  assert.equal(de.times.withinHours('1'), 'in der letzten Stunde');
  assert.equal(de.times.withinHours('6'), 'in den letzten 6 Stunden');
  assert.equal(en.times.withinMinutes('30'), 'in the last 30 minutes');
});

/** The page without what nobody reads: comments, scripts, and what is there before there is any script. */
const BODY = PAGE.replace(/<!--[\s\S]*?-->/g, '').replace(/<noscript>[\s\S]*?<\/noscript>/g, '').replace(/<title>[^<]*<\/title>/, '');

test('index.html has no text of its own', () => {
  const texts = BODY.replace(/<[^>]+>/g, '\n').split('\n').map((text) => text.trim()).filter((text) => /\p{L}/u.test(text));
  assert.deepEqual(texts, []);
  assert.deepEqual(BODY.match(/ (?:title|alt|placeholder|aria-label|aria-description|aria-roledescription|label|value)="[^"]*\p{L}[^"]*"/gu), null);
});

test('every word that index.html names is there, and every word of the page is somewhere', () => {
  const named = [...BODY.matchAll(/ data-(?:text|label|title|placeholder)="([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual(named.filter((name) => !(name in en.page)), []);
  assert.deepEqual(Object.keys(en.page).filter((name) => !named.includes(name)), []);
});

test('every other word is used', () => {
  const code = MODULES.map((name) => read(`js/${name}`)).join('\n');
  const isUsed = (group, name) => new RegExp(`TEXT\\.${group}\\.${name}\\b|TEXT\\.${group}[\\[)]|\\b${name}\\b[^\\n]*= TEXT\\.${group};|RULES\\.${name}\\b`).test(code);
  const unused = Object.entries(en).filter(([group]) => group !== 'page').flatMap(([group, words]) => Object.keys(words).filter((name) => !isUsed(group, name)).map((name) => `${group}.${name}`));
  assert.deepEqual(unused, []);
});

test('no module has a sentence or a heading in it', () => {
  const wrong = [];
  for (const name of MODULES) {
    // Without comments; a text inside an expression inside a template counts too.
    const code = read(`js/${name}`).replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
    const texts = [...code.matchAll(/'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)].map(([, one, two, three]) => one ?? two ?? three);
    for (const text of texts) {
      const plain = text.replace(/\$\{[^}]*\}/g, '#').replace(/\\`|`/g, '');
      // Two words in a row, or one with a capital as a heading has it; names of headers, events and keys have none.
      if (/\p{L}{2,},? \p{L}{2,}|^\p{Lu}\p{Ll}{2,}[.!]?$/u.test(plain) && !ALLOWED.some((allowed) => allowed.test(plain))) wrong.push(`${name}: ${text}`);
    }
  }
  assert.deepEqual(wrong, []);
});

/** What looks like a text and is none for readers: classes, selectors, styles, names of the browser, errors of the page's own making. */
const ALLOWED = [/^(?:key|chip|bar|score-bar|card|entry|end|spark|u-|tile)[ -]/, /^(?:noopener noreferrer)$/, /^Bearer #$/, /^index\.html has no element #\\?$/, /^(?:Enter|Escape|Event|Abort|AbortError|Infinity)$/];
