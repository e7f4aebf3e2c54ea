/**
 * The program `local`, which serves both functions and the page, on ports of its own. It may be killed and started again.
 */

import path from 'node:path';

import { START_MS, WAIT_MS } from './clock.mjs';
import { ROOT } from './places.mjs';
import { answers, freePorts, Program } from './program.mjs';


/** Quick enough for tests: found within half a second, noticed as dead within ten. */
const QUICK = { SSE_POLL_INTERVAL: '500ms', SSE_HEARTBEAT_INTERVAL: '2s', SSE_MAX_SESSION: '2m' };

export class Local {
  #env;
  #command;
  #dashboard = 0;
  #stream = 0;
  /** @type {Program | null} */
  #program = null;

  /**
   * @param {Record<string, string>} env variables beside the ports; they win over the quick settings
   * @param {string[]} command what starts it, and with which arguments
   */
  constructor(env = {}, command = [process.env.LOCAL_PROGRAM ?? path.join(ROOT, 'target/debug/local')]) {
    this.#env = env;
    this.#command = command;
  }

  /** @param {Record<string, string>} env @param {string[]} [command] @returns {Promise<Local>} */
  static async start(env = {}, command = undefined) {
    const local = new Local(env, command);
    [local.#dashboard, local.#stream] = await freePorts(2);
    await local.start();
    return local;
  }

  /** Starts the program, again on the same ports. */
  async start() {
    const [file, ...args] = this.#command;
    const program = new Program('local', file, args, {
      env: {
        PATH: process.env.PATH,
        FRONTEND_DIR: process.env.FRONTEND_DIR ?? path.join(ROOT, 'frontend'),
        STORE: 'memory',
        ...QUICK,
        ...this.#env,
        DASHBOARD_PORT: String(this.#dashboard),
        STREAM_PORT: String(this.#stream),
      },
    });
    this.#program = program;
    await program.ready(async () => (await answers(`${this.page}health`)) && answers(`${this.stream}/health`), START_MS);
  }

  get page() {
    return `http://127.0.0.1:${this.#dashboard}/`;
  }

  get stream() {
    return `http://127.0.0.1:${this.#stream}`;
  }

  get ports() {
    return { dashboard: this.#dashboard, stream: this.#stream };
  }

  get lines() {
    return this.#program?.lines ?? [];
  }

  /** Streams that are open, as the server counts them. @returns {Promise<number>} */
  async connections() {
    const answer = await fetch(`${this.stream}/api/v2/stream/status`, { signal: AbortSignal.timeout(WAIT_MS) });
    return (await answer.json()).connections;
  }

  /** Ends it without a warning: `kill -9`. */
  async kill() {
    await this.#program?.kill();
  }

  async close() {
    await this.kill();
  }
}
