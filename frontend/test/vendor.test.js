/** What frontend/vendor holds is the released package, byte for byte; nobody has changed it here. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const VENDOR = new URL('../vendor/', import.meta.url);
const TOOLS = new URL('../../tools/', import.meta.url);
const INSTALLED = new URL('../../.tools/node/node_modules/uplot/', import.meta.url);

/** Of uplot 1.6.32, and the names that the package has for them. */
const FILES = [
  ['uplot.js', 'dist/uPlot.esm.js', '5dd9b3281aa64b461b42d9945f6adb2649d346502b12281a9ae0d46599a80eba'],
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
  for (const [name, original] of FILES) {
    assert.deepEqual(readFileSync(new URL(name, VENDOR)), readFileSync(new URL(original, INSTALLED)), name);
  }
});
