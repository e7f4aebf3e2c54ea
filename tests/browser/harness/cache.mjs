/**
 * A cache before the stream that hands one answer to all who ask the same, as CloudFront does: Varnish.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { START_MS } from './clock.mjs';
import { ROOT } from './places.mjs';
import { answers, freePorts, Program, scratch } from './program.mjs';

export class Cache {
  #port;
  #program;

  /** @param {number} port @param {Program} program */
  constructor(port, program) {
    this.#port = port;
    this.#program = program;
  }

  /** @param {number} upstream port of the server behind @returns {Promise<Cache>} */
  static async start(upstream) {
    const [folder, [port]] = [scratch(), await freePorts(1)];
    const rules = readFileSync(path.join(ROOT, 'tests/fixtures/cache.vcl'), 'utf8');
    const values = { HOST: '127.0.0.1', PORT: upstream, STREAMS: true };
    const filled = Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, String(value)), rules);
    writeFileSync(path.join(folder, 'rules.vcl'), filled);
    // As the user that the tests have: the folder lets in nobody else.
    const args = ['-F', '-j', 'none', '-a', `127.0.0.1:${port}`, '-f', path.join(folder, 'rules.vcl'), '-s', 'malloc,64m', '-n', path.join(folder, 'run')];
    const program = new Program('varnishd', process.env.TOOLS_VARNISH ?? 'varnishd', args);
    const cache = new Cache(port, program);
    await program.ready(() => answers(`http://127.0.0.1:${port}/health`), START_MS);
    return cache;
  }

  get port() {
    return this.#port;
  }

  async close() {
    await this.#program.kill();
  }
}
