import { Fault } from "../api.js";
import { copy } from "../clipboard.js";
import { count } from "../fields.js";
import { byId, filled, limits, texts } from "../page.js";
import { startPanel } from "../panel.js";
import { fillRows } from "../rows.js";
import { cosinesOf, heightOf, pointsOf, shortName } from "../scatter.js";
import { splitLines } from "../split.js";

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

function fillPoint(group, text, number, { x, y, side }) {
  const across = `${x}%`;
  group.querySelector("title").textContent = text;
  set(group.querySelector("circle"), { cx: across, cy: y });
  set(group.querySelector(".number"), { x: across, y });
  group.querySelector(".number").textContent = number;
  const name = group.querySelector(".label");
  set(name, { x: across, y, dx: side === "left" ? -13 : 13, "text-anchor": side === "left" ? "end" : "start" });
  name.textContent = side && shortName(text);
}

count("texts", splitLines);

function fillTable(table, sentences, cosines) {
  const head = table.tHead.rows[0];
  const [corner, column] = head.cells;
  head.replaceChildren(corner, ...sentences.map((_, i) => Object.assign(column.cloneNode(), { textContent: i + 1 })));
  fillRows(table.tBodies[0], sentences, (row, sentence, i) => {
    const [name, cell] = row.cells;
    name.firstElementChild.textContent = `${i + 1} ${sentence}`;
    row.replaceChildren(name, ...cosines[i].map((cosine) => {
      const copied = cell.cloneNode();
      copied.dataset.heat = Math.round(Math.max(cosine, 0) * 5);
      copied.textContent = cosine.toFixed(2);
      return copied;
    }));
  });
}

startPanel({
  body(values) {
    const sentences = splitLines(values.texts);
    if (sentences.length > limits.items) throw new Fault("payload_too_large");
    return { texts: sentences };
  },
  fill(card, { embeddings, truncated }, values) {
    const sentences = splitLines(values.texts);
    const cosines = cosinesOf(embeddings);
    const points = pointsOf(cosines, sentences.map(shortName));
    const map = card.querySelector(".map");
    set(map, { height: heightOf(sentences.length), "aria-label": filled(texts.map, { count: sentences.length }) });
    fillRows(map, sentences, (group, sentence, i) => fillPoint(group, sentence, i + 1, points[i]));
    fillRows(card.querySelector(".names"), sentences, (row, sentence) => { row.textContent = sentence; });
    fillTable(card.querySelector("table"), sentences, cosines);
    fillRows(card.querySelector(".vectors ol"), sentences, (row, sentence, i) => {
      row.querySelector(".text").textContent = sentence;
      row.querySelector("pre").textContent = JSON.stringify(embeddings[i]);
    });
    card.querySelector(".truncated").hidden = !truncated.some(Boolean);
  },
  entry: ({ embeddings }, values) => ({
    title: splitLines(values.texts).join(" / "),
    tag: filled(texts.count, { count: embeddings.length }),
    tone: "own",
  }),
});

// Answers come and go; the section stays.
byId("result").addEventListener("click", (event) => {
  const row = event.target.closest(".vectors li button")?.parentElement;
  if (!row) return;
  const pre = row.querySelector("pre");
  copy(pre.textContent, pre, row.closest(".vectors").querySelector(".copy-status"));
});
