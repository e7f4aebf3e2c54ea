/**
 * Named checks. All of them run, so that one report shows all that is wrong.
 */

import { firstLine } from './clock.mjs';

export class Checks {
  passed = 0;
  failed = 0;
  #scenario;

  /** @param {string} scenario */
  constructor(scenario) {
    this.#scenario = scenario;
  }

  /**
   * Runs a check: it fails by throwing, or by returning what is wrong.
   * @param {string} name
   * @param {() => unknown} check
   * @returns {Promise<boolean>} whether it passed, for what makes no sense without it
   */
  async run(name, check) {
    let wrong;
    try {
      wrong = await check();
    } catch (error) {
      wrong = firstLine(error);
    }
    if (wrong) this.failed += 1;
    else this.passed += 1;
    console.log(`${wrong ? 'not ok' : 'ok    '}  ${this.#scenario}: ${name}${wrong ? `: ${wrong}` : ''}`);
    return !wrong;
  }

  /** A figure that nobody passes or fails by. @param {string} text */
  note(text) {
    console.log(`        ${this.#scenario}: ${text}`);
  }
}
