/**
 * The two things about sockets that a shell cannot do: `net.mjs ports N` prints N free ports of the loopback address,
 * `net.mjs wait PID SECONDS URL...` returns when every URL answers 200, and fails when PID ends first or time is up.
 */

import { createServer } from 'node:net';

const PAUSE_MS = 100;

/** All sockets are open at once, so that the ports differ. */
async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  })));
  const ports = servers.map((server) => server.address().port);
  servers.forEach((server) => server.close());
  return ports;
}

const answers = (url) => fetch(url, { signal: AbortSignal.timeout(2000) }).then((answer) => answer.ok, () => false);

function lives(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function waitFor(pid, seconds, urls) {
  const end = Date.now() + seconds * 1000;
  for (const url of urls) {
    while (!(await answers(url))) {
      if (!lives(pid)) return `process ${pid} has ended`;
      if (Date.now() > end) return `${url} did not answer within ${seconds} s`;
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
  }
  return '';
}

const [command, first, second, ...urls] = process.argv.slice(2);
if (command === 'ports' && Number(first) > 0) {
  console.log((await freePorts(Number(first))).join(' '));
} else if (command === 'wait' && urls.length > 0) {
  const wrong = await waitFor(Number(first), Number(second), urls);
  if (wrong) {
    console.error(wrong);
    process.exitCode = 1;
  }
} else {
  console.error('usage: net.mjs ports N | wait PID SECONDS URL...');
  process.exitCode = 2;
}
