// @ts-check
// Rows over time as lines. uPlot draws; colours are those of the page, light or dark.
import { texts } from "../page.js";

const HEIGHT = 220;
const colour = (/** @type {string} */ name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const day = new Intl.DateTimeFormat(texts.lang, { month: "short", day: "numeric", timeZone: "UTC" });
const month = new Intl.DateTimeFormat(texts.lang, { year: "numeric", month: "short", timeZone: "UTC" });

/** @typedef {{ name: string, colour: string, counts: number[] }} Line `colour` by its name in style.css */

export class TimeChart {
  /** @type {UPlot | null} */
  #plot = null;

  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box;
    new ResizeObserver(() => this.#plot?.setSize({ width: box.clientWidth, height: HEIGHT })).observe(box);
    document.addEventListener("themechange", () => this.#plot?.redraw());
  }

  get canvas() {
    return /** @type {UPlot} */ (this.#plot).ctx.canvas;
  }

  /**
   * @param {number[]} starts milliseconds of the epoch
   * @param {Line[]} lines
   * @param {boolean} months
   */
  draw(starts, lines, months) {
    this.#plot?.destroy();
    const format = months ? month : day;
    const axis = { stroke: () => colour("--soft"), font: "12px system-ui, sans-serif", ticks: { show: false } };
    const single = starts.length < 2 ? { x: { range: [starts[0] / 1000 - 86_400, starts[0] / 1000 + 86_400] } } : {};
    this.#plot = new uPlot({
      width: this.box.clientWidth,
      height: HEIGHT,
      cursor: { show: false },
      legend: { show: false },
      scales: { y: { range: (_, _least, most) => [0, most > 0 ? most * 1.1 : 1] }, ...single },
      axes: [
        { ...axis, grid: { show: false }, size: 30, space: 70, values: (_, splits) => splits.map((at) => format.format(at * 1000)) },
        { ...axis, grid: { stroke: () => colour("--line"), width: 1 }, size: 48, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] },
      ],
      series: [{}, ...lines.map((line) => ({ stroke: () => colour(line.colour), width: 2, points: { show: starts.length < 40, size: 5, fill: () => colour(line.colour) } }))],
    }, [starts.map((at) => at / 1000), ...lines.map(({ counts }) => counts)], this.box);
  }
}
