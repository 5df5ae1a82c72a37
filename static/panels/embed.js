// @ts-check
import { Fault } from "../api.js";
import { copy } from "../clipboard.js";
import { count } from "../fields.js";
import { byId, filled, limits, partOf, texts } from "../page.js";
import { startPanel } from "../panel.js";
import { fillRows } from "../rows.js";
import { cosinesOf, heightOf, pointsOf, shortName } from "../scatter.js";
import { splitLines } from "../split.js";

/** @typedef {{ embeddings: number[][], truncated: boolean[] }} Answer */
/** @typedef {{ texts: string }} Asked */

/**
 * @param {Element} element
 * @param {Record<string, string | number>} attributes
 */
function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

/**
 * @param {SVGElement} group
 * @param {string} text
 * @param {number} number
 * @param {ReturnType<typeof pointsOf>[number]} point
 */
function fillPoint(group, text, number, { x, y, side }) {
  const across = `${x}%`;
  partOf(group, "title", SVGElement).textContent = text;
  set(partOf(group, "circle", SVGElement), { cx: across, cy: y });
  const place = partOf(group, ".number", SVGElement);
  set(place, { x: across, y });
  place.textContent = String(number);
  const name = partOf(group, ".label", SVGElement);
  set(name, { x: across, y, dx: side === "left" ? -13 : 13, "text-anchor": side === "left" ? "end" : "start" });
  name.textContent = side && shortName(text);
}

count("texts", splitLines);

/**
 * @param {HTMLTableElement} table
 * @param {string[]} sentences
 * @param {number[][]} cosines
 */
function fillTable(table, sentences, cosines) {
  const [head] = table.rows;
  const [corner, column] = head.cells;
  head.replaceChildren(corner, ...sentences.map((_, i) => Object.assign(column.cloneNode(), { textContent: i + 1 })));
  fillRows(table.tBodies[0], sentences, (/** @type {HTMLTableRowElement} */ row, sentence, i) => {
    const [name, cell] = row.cells;
    partOf(name, "span").textContent = `${i + 1} ${sentence}`;
    row.replaceChildren(name, ...cosines[i].map((cosine) => {
      const copied = /** @type {HTMLTableCellElement} */ (cell.cloneNode());
      copied.dataset.heat = String(Math.round(Math.max(cosine, 0) * 5));
      copied.textContent = cosine.toFixed(2);
      return copied;
    }));
  });
}

/** @type {import("../panel.js").Panel<Answer, Asked>} */
const panel = {
  body(values) {
    const sentences = splitLines(values.texts);
    if (sentences.length > limits.items) throw new Fault("payload_too_large");
    return { texts: sentences };
  },
  fill(card, { embeddings, truncated }, values) {
    const sentences = splitLines(values.texts);
    const cosines = cosinesOf(embeddings);
    const points = pointsOf(cosines, sentences.map(shortName));
    const map = partOf(card, ".map", SVGElement);
    set(map, { height: heightOf(sentences.length), "aria-label": filled(texts.map, { count: sentences.length }) });
    fillRows(map, sentences, (/** @type {SVGElement} */ group, sentence, i) => fillPoint(group, sentence, i + 1, points[i]));
    fillRows(partOf(card, ".names"), sentences, (row, sentence) => { row.textContent = sentence; });
    fillTable(partOf(card, "table", HTMLTableElement), sentences, cosines);
    fillRows(partOf(card, ".vectors ol"), sentences, (row, sentence, i) => {
      partOf(row, ".text").textContent = sentence;
      partOf(row, "pre").textContent = JSON.stringify(embeddings[i]);
    });
    partOf(card, ".truncated").hidden = !truncated.some(Boolean);
  },
  entry: ({ embeddings }, values) => ({
    title: splitLines(values.texts).join(" / "),
    tag: filled(texts.count, { count: embeddings.length }),
    tone: "own",
  }),
};
startPanel(panel);

// Answers come and go; the section stays.
byId("result").addEventListener("click", (/** @type {MouseEvent} */ event) => {
  const button = /** @type {Element} */ (event.target).closest(".vectors button");
  if (!button) return;
  const pre = partOf(/** @type {Element} */ (button.parentElement), "pre");
  copy(pre.textContent, pre, partOf(document, ".vectors .copy-status"));
});
