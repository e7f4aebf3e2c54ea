/**
 * Where things are: the workspace, the packages, the browsers.
 */

import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the workspace. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
/** Where screenshots and figures go; git-ignored. */
export const OUTPUT = path.join(ROOT, 'target/screenshots');

const MODULES = path.resolve(process.env.TOOLS_NODE_MODULES ?? path.join(ROOT, '.tools/node/node_modules'));
const BROWSERS = {
  CHROMIUM: ['chromium', 'chromium-browser', 'google-chrome'],
  FIREFOX: ['firefox-esr', 'firefox'],
};

/** Requires a package of tools/package.json. @param {string} name */
export const tool = (name) => createRequire(path.join(MODULES, 'resolve.js'))(name);

/** Path of a file in a package of tools/package.json. @param {string} name */
export const toolPath = (name) => createRequire(path.join(MODULES, 'resolve.js')).resolve(name);

/** @param {'CHROMIUM' | 'FIREFOX'} variable may name a browser */
export function browserPath(variable) {
  const named = process.env[variable];
  if (named) return named;
  const names = BROWSERS[variable];
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const found = names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(isExecutable);
  if (!found) throw new Error(`none of ${names.join(', ')} is on PATH; name a browser in ${variable}`);
  return found;
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
