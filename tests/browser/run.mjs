/**
 * Runs scenarios in real browsers: all of them, or those whose names begin with one of the arguments. Says exactly what was
 * wrong; the last line is `N passed, M failed`.
 *
 *   LOCAL_PROGRAM=… DYNAMODB_LOCAL_DIR=… TOOLS_NODE_MODULES=… [CHROMIUM=…] [FIREFOX=…] node tests/browser/run.mjs [--list] [NAME…]
 *
 * What measures or is many tabs runs first and alone; the rest, which mostly waits, runs side by side, as many as the processors have
 * room for.
 */

import os from 'node:os';

import { Checks } from './harness/checks.mjs';
import { firstLine, pause, within } from './harness/clock.mjs';
import { closeShared, Stage } from './harness/stage.mjs';
import { scenarios } from './scenarios/index.mjs';

/** Scenarios at once: so many in any case, and so many at most. */
const AT_ONCE = { least: 3, most: 12 };
/** Share of all processors' time that is left where there is room for one more. */
const ROOM = 0.3;
/** Until the next look at them: a scenario that begins starts a server and a browser. */
const LOOK_MS = 4_000;
/** Longest time of one scenario: a hang fails it and not the whole run. */
const SCENARIO_MS = 900_000;

/** @param {import('./scenarios/index.mjs').Scenario} scenario */
async function play({ name, run }) {
  const began = Date.now();
  const checks = new Checks(name);
  const stage = new Stage(checks);
  try {
    await within('the scenario', run(stage), SCENARIO_MS);
  } catch (error) {
    await checks.run('runs to its end', () => firstLine(error));
    if (process.env.BROWSER_TESTS_TRACE) console.error(error);
  }
  await stage.close();
  console.log(`        ${name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
  return checks;
}

/** One after the other. @param {import('./scenarios/index.mjs').Scenario[]} chosen */
async function playAlone(chosen) {
  const done = [];
  for (const one of chosen) done.push(await play(one));
  return done;
}

/** Side by side. @param {import('./scenarios/index.mjs').Scenario[]} chosen */
async function playTogether(chosen) {
  const [waiting, running, done] = [[...chosen], new Set(), []];
  const idle = idleShares();
  while (waiting.length + running.size > 0) {
    const hasRoom = running.size < AT_ONCE.least || (idle() > ROOM && running.size < AT_ONCE.most);
    const next = hasRoom && waiting.shift();
    if (next) {
      const one = play(next).then((checks) => done.push(checks)).finally(() => running.delete(one));
      running.add(one);
      if (running.size < AT_ONCE.least) continue;
    }
    await Promise.race([...running, pause(LOOK_MS)]);
  }
  return done;
}

/** Says at each call which share of all processors' time was left since the one before; what stands back behind others counts as left. */
function idleShares() {
  const sums = () => os.cpus().reduce(([left, all], { times }) => [left + times.idle + times.nice, all + Object.values(times).reduce((sum, time) => sum + time, 0)], [0, 0]);
  let before = sums();
  return () => {
    const now = sums();
    const [left, all] = [now[0] - before[0], now[1] - before[1]];
    before = now;
    return all > 0 ? left / all : 0;
  };
}

async function main(names) {
  if (names.includes('--list')) {
    for (const { name, about } of scenarios) console.log(`${name.padEnd(24)} ${about}`);
    return 0;
  }
  const chosen = scenarios.filter(({ name }) => names.length === 0 || names.some((begin) => name.startsWith(begin)));
  const unknown = names.filter((begin) => !scenarios.some(({ name }) => name.startsWith(begin)));
  if (unknown.length > 0) {
    console.error(`no scenario begins with ${unknown.map((name) => `\`${name}\``).join(', ')}; --list names them all`);
    return 2;
  }
  const all = [
    ...(await playAlone(chosen.filter(({ alone }) => alone))),
    ...(await playTogether(chosen.filter(({ alone }) => !alone))),
  ];
  await closeShared();
  const [passed, failed] = [all.reduce((sum, one) => sum + one.passed, 0), all.reduce((sum, one) => sum + one.failed, 0)];
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

// What was started ends with this process; nothing of it needs a goodbye.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
process.exit(await main(process.argv.slice(2)).catch((error) => {
  console.error(`not ok  ${firstLine(error)}`);
  console.log('0 passed, 1 failed');
  return 1;
}));
