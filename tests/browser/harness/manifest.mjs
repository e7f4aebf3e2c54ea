/**
 * What a manifest makes of the functions, by the generator itself.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { ROOT } from './places.mjs';

export const INFRAGEN = process.env.INFRAGEN_PROGRAM ?? path.join(ROOT, 'target/debug/infragen');

/** Variables of the functions, as the generator writes them. @param {string} manifest @returns {Record<string, string>} */
export function variables(manifest) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tables-'));
  try {
    writeFileSync(path.join(folder, 'deploy.toml'), manifest);
    execFileSync(INFRAGEN, ['--env', 'local', 'render'], { cwd: folder, stdio: 'pipe' });
    const lines = readFileSync(path.join(folder, 'generated/local/functions.env'), 'utf8').split('\n');
    return Object.fromEntries(lines.filter((line) => line.startsWith('DATA_')).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

