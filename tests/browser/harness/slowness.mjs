/**
 * How quick the machine is just now, so that what is measured in milliseconds means the same on every machine.
 */

/** Milliseconds that {@link work} takes on the machine that the limits are written for, with nothing beside it. */
const USUAL_MS = 35;
const ROUNDS = 10;

/** Nothing but arithmetic: neither memory nor the system slows it down. */
function work() {
  let number = 1;
  for (let round = 0; round < 2e7; round += 1) number = (Math.imul(number, 31) + round) | 0;
  return number;
}

/** How many times slower than that it computes at the moment, at least 1. @returns {number} */
export function slowness() {
  work(); // the compiler's share
  const began = performance.now();
  for (let round = 0; round < ROUNDS; round += 1) work();
  return Math.max(1, (performance.now() - began) / ROUNDS / USUAL_MS);
}
