/** How the chart looks, in the words of uPlot. Colours come from the page, so that there is one place for them. */

import { day, hourMinute, signed, whole } from './format.js';

const WIDTH_DEFAULT = 300;
const HEIGHT_DEFAULT = 150;
const BAR_SHARE = 0.78;
const BAR_PX_MAX = 24;
const FONT_PX = 11;
const AXIS_PX = 34;
/** A digit of that height, and what lies between numbers and bars. */
const DIGIT_PX = 7;
const COUNT_GAP_PX = 10;
const TIME_AXIS_PX = 24;
const TIME_SPACE_PX = 60;
/** Half of a time, which may stand below the last bar. */
const TIME_EDGE_PX = 17;
const COUNT_SPACE_PX = 32;
/** The scale of counts goes at least so far, and so much further than the highest bar. */
const COUNT_MIN = 4;
const COUNT_ROOM = 1.1;
/** More steps with a score make a line that needs no dots. */
const POINTS_MAX = 20;
/** Days between the times of a range that has more than one, in seconds. */
const DAYS = [1, 2, 3, 5, 7, 10].map((days) => days * 86_400);
const COUNT_STEPS = [1, 2, 5].flatMap((digit) => [1, 10, 100, 1_000, 10_000].map((power) => digit * power)).sort((left, right) => left - right);

/**
 * @typedef {object} Look
 * @property {(options: object) => unknown} bars of uPlot
 * @property {{width: number, height: number}} size
 * @property {string} family of the type
 * @property {(name: string) => string} color what a name of app.css stands for
 * @property {readonly string[]} tones of the labels
 * @property {boolean} hasScores
 * @property {number} scale how much larger all is than usual
 * @property {number} stepMs length of a bar
 * @property {boolean} hasDays whether times are days
 * @property {() => readonly import('./counts.js').Gap[]} gaps of which nothing is known
 * @property {((seconds: number) => Date) | null} clock what a moment is in the page's zone; null: in the reader's
 * @property {(step: number | null) => void} onPoint hears what the pointer is at
 */

/** @param {Look} look */
export function chartOptions({ bars, size, scale, family, color, tones, hasScores, stepMs, hasDays, gaps, clock, onPoint }) {
  // Half a step, so that the first and the last bar are whole.
  const edge = stepMs / 2_000;
  return {
    width: size.width || WIDTH_DEFAULT,
    height: size.height || HEIGHT_DEFAULT,
    padding: [8 * scale, hasScores ? 0 : TIME_EDGE_PX * scale, 0, 0],
    ...(clock ? { tzDate: clock } : {}),
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    scales: {
      x: { range: (_plot, from, to) => [from - edge, to + edge] },
      count: { range: (_plot, _from, to) => [0, Math.max(COUNT_MIN, Math.ceil((to || 0) * COUNT_ROOM))] },
      score: { range: [-1, 1] },
    },
    axes: axes(color, family, hasScores, scale, hasDays),
    series: [{}, ...stack(bars, tones, scale), ...(hasScores ? [mean(color, scale)] : [])],
    hooks: { drawClear: [(plot) => shade(plot, gaps(), edge, color('line'))], setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
  };
}

/** What is not known looks like no zero. A bar stands in the middle of its step. @param {any} plot @param {readonly import('./counts.js').Gap[]} gaps @param {number} edge in seconds @param {string} color */
function shade({ ctx, bbox, valToPos }, gaps, edge, color) {
  ctx.fillStyle = color;
  for (const { from, to } of gaps) {
    const [left, right] = [from, to].map((at) => Math.min(Math.max(valToPos(at / 1000 - edge, 'x', true), bbox.left), bbox.left + bbox.width));
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
}

/** @param {(name: string) => string} color @param {string} family @param {boolean} hasScores @param {number} scale @param {boolean} hasDays */
function axes(color, family, hasScores, scale, hasDays) {
  const axis = { stroke: color('soft'), font: `${Math.round(FONT_PX * scale)}px ${family}`, ticks: { show: false }, size: AXIS_PX * scale, grid: { show: false } };
  const time = { ...axis, size: TIME_AXIS_PX * scale, space: TIME_SPACE_PX * scale, values: (_plot, splits) => splits.map((at) => (hasDays ? day : hourMinute)(at * 1000)), ...(hasDays && { incrs: DAYS }) };
  const grid = { stroke: color('line'), width: scale };
  const count = { ...axis, size: (_plot, values) => countAxis(values) * scale, scale: 'count', grid, space: COUNT_SPACE_PX * scale, incrs: COUNT_STEPS, values: (_plot, splits) => splits.map(whole) };
  const score = { ...axis, scale: 'score', side: 1, splits: () => [-1, 0, 1], values: () => [-1, 0, 1].map(signed) };
  return [time, count, ...(hasScores ? [score] : [])];
}

/** Room for the longest number, whatever the counts are. @param {readonly string[] | null} values none before there is a scale */
const countAxis = (values) => Math.max(AXIS_PX, COUNT_GAP_PX + DIGIT_PX * Math.max(...(values ?? []).map(({ length }) => length), 0));

/** The tallest first, so that each covers the one before it but for its own share. @param {Look['bars']} bars @param {readonly string[]} tones @param {number} scale */
function stack(bars, tones, scale) {
  const paths = bars({ size: [BAR_SHARE, BAR_PX_MAX * scale], radius: 0 });
  const layer = { scale: 'count', stroke: 'transparent', width: 0, paths, points: { show: false } };
  return tones.map((tone) => ({ ...layer, fill: tone })).reverse();
}

/** @param {(name: string) => string} color @param {number} scale */
function mean(color, scale) {
  const isSparse = (plot, series) => plot.data[series].filter((value) => value !== null).length <= POINTS_MAX;
  const points = { size: 4 * scale, fill: color('surface'), show: isSparse };
  return { scale: 'score', stroke: color('text'), width: 1.75 * scale, spanGaps: true, points };
}
