/** What frontend/vendor holds is the released package, byte for byte, but for the one line that makes a module of a script. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const VENDOR = new URL('../vendor/', import.meta.url);
const TOOLS = new URL('../../tools/', import.meta.url);
const INSTALLED = new URL('../../.tools/node/node_modules/uplot/', import.meta.url);

/** The package has its module as people write it only, which is twice the bytes: this is the script, and what makes a module of it. */
const EXPORT = 'export default uPlot;\n';

/** Of uplot 1.6.32, and the names that the package has for them. */
const FILES = [
  ['uplot.js', 'dist/uPlot.iife.min.js', '073f022c867cb9c40f0be28f5d680830857a5b3a04082c2473880c8328a12e04', EXPORT],
  ['uplot.css', 'dist/uPlot.min.css', 'df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04'],
  ['uplot.license.txt', 'LICENSE', '8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd'],
];

test('the chart is the release that it says it is', () => {
  for (const [name, , hash] of FILES) {
    assert.equal(createHash('sha256').update(readFileSync(new URL(name, VENDOR))).digest('hex'), hash, name);
  }
});

test('the chart is the package that tools/package.json pins', { skip: !existsSync(INSTALLED) && 'the package is not installed' }, () => {
  const json = (url) => JSON.parse(readFileSync(url, 'utf8'));
  assert.equal(json(new URL('package.json', INSTALLED)).version, json(new URL('package.json', TOOLS)).dependencies.uplot);
  for (const [name, original, , more = ''] of FILES) {
    assert.equal(readFileSync(new URL(name, VENDOR), 'utf8'), readFileSync(new URL(original, INSTALLED), 'utf8') + more, name);
  }
});
