/** A ticker's range as a small line, or as bars where nothing has a score. Shapes are numbers: no text of anybody gets in. */

const NAMESPACE = 'http://www.w3.org/2000/svg';
const WIDTH = 84;
const HEIGHT = 24;
const PAD = 3;

/** @typedef {import('./history.js').Trend} Trend */

export class Spark {
  /** @readonly */
  node = shape('svg', 'spark');
  #line = shape('path', 'spark-line');
  #dot = shape('circle', 'spark-dot');

  constructor() {
    const zero = shape('path', 'spark-zero');
    zero.setAttribute('d', `M0 ${HEIGHT / 2}H${WIDTH}`);
    this.#dot.setAttribute('r', '2.2');
    // Until it is drawn: a row that has just come is, with the others, in a moment.
    this.#dot.classList.add('none');
    this.node.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    this.node.setAttribute('aria-hidden', 'true');
    this.node.append(zero, this.#line, this.#dot);
  }

  /** @param {Trend | null} trend @param {boolean} hasScores */
  draw(trend, hasScores) {
    const points = hasScores ? linePoints(trend?.points ?? []) : [];
    this.node.classList.toggle('bars', !hasScores);
    set(this.#line, 'd', hasScores ? linePath(points) : barsPath(trend?.points ?? []));
    const last = points.at(-1);
    this.#dot.classList.toggle('none', !last);
    if (!last) return;
    set(this.#dot, 'cx', last[0].toFixed(1));
    set(this.#dot, 'cy', last[1].toFixed(1));
  }
}

/** @param {Trend['points']} points @returns {[number, number][]} */
function linePoints(points) {
  const step = (WIDTH - 2 * PAD) / Math.max(1, points.length - 1);
  const known = /** @type {[number, number][]} */ ([]);
  points.forEach(({ mean }, index) => {
    if (mean === null) return;
    const height = (HEIGHT - 2 * PAD) / 2;
    known.push([PAD + index * step, HEIGHT / 2 - Math.max(-1, Math.min(1, mean)) * height]);
  });
  return known;
}

/** Exported for tests. @param {[number, number][]} points */
export function linePath(points) {
  return points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
}

/** Exported for tests. @param {{count: number}[]} points */
export function barsPath(points) {
  const most = Math.max(1, ...points.map(({ count }) => count));
  const step = WIDTH / Math.max(1, points.length);
  return points.map(({ count }, index) => {
    const height = (count / most) * (HEIGHT - PAD);
    return count === 0 ? '' : `M${(index * step + 1).toFixed(1)} ${HEIGHT}v${(-height).toFixed(1)}h${(step - 2).toFixed(1)}V${HEIGHT}z`;
  }).join('');
}

/** @param {string} name @param {string} className */
function shape(name, className) {
  const node = document.createElementNS(NAMESPACE, name);
  node.setAttribute('class', className);
  return node;
}

/** @param {Element} node @param {string} name @param {string} value */
function set(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}
