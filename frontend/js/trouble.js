/** What a reader is told of a stream that does not flow, in one sentence, and whether trying at once can help. Pure. */

import { span } from './format.js';
import { SIGN_IN } from './reduce.js';
import { TEXT } from './words.js';

/** @typedef {import('./state.js').Connection} Connection */

/** Reasons that the server, or REST, has more to say of. */
const SAYS_WHY = ['full', 'unavailable', 'status'];

/** Returns the word of the badge. @param {Connection} connection */
export function phaseWord({ phase, detail }) {
  return phase === 'refused' && detail === SIGN_IN ? TEXT.phases.signIn : TEXT.phases[phase];
}

/**
 * Returns the sentence, or null where there is nothing to say.
 * @param {Connection} connection
 * @param {number} pollMs
 * @returns {string | null}
 */
export function troubleText({ phase, reason, detail }, pollMs) {
  if (phase === 'offline') return TEXT.trouble.noNetwork;
  if (phase === 'live' || phase === 'resumed' || phase === 'suspended' || reason === null) return null;
  const why = whyText(reason, detail);
  if (phase === 'polling') return `${why} ${TEXT.trouble.polling(span(pollMs))}`;
  if (phase === 'behind') return `${why} ${TEXT.trouble.old}`;
  return why;
}

/** @param {string} reason @param {string | null} detail what the server said, or REST */
function whyText(reason, detail) {
  if (detail === SIGN_IN && reason === 'status') return TEXT.trouble.signIn;
  if (SAYS_WHY.includes(reason) && detail) return TEXT.rest.serverSays(detail);
  return /** @type {Record<string, any>} */ (TEXT.trouble)[reason] ?? TEXT.trouble.other;
}

/**
 * Returns when it is tried again, or an empty text.
 * @param {Connection} connection
 * @param {number} now
 */
export function waitText({ retryAt }, now) {
  if (retryAt === null) return '';
  return retryAt > now ? TEXT.trouble.nextTry(span(Math.max(1_000, retryAt - now))) : TEXT.trouble.trying;
}
