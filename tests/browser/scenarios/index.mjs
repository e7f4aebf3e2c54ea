/**
 * All scenarios, in the order in which they are begun: the longest first.
 *
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} about
 * @property {boolean} [alone] whether it measures, and nothing else may run at the same time
 * @property {(stage: import('../harness/stage.mjs').Stage) => Promise<void>} run
 */

import { outages } from './outages.mjs';
import { smoke } from './smoke.mjs';
import { tabs } from './tabs.mjs';

/** @type {Scenario[]} */
export const scenarios = [...smoke, ...outages, ...tabs];
