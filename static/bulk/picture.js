// @ts-check
// Charts as pictures that can be kept.
import { save } from "./output.js";

const WIDTH = 720;
const LINE = 34;
const EDGE = 24;
const SCALE = 2; // pixels of the picture for one of the page
const FONT = "14px system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif";
const colour = (/** @type {string} */ name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} name of the file
 */
const keep = (canvas, name) => canvas.toBlob((blob) => { if (blob) save(blob, `${name}.png`); });

/** @param {number} width @param {number} height */
function blank(width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width: width * SCALE, height: height * SCALE });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(SCALE, SCALE);
  context.fillStyle = colour("--surface");
  context.fillRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = "middle";
  return { canvas, context };
}

/**
 * A list of bars as they stand on the page.
 * @param {HTMLElement} list
 * @param {string} title
 * @param {string} name of the file
 */
export function keepBars(list, title, name) {
  const lines = /** @type {HTMLElement[]} */ ([...list.children]);
  const { canvas, context } = blank(WIDTH, 2 * EDGE + (lines.length + 1) * LINE);
  context.fillStyle = colour("--ink");
  context.fillText(title, EDGE, EDGE + LINE / 2, WIDTH - 2 * EDGE);
  lines.forEach((line, i) => {
    const y = EDGE + (i + 1) * LINE + LINE / 2;
    const meter = /** @type {HTMLMeterElement} */ (line.querySelector("meter"));
    const [left, right] = [WIDTH * 0.42, WIDTH - EDGE - 60];
    context.fillStyle = colour("--ink");
    context.fillText(line.querySelector(".name")?.textContent ?? "", EDGE, y, left - EDGE - 12);
    context.fillStyle = colour("--track");
    context.fillRect(left, y - 5, right - left, 10);
    context.fillStyle = getComputedStyle(line).getPropertyValue("--tone").trim() || colour("--accent");
    context.fillRect(left, y - 5, (right - left) * meter.value, 10);
    context.fillStyle = colour("--ink");
    context.textAlign = "right";
    context.fillText(line.querySelector(".percent")?.textContent ?? "", WIDTH - EDGE, y);
    context.textAlign = "left";
  });
  keep(canvas, name);
}

/**
 * A chart of lines that uPlot drew, with its title and legend.
 * @param {HTMLCanvasElement} drawn
 * @param {string} title
 * @param {{ name: string, colour: string }[]} legend
 * @param {string} name of the file
 */
export function keepLines(drawn, title, legend, name) {
  const height = (WIDTH * drawn.height) / drawn.width;
  const { canvas, context } = blank(WIDTH, height + 2 * LINE + EDGE);
  context.fillStyle = colour("--ink");
  context.fillText(title, EDGE, LINE / 2 + 8);
  let x = EDGE;
  for (const one of legend) {
    context.fillStyle = colour(one.colour);
    context.fillRect(x, LINE * 1.5 - 2, 16, 4);
    context.fillStyle = colour("--ink");
    context.fillText(one.name, x + 22, LINE * 1.5);
    x += 44 + context.measureText(one.name).width;
  }
  context.drawImage(drawn, 0, 2 * LINE, WIDTH, height);
  keep(canvas, name);
}
