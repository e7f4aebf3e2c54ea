/**
 * Whether the badge told the truth: what it said, when.
 */

/** @typedef {{at: number, phase: string}[]} Phases */

/** What the badge said from one moment to another, in order, what it said already included. @param {Phases} phases @param {number} from @param {number} to */
export function during(phases, from, to) {
  const before = phases.filter(({ at }) => at <= from).at(-1);
  const within = phases.filter(({ at }) => at > from && at <= to);
  return [...(before ? [before] : []), ...within].map(({ phase }) => phase);
}

/** The whole story, with seconds, for messages. @param {Phases} phases @param {number} zero */
export function story(phases, zero = phases[0]?.at ?? 0) {
  return phases.map(({ at, phase }) => `${phase}@${((at - zero) / 1000).toFixed(1)}`).join(' ');
}

/**
 * Says what the badge said that was not true; empty where it told the truth.
 * @param {Phases} phases @param {number} from @param {number} to @param {string[]} may
 */
export function untruth(phases, from, to, may) {
  const lies = during(phases, from, to).filter((phase) => !may.includes(phase));
  return lies.length === 0 ? '' : `said ${[...new Set(lies)].join(', ')}, not only ${may.join(', ')}: ${story(phases, from)}`;
}
