/** What a reader is told of a stream that does not flow, in one sentence, and whether trying at once can help. Pure. */

import { span } from './format.js';
import { SIGN_IN } from './reduce.js';

/** @typedef {import('./reduce.js').Connection} Connection */

/** @type {Readonly<Record<import('./reduce.js').Connection['phase'], string>>} */
export const PHASE_WORDS = Object.freeze({
  connecting: 'Connecting',
  live: 'Live',
  resumed: 'Resumed',
  behind: 'Behind',
  polling: 'Polling',
  refused: 'Refused',
  offline: 'Offline',
  suspended: 'Suspended',
});

const REASONS = new Map([
  ['unreachable', 'The stream cannot be reached.'],
  ['silent', 'The stream has gone silent.'],
  ['late', 'Events arrive late: something on the way holds them back.'],
  ['status', 'The server gives this page no stream.'],
  ['full', 'The server has no room for another page.'],
  ['unavailable', 'The server cannot say now who may have this stream.'],
]);

/** Reasons that the server, or REST, has more to say of. */
const SAYS_WHY = ['full', 'unavailable', 'status'];

/** Returns the word of the badge. @param {Connection} connection */
export function phaseWord({ phase, detail }) {
  return phase === 'refused' && detail === SIGN_IN ? 'Sign in' : PHASE_WORDS[phase];
}

/**
 * Returns the sentence, or null where there is nothing to say.
 * @param {Connection} connection
 * @param {number} pollMs
 * @returns {string | null}
 */
export function troubleText({ phase, reason, detail }, pollMs) {
  if (phase === 'offline') return 'This device has no network. The page goes on by itself as soon as there is one.';
  if (phase === 'live' || phase === 'resumed' || phase === 'suspended' || reason === null) return null;
  const why = (SAYS_WHY.includes(reason) && detail) || REASONS.get(reason) || 'The stream is not to be had.';
  if (phase === 'polling') return `${why} Until it flows again, this page asks for news every ${span(pollMs)}.`;
  if (phase === 'behind') return `${why} What is shown may be old.`;
  return why;
}

/**
 * Returns when it is tried again, or an empty text.
 * @param {Connection} connection
 * @param {number} now
 */
export function waitText({ retryAt }, now) {
  if (retryAt === null) return '';
  return retryAt > now ? `Next try in ${span(Math.max(1_000, retryAt - now))}.` : 'Trying again.';
}
