// @ts-check
// Lines over the last minutes. uPlot draws; colours are those of the page, light or dark.
import { partOf, texts } from "../page.js";

const HEIGHT = 150;
const colour = (/** @type {string} */ name) => getComputedStyle(document.documentElement).getPropertyValue(name);
const clock = new Intl.DateTimeFormat(texts.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** A chart in a figure, whose `.chart` it fills. */
export class Chart {
  /**
   * @param {Element} figure
   * @param {string[]} colours a line for each of their names
   * @param {(value: number) => string} format what the scale says
   * @param {number} [most] the end of the scale, where there is one
   */
  constructor(figure, colours, format, most) {
    this.box = partOf(figure, ".chart");
    this.name = partOf(figure, "h2").textContent;
    this.format = format;
    const axis = { stroke: () => colour("--soft"), font: "12px system-ui, sans-serif", ticks: { show: false } };
    const grid = { stroke: () => colour("--line"), width: 1 };
    this.plot = new uPlot({
      width: this.box.clientWidth,
      height: HEIGHT,
      cursor: { show: false },
      legend: { show: false },
      scales: { y: { range: (_, _least, largest) => [0, most ?? (largest > 0 ? largest * 1.15 : 1)] } },
      axes: [
        { ...axis, grid: { show: false }, size: 28, space: 90, values: (_, splits) => splits.map((at) => clock.format(at * 1000)) },
        { ...axis, grid, size: 56, space: 36, values: (_, splits) => splits.map(format) },
      ],
      series: [{}, ...colours.map((name) => ({ stroke: () => colour(name), width: 2, points: { size: 4, fill: () => colour(name) } }))],
    }, [[], ...colours.map(() => [])], this.box);
    new ResizeObserver(() => this.plot.setSize({ width: this.box.clientWidth, height: HEIGHT })).observe(this.box);
  }

  /**
   * @param {number[]} seconds of the epoch
   * @param {(number | null)[][]} lines their values for each colour, null where there is none
   */
  draw(seconds, lines) {
    this.plot.setData([seconds, ...lines]);
    const latest = lines.map((line) => line.findLast((value) => value !== null));
    this.box.ariaLabel = `${this.name}: ${latest.map((value) => (value === undefined || value === null ? "—" : this.format(value))).join(", ")}`;
  }

  redraw() {
    this.plot.redraw();
  }
}
