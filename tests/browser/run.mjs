/**
 * Runs scenarios in real browsers: all of them, or those whose names begin with one of the arguments. Says exactly what was
 * wrong; the last line is `N passed, M failed`.
 *
 *   LOCAL_PROGRAM=… DYNAMODB_LOCAL_DIR=… TOOLS_NODE_MODULES=… [CHROMIUM=…] [FIREFOX=…] node tests/browser/run.mjs [--list] [NAME…]
 *
 * What measures or is many tabs runs first and alone; the rest, which mostly waits, runs side by side.
 */

import { Checks } from './harness/checks.mjs';
import { firstLine, within } from './harness/clock.mjs';
import { closeShared, Stage } from './harness/stage.mjs';
import { scenarios } from './scenarios/index.mjs';

const AT_ONCE = Number(process.env.BROWSER_TESTS_AT_ONCE ?? 5);
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

/** @param {import('./scenarios/index.mjs').Scenario[]} chosen @param {number} atOnce */
async function playAll(chosen, atOnce) {
  const waiting = [...chosen];
  const done = [];
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) done.push(await play(next));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return done;
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
    ...(await playAll(chosen.filter(({ alone }) => alone), 1)),
    ...(await playAll(chosen.filter(({ alone }) => !alone), AT_ONCE)),
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
