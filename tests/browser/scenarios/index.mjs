/**
 * All scenarios, in the order in which they are begun: the longest first.
 *
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} about
 * @property {boolean} [alone] whether it measures, or keeps the machine busy by itself: nothing else runs at the same time
 * @property {(stage: import('../harness/stage.mjs').Stage) => Promise<void>} run
 */

import { absences, firefoxSleeps } from './absences.mjs';
import { accessibility } from './accessibility.mjs';
import { bars } from './bars.mjs';
import { budget } from './budget.mjs';
import { busy } from './busy.mjs';
import { configurations } from './configurations.mjs';
import { examples } from './examples.mjs';
import { exportList } from './export_list.mjs';
import { feed } from './feed.mjs';
import { foreign } from './foreign.mjs';
import { hostile } from './hostile.mjs';
import { lateHistory } from './late_history.mjs';
import { looks } from './looks.mjs';
import { memory } from './memory.mjs';
import { own } from './own.mjs';
import { firefoxOutages, outages } from './outages.mjs';
import { privates } from './private.mjs';
import { ranges } from './ranges.mjs';
import { smoke } from './smoke.mjs';
import { tables } from './tables.mjs';
import { tabs, twoTabs } from './tabs.mjs';
import { widths } from './widths.mjs';

/** @type {Scenario[]} */
export const scenarios = [
  ...smoke, ...budget, ...memory,
  ...exportList, ...accessibility,
  ...outages, ...absences, ...firefoxOutages, firefoxSleeps,
  { name: 'firefox-two-tabs', about: 'Firefox: two tabs share one stream, and the leading one is closed', run: twoTabs },
  ...tabs, ...looks, ...hostile, ...tables, ...examples, ...busy, ...ranges, ...configurations, ...privates, ...foreign, ...feed, ...own, ...bars, ...widths, ...lateHistory,
];
