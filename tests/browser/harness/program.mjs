/**
 * Child processes: what they say is kept, and they end with this process, however it ends.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { until, WAIT_MS, within } from './clock.mjs';

const LINES_MAX = 200;
/** Starts of a browser before its end is the tests' concern. */
const STARTS = 3;

/** For what the programs write; it goes when they go. */
const SCRATCH = mkdtempSync(path.join(tmpdir(), 'browser-tests-'));

/** A shell that kills what is left when its input closes, and tidies up: nothing runs in a process that was killed itself. */
const REAPER = `trap '' INT TERM HUP
pids=
while read -r sign pid; do
  others=
  for other in $pids; do [ "$other" = "$pid" ] || others="$others $other"; done
  pids=$others
  [ "$sign" = - ] || pids="$pids $pid"
done
for pid in $pids; do kill -9 "-$pid" 2>/dev/null; done
for try in 1 2 3 4 5; do rm -rf "$1" && exit; sleep 0.2; done`;

const reaper = spawn('sh', ['-c', REAPER, 'reaper', SCRATCH], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
reaper.stdin.on('error', () => undefined);
reaper.unref();
/** @type {any} */ (reaper.stdin).unref();

/** @param {'+' | '-'} sign @param {number} pid */
const tell = (sign, pid) => reaper.stdin.write(`${sign} ${pid}\n`);

/** A new folder for one program. */
export const scratch = () => mkdtempSync(path.join(SCRATCH, 'x-'));

/** A program ended by itself before it was up. */
class Ended extends Error {}

/**
 * Starts a browser. One in some thousands crashes while it starts, which says nothing of the page: it is started again, and each
 * crash is written down.
 * @template Browser
 * @param {() => Promise<Browser>} start
 * @returns {Promise<Browser>}
 */
export async function started(start) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof Ended) || tries === STARTS) throw error;
      console.log(`        ${error.message.slice(0, 2_000)}; started again`);
    }
  }
}

export class Program {
  /** @type {string[]} the last lines of both outputs */
  lines = [];
  /** @type {Promise<void>} */
  ended;
  hasEnded = false;
  /** How it ended: its status or the signal that ended it. */
  #end = 'no status';
  #child;
  #name;

  /**
   * Starts a program in a process group of its own, with exactly these variables, and a folder for what it forgets to remove.
   * @param {string} name for messages
   * @param {string} file
   * @param {string[]} args
   * @param {{env?: Record<string, string | undefined>, cwd?: string}} options
   */
  constructor(name, file, args, { env = process.env, cwd } = {}) {
    this.#name = name;
    const child = spawn(file, args, { env: { ...env, TMPDIR: SCRATCH }, cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => {
        this.lines.push(error.message);
        this.hasEnded = true;
        resolve();
      });
      child.once('exit', (status, signal) => {
        this.hasEnded = true;
        this.#end = signal ?? `status ${status}`;
        tell('-', /** @type {number} */ (child.pid));
        resolve();
      });
    });
    if (child.pid !== undefined) tell('+', child.pid);
    for (const output of [child.stdout, child.stderr]) {
      let rest = '';
      output.setEncoding('utf8').on('data', (text) => {
        const lines = `${rest}${text}`.split('\n');
        rest = lines.pop() ?? '';
        this.lines.push(...lines);
        this.lines.splice(0, this.lines.length - LINES_MAX);
      });
    }
  }

  get pid() {
    return /** @type {number} */ (this.#child.pid);
  }

  /** Sends a signal to the program and all that it started. @param {NodeJS.Signals} signal */
  signal(signal) {
    if (this.hasEnded) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // It ended between the look and the signal.
    }
  }

  /** Ends it without a warning. */
  async kill() {
    this.signal('SIGKILL');
    await within(`the end of ${this.#name}`, this.ended);
  }

  /**
   * Waits until `look` succeeds; fails with what the program said when it ends first or time is up.
   * @param {() => Promise<unknown>} look
   * @param {number} limitMs
   */
  async ready(look, limitMs) {
    try {
      await until(`${this.#name} is up`, async () => this.hasEnded || (await look()), Boolean, limitMs);
      if (this.hasEnded) throw new Ended(`${this.#name} has ended with ${this.#end}`);
    } catch (error) {
      const failure = /** @type {Error} */ (error);
      failure.message += `; it said: ${this.lines.slice(-10).join(' | ')}`;
      throw failure;
    }
  }
}

/** Ports that the system gives to no connection of its own accord: what it gives out begins at 32768 or higher. */
const PORTS = { first: 16_384, count: 16_384 };
/** Two processes at once begin at different places. */
let next = process.pid * 997;

/**
 * Free ports for programs, each named once. One that the system would name could be another connection's until the program is up.
 * @param {number} count
 */
export async function freePorts(count) {
  const ports = [];
  for (let tries = 0; ports.length < count; tries += 1) {
    if (tries > PORTS.count) throw new Error('loopback has no free port');
    const port = PORTS.first + (next % PORTS.count);
    next += 1;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** @param {number} port @returns {Promise<boolean>} */
const isFree = (port) => new Promise((done) => {
  const server = createServer();
  server.once('error', () => done(false));
  server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
});

/** Whether a URL answers 200. @param {string} url */
export const answers = (url) => fetch(url, { signal: AbortSignal.timeout(WAIT_MS) }).then((answer) => answer.ok, () => false);
