/**
 * How numbers, times and labels read on the page, in its language and time zone. Pure: `now` is an argument. Missing values read as a
 * dash.
 */

import { LOCALE, TEXT, TIME_ZONE } from './words.js';

export const DASH = '–';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/**
 * Makes something when it is used first: what Intl needs for one format takes milliseconds, which the first picture would wait for.
 * @template T @param {() => T} make @returns {() => T}
 */
function once(make) {
  /** @type {T | undefined} */
  let made;
  return () => (made ??= make());
}

/** @param {Intl.NumberFormatOptions} options */
const numbers = (options) => once(() => new Intl.NumberFormat(LOCALE, options));

/** @param {Intl.DateTimeFormatOptions} options */
const times = (options) => once(() => new Intl.DateTimeFormat(LOCALE, { timeZone: TIME_ZONE, ...options }));

const WHOLE = numbers({ maximumFractionDigits: 0 });
const RATE = numbers({ maximumFractionDigits: 1 });
const PERCENT = numbers({ style: 'percent', maximumFractionDigits: 0 });
const SCORE = numbers({ minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: 'exceptZero' });
const SIGNED = numbers({ maximumFractionDigits: 0, signDisplay: 'exceptZero' });
const CLOCK = times({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const DAY_AND_CLOCK = times({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const DAY = times({ day: 'numeric', month: 'short' });
const HOUR_MINUTE = times({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const FULL = times({ dateStyle: 'medium', timeStyle: 'long' });

/** @param {number | null} value */
export const whole = (value) => (value === null ? DASH : WHOLE().format(value));

/** @param {number | null} value */
export const rate = (value) => (value === null ? DASH : RATE().format(value));

/** @param {number | null} value */
export const score = (value) => (value === null ? DASH : SCORE().format(value).replace('-', '\u2212')); // a minus as wide as the plus

/** A whole score, on an axis. @param {number} value */
export const signed = (value) => SIGNED().format(value).replace('-', '\u2212');

/**
 * Returns a share as whole percent. Few are not none, and most are not all.
 * @param {number | null} share in 0..1
 */
export function percent(share) {
  if (share === null) return DASH;
  if (share > 0 && share < 0.005) return `<${PERCENT().format(0.01)}`;
  return share < 1 && share >= 0.995 ? `>${PERCENT().format(0.99)}` : PERCENT().format(share);
}

/**
 * Returns the part of the whole, or null when there is no whole.
 * @param {number} part
 * @param {number} of
 */
export const share = (part, of) => (of > 0 ? Math.min(1, part / of) : null);

/**
 * Returns a sentence, or what stands on a button, with a capital.
 * @param {string} text
 */
export const capital = (text) => text.charAt(0).toLocaleUpperCase(LOCALE) + text.slice(1);

/**
 * Returns a label as words: `in_progress` reads "in progress".
 * @param {string} label
 */
export const words = (label) => label.replaceAll('_', ' ');

/**
 * Returns a label as words for a heading: with a capital, but where its first letter is no word's (`n/a`).
 * @param {string} label
 */
export const heading = (label) => words(label.replace(/^\p{Ll}(?=[\p{L}_ -]|$)/u, (first) => first.toUpperCase()));

/**
 * Returns `H:MM`.
 * @param {number | null} seconds
 */
export function uptime(seconds) {
  if (seconds === null) return DASH;
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
}

/**
 * Returns the time of day, with the date in front when it is more than half a day away.
 * @param {string | null} timestamp RFC 3339
 * @param {number} now
 */
export function clock(timestamp, now) {
  const at = timestamp === null ? NaN : Date.parse(timestamp);
  if (Number.isNaN(at)) return DASH;
  return (Math.abs(now - at) < DAY_MS / 2 ? CLOCK() : DAY_AND_CLOCK()).format(at);
}

/** @param {number} at milliseconds since 1970 */
export const hourMinute = (at) => HOUR_MINUTE().format(at);

/** @param {number} at milliseconds since 1970 */
export const dayAndClock = (at) => DAY_AND_CLOCK().format(at);

/** @param {number} at milliseconds since 1970 */
export const day = (at) => DAY().format(at);

/** Returns from when to when something was. @param {number} from milliseconds since 1970 @param {number} to @param {boolean} hasDays whether its times need their day */
export const period = (from, to, hasDays) => (hasDays ? DAY_AND_CLOCK() : HOUR_MINUTE()).formatRange(from, to);

/**
 * Returns how a ticker's mean score has changed, in words.
 * @param {number | null} recent of the last quarter of the range
 * @param {number | null} before of what is before it
 */
export function changeText(recent, before) {
  if (recent === null) return TEXT.chart.noRecentScore;
  return before === null ? TEXT.chart.changedFromNothing(score(recent)) : TEXT.chart.changed(score(recent), score(before));
}

/**
 * Returns date, time and zone, or an empty text.
 * @param {string | number | null} when RFC 3339 or milliseconds since 1970
 */
export function fullTime(when) {
  const at = typeof when === 'string' ? Date.parse(when) : when;
  return at === null || Number.isNaN(at) ? '' : FULL().format(at);
}

/**
 * Returns how long ago something was.
 * @param {number} at
 * @param {number} now
 */
export function ago(at, now) {
  const elapsed = now - at;
  return elapsed < 2 * SECOND_MS ? TEXT.times.now : TEXT.times.ago(span(elapsed));
}

/**
 * Returns a value that a row has beside what it means: a text speaks for itself, a number or a truth value does not.
 * @param {import('./event.js').Shown} shown
 */
export const shownText = ({ name, value }) => (typeof value === 'string' ? value : `${words(name)} ${value}`);

/** Returns how long an event was on its way. @param {number | null} ms */
export const latency = (ms) => (ms === null ? DASH : ms < 9_950 ? `${Math.round(ms)} ms` : `${Math.round(ms / SECOND_MS)} s`);

/**
 * Returns a time span in its largest unit.
 * @param {number} ms
 */
export function span(ms) {
  if (ms < 2 * MINUTE_MS) return `${Math.round(ms / SECOND_MS)} s`;
  if (ms < 2 * HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  return `${Math.floor(ms / DAY_MS)} d`;
}

/** Returns what is counted of a window that long, as a heading. @param {number} ms */
export const totalOf = (ms) => (ms < HOUR_MS ? TEXT.times.totalOfMinutes(whole(ms / MINUTE_MS)) : TEXT.times.totalOfHours(rate(ms / HOUR_MS)));

/** Returns how long the window is, within a sentence. @param {number} ms */
export const withinWindow = (ms) => (ms < HOUR_MS ? TEXT.times.withinMinutes(whole(ms / MINUTE_MS)) : TEXT.times.withinHours(rate(ms / HOUR_MS)));

/** Colours that mean something; every other label takes the next one of the colour-blind safe palette. */
const TONE_HINTS = new Map([['positive', 'tone-good'], ['neutral', 'tone-quiet'], ['negative', 'tone-bad']]);
const PALETTE_SIZE = 16;

/**
 * Returns the colour class of each label.
 * @param {readonly string[]} labels
 * @param {readonly string[]} [keys] of `metrics`, in the order of the labels
 * @returns {ReadonlyMap<string, string>}
 */
export function tones(labels, keys = labels) {
  return new Map(labels.map((label, index) => [label, TONE_HINTS.get(keys[index]) ?? `tone-${index % PALETTE_SIZE}`]));
}
