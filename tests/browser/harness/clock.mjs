/**
 * Waiting for conditions, always with a deadline: what comes, comes soon, and what does not come fails one check.
 */

const PAUSE_MS = 50;
/** Deadline of everything that has none of its own. */
export const WAIT_MS = 60_000;
/** Deadline of a program's start: a hang must end at some time; a machine that is only slow takes less. */
export const START_MS = 300_000;
/**
 * What a busy machine may add to a time that is planned. Where a check says "within", what it tells apart from that comes later
 * than this, or never.
 */
export const BUSY_MS = 5_000;

/** After a page has other colours or another size: nothing moves, and the chart is drawn anew in the next frames. */
export const REDRAWN_MS = 300;

/** For the few places where time itself is what is tested. @param {number} ms */
export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/**
 * Looks until what it sees is accepted, and returns that; otherwise fails with what it saw last.
 * @template Seen
 * @param {string} what
 * @param {() => Seen | Promise<Seen>} look a failing look counts as not there yet
 * @param {(seen: Seen) => unknown} accepts
 * @param {number} limitMs
 * @returns {Promise<Seen>}
 */
export async function until(what, look, accepts = Boolean, limitMs = WAIT_MS) {
  const end = Date.now() + limitMs;
  for (;;) {
    let seen;
    try {
      seen = await look();
      if (accepts(seen)) return seen;
    } catch (error) {
      seen = firstLine(error);
    }
    if (Date.now() > end) throw new Error(`${what}: not within ${limitMs / 1000} s, still ${shown(seen)}`);
    await pause(PAUSE_MS);
  }
}

/**
 * The promise, or a failure that names what was waited for.
 * @template T
 * @param {string} what
 * @param {Promise<T>} promise
 * @param {number} limitMs
 * @returns {Promise<T>}
 */
export async function within(what, promise, limitMs = WAIT_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {unknown} error */
export const firstLine = (error) => String(/** @type {any} */ (error)?.message ?? error).split('\n')[0];

/** @param {unknown} value */
export function shown(value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value) ?? 'nothing';
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
