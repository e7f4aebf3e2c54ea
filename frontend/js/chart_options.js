/** How the chart looks, in the words of uPlot. Colours come from the page, so that there is one place for them. */

import { hourMinute, whole } from './format.js';

const WIDTH_DEFAULT = 300;
const HEIGHT_DEFAULT = 150;
const BAR_SHARE = 0.78;
const BAR_PX_MAX = 24;
const AXIS_PX = 34;
const TIME_AXIS_PX = 24;
const TIME_SPACE_PX = 60;
const COUNT_SPACE_PX = 32;
/** The scale of counts goes at least so far, and so much further than the highest bar. */
const COUNT_MIN = 4;
const COUNT_ROOM = 1.1;
/** More steps with a score make a line that needs no dots. */
const POINTS_MAX = 20;
const COUNT_STEPS = [1, 2, 5].flatMap((digit) => [1, 10, 100, 1_000, 10_000].map((power) => digit * power)).sort((left, right) => left - right);
const COLOR_DEFAULT = '#888';

/**
 * @typedef {object} Look
 * @property {(options: object) => unknown} bars of uPlot
 * @property {{width: number, height: number}} size
 * @property {CSSStyleDeclaration} style where the colours are
 * @property {readonly string[]} tones of the labels
 * @property {boolean} hasScores
 * @property {number} stepMs length of a bar
 * @property {(step: number | null) => void} onPoint hears what the pointer is at
 */

/** @param {Look} look */
export function chartOptions({ bars, size, style, tones, hasScores, stepMs, onPoint }) {
  // Half a step, so that the first and the last bar are whole.
  const edge = stepMs / 2_000;
  const color = (/** @type {string} */ name) => style.getPropertyValue(name).trim() || COLOR_DEFAULT;
  return {
    width: size.width || WIDTH_DEFAULT,
    height: size.height || HEIGHT_DEFAULT,
    padding: [8, hasScores ? 0 : 12, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    scales: {
      x: { range: (_plot, from, to) => [from - edge, to + edge] },
      count: { range: (_plot, _from, to) => [0, Math.max(COUNT_MIN, Math.ceil((to || 0) * COUNT_ROOM))] },
      score: { range: [-1, 1] },
    },
    axes: axes(color, style.fontFamily, hasScores),
    series: [{}, ...stack(bars, tones), ...(hasScores ? [mean(color)] : [])],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
  };
}

/** @param {(name: string) => string} color @param {string} family @param {boolean} hasScores */
function axes(color, family, hasScores) {
  const axis = { stroke: color('--soft'), font: `11px ${family}`, ticks: { show: false }, size: AXIS_PX, grid: { show: false } };
  const time = { ...axis, size: TIME_AXIS_PX, space: TIME_SPACE_PX, values: (_plot, splits) => splits.map((at) => hourMinute(at * 1000)) };
  const grid = { stroke: color('--line'), width: 1 };
  const count = { ...axis, scale: 'count', grid, space: COUNT_SPACE_PX, incrs: COUNT_STEPS, values: (_plot, splits) => splits.map(whole) };
  const score = { ...axis, scale: 'score', side: 1, splits: () => [-1, 0, 1], values: () => ['\u22121', '0', '+1'] };
  return [time, count, ...(hasScores ? [score] : [])];
}

/** The tallest first, so that each covers the one before it but for its own share. @param {Look['bars']} bars @param {readonly string[]} tones */
function stack(bars, tones) {
  const paths = bars({ size: [BAR_SHARE, BAR_PX_MAX], radius: 0 });
  const layer = { scale: 'count', stroke: 'transparent', width: 0, paths, points: { show: false } };
  return tones.map((tone) => ({ ...layer, fill: tone || COLOR_DEFAULT })).reverse();
}

/** @param {(name: string) => string} color */
function mean(color) {
  const isSparse = (plot, series) => plot.data[series].filter((value) => value !== null).length <= POINTS_MAX;
  const points = { size: 4, fill: color('--surface'), show: isSparse };
  return { scale: 'score', stroke: color('--text'), width: 1.75, spanGaps: true, points };
}
