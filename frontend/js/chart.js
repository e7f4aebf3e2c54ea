/**
 * The chosen range step by step: how many of each label, one above the other, and the mean score. The only file that knows uPlot,
 * which is fetched once the page has been painted. Who cannot see it, or does not want to, reads the same numbers as a table.
 */

import { chartOptions } from './chart_options.js';
import { capital, dayAndClock, hourMinute, score, span, whole, words } from './format.js';
import { element, setText } from './dom.js';
import { TEXT, TIME_ZONE } from './words.js';

/**
 * @typedef {import('./history.js').Chart} ChartData
 * @typedef {import('./ranges.js').Range} Range
 * @typedef {{box: HTMLElement, legend: HTMLElement, time: HTMLElement, empty: HTMLElement, table: HTMLElement, toggle: HTMLElement}} Nodes
 */

export class Chart {
  #nodes;
  #labels;
  #tones;
  /** @type {any} */
  #plot = null;
  /** @type {any} */
  #library = null;
  /** @type {ChartData | null} */
  #data = null;
  #isTable = false;
  /** Whether the plot has a line for scores; it is made anew when that changes. */
  #hasScores = true;
  /** @type {HTMLElement[]} one for each label, one for all others, one for the mean */
  #values = [];
  /** @type {HTMLElement[]} */
  #keys = [];
  /** @type {number | null} the step under the pointer */
  #step = null;
  #range;
  #onOpen;

  /**
   * @param {Nodes} nodes @param {readonly string[]} labels @param {(label: string) => string} toneOf @param {Range} range
   * @param {(step: import('./step_list.js').Step) => void} onOpen hears of which steps somebody wants to see what is behind them
   */
  constructor(nodes, labels, toneOf, range, onOpen) {
    this.#range = range;
    this.#onOpen = onOpen;
    this.#nodes = nodes;
    this.#labels = [...labels, TEXT.chart.other];
    this.#tones = this.#labels.map(toneOf);
    for (const [index, label] of this.#labels.entries()) this.#addKey(words(label), `key ${this.#tones[index]}`);
    this.#addKey(TEXT.chart.mean, 'key key-mean');
    nodes.toggle.addEventListener('click', () => this.#showTable(!this.#isTable));
    nodes.box.addEventListener('click', (event) => this.#clicked(event));
  }

  /** Fetches what draws. */
  async load() {
    const style = element('link');
    style.rel = 'stylesheet';
    style.href = 'vendor/uplot.css';
    const styled = new Promise((resolve, reject) => {
      style.addEventListener('load', resolve);
      style.addEventListener('error', reject);
    });
    document.head.append(style);
    const [library] = await Promise.all([import('../vendor/uplot.js'), styled]);
    this.#library = library.default;
    new ResizeObserver(() => this.#fit()).observe(this.#nodes.box);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#make());
    matchMedia('(forced-colors: active)').addEventListener('change', () => this.#make());
    this.#make();
  }

  /** Says that there will be only the table. */
  failed() {
    this.#showTable(true);
    this.#nodes.toggle.hidden = true;
  }

  /** @param {ChartData} data @param {Range} range */
  draw(data, range) {
    const isOther = range !== this.#range;
    this.#range = range;
    this.#data = data;
    this.#nodes.empty.hidden = data.total > 0 || this.#isTable;
    const hasOther = data.counts[this.#labels.length - 1].some((count) => count > 0);
    this.#keys[this.#labels.length - 1].hidden = !hasOther;
    this.#keys[this.#labels.length].hidden = !data.hasScores;
    if (this.#plot && (isOther || data.hasScores !== this.#hasScores)) this.#make();
    else this.#plot?.setData(this.#columns(data));
    if (this.#isTable) this.#drawTable().catch(() => undefined);
    this.#drawKeys();
    this.#nodes.box.setAttribute('aria-label', this.#summary(data));
  }

  #make() {
    if (!this.#library || !this.#data) return;
    this.#plot?.destroy();
    this.#hasScores = this.#data.hasScores;
    this.#plot = new this.#library(this.#options(), this.#columns(this.#data), this.#nodes.box);
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#nodes.box;
    if (this.#plot && width > 0 && height > 0) this.#plot.setSize({ width, height });
  }

  #options() {
    const { clientWidth: width, clientHeight: height } = this.#nodes.box;
    return chartOptions({
      bars: this.#library.paths.bars,
      size: { width, height },
      scale: Number(getComputedStyle(this.#nodes.box).getPropertyValue('--zoom')) || 1,
      family: getComputedStyle(this.#nodes.box).fontFamily,
      color: (name) => this.#color(name),
      tones: this.#labels.map((_, index) => this.#color('tone', this.#keys[index])),
      hasScores: this.#hasScores,
      stepMs: this.#range.stepMs,
      hasDays: this.#range.isKept === true,
      gaps: () => this.#data?.gaps ?? [],
      clock: TIME_ZONE === undefined ? null : (seconds) => this.#library.tzDate(new Date(seconds * 1000), TIME_ZONE),
      onPoint: (step) => this.#pointed(step),
    });
  }

  /** What a name of app.css is in the present theme: a canvas knows no names. @param {string} name @param {HTMLElement} [place] */
  #color(name, place = this.#nodes.legend) {
    const probe = element('span', `unseen ${name}`);
    probe.style.setProperty('color', `var(--${name})`);
    place.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }

  /** @param {ChartData} data */
  #columns({ times, counts, means, hasScores }) {
    const sums = new Array(times.length).fill(0);
    const stacked = counts.map((column) => column.map((count, index) => (sums[index] += count)));
    return [times, ...stacked.reverse(), ...(hasScores ? [means] : [])];
  }

  /** @param {number | null} step */
  #pointed(step) {
    if (step === this.#step) return;
    this.#step = step;
    this.#drawKeys();
  }

  #drawKeys() {
    if (!this.#data) return;
    const { times, counts, means, gaps } = this.#data;
    // Of none of it anything is known: what was heard meanwhile is not how many there are.
    const isUnknown = gaps.some(({ from, to }) => from <= times[0] * 1000 && times[times.length - 1] * 1000 < to);
    const step = this.#step !== null && this.#step < times.length ? this.#step : null;
    setText(this.#nodes.time, step === null ? this.#last() : this.#time(times[step]));
    for (const [index, column] of counts.entries()) {
      setText(this.#values[index], whole(step !== null ? column[step] : isUnknown ? null : column.reduce((sum, count) => sum + count, 0)));
    }
    setText(this.#values[counts.length], step === null ? '' : score(means[step]));
  }

  /** What is shown, and how much of it is not known. */
  #last() {
    const { last } = TEXT.ranges[this.#range.name];
    const unknownMs = (this.#data?.gaps ?? []).reduce((sum, { from, to }) => sum + to - from, 0);
    return unknownMs > 0 ? TEXT.chart.unknown(last, span(unknownMs)) : last;
  }

  /** @param {number} seconds */
  #time(seconds) {
    return (this.#range.isKept ? dayAndClock : hourMinute)(seconds * 1000);
  }

  /** @param {string} name @param {string} className */
  #addKey(name, className) {
    const value = element('span', 'key-value');
    const key = element('span', className, name, ' ', value);
    this.#values.push(value);
    this.#keys.push(key);
    this.#nodes.legend.append(key);
  }

  /** A finger that taps has pointed at nothing before. @param {MouseEvent} event */
  #clicked({ target, clientX }) {
    if (!this.#plot || target !== this.#plot.over) return;
    const step = this.#plot.posToIdx(clientX - this.#plot.over.getBoundingClientRect().left);
    this.#open(step, step + 1);
  }

  /** Has what is behind some steps shown. @param {number} first @param {number} end */
  #open(first, end) {
    if (!this.#data || end > this.#data.times.length) return;
    const { times, counts } = this.#data;
    const sums = counts.map((column) => column.slice(first, end).reduce((sum, count) => sum + count, 0));
    this.#onOpen({
      from: times[first] * 1000,
      to: times[end - 1] * 1000 + this.#range.stepMs,
      hasDays: this.#range.isKept === true,
      counts: this.#labels.map((label, index) => ({ label, count: sums[index] })).filter(({ count }) => count > 0),
    });
  }

  /** @param {ChartData} data */
  #summary({ counts, total, means, hasScores }) {
    const parts = this.#labels.map((label, index) => ({ label: words(label), isOther: index === this.#labels.length - 1, count: counts[index].reduce((sum, count) => sum + count, 0) }));
    const told = parts.filter(({ isOther, count }) => !isOther || count > 0).map(({ label, count }) => TEXT.chart.part(whole(count), label));
    const known = means.filter((mean) => mean !== null);
    const last = hasScores && known.length > 0 ? TEXT.chart.latest(score(/** @type {number} */ (known.at(-1)))) : '';
    return TEXT.chart.summary(capital(this.#last()), whole(total), told.join(', '), last);
  }

  /** @param {boolean} isTable */
  #showTable(isTable) {
    this.#isTable = isTable;
    this.#nodes.toggle.setAttribute('aria-pressed', String(isTable));
    this.#nodes.table.hidden = !isTable;
    this.#nodes.box.hidden = isTable;
    if (this.#data) this.draw(this.#data, this.#range);
    if (!isTable) this.#fit();
  }

  /** Fetches what draws the table when somebody wants it; what did not come is asked for again with the next drawing. */
  async #drawTable() {
    const { drawTable } = await import('./chart_table.js');
    const { table } = this.#nodes;
    // A dialog leads back to the button that it was opened by: that one stays meanwhile.
    if (!this.#data || !this.#isTable || table.ownerDocument.querySelector('dialog:modal')) return;
    const labels = this.#labels.flatMap((label, index) => (this.#keys[index].hidden ? [] : [{ label, index }]));
    drawTable(table, { data: this.#data, range: this.#range, labels, time: (at) => this.#time(at), onOpen: (first, end) => this.#open(first, end) });
  }
}
