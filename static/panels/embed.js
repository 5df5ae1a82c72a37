import { Fault } from "../api.js";
import { copy } from "../clipboard.js";
import { byId, filled, limits, texts } from "../page.js";
import { startPanel } from "../panel.js";
import { fillRows } from "../rows.js";
import { cosinesOf, heightOf, pointsOf } from "../scatter.js";
import { splitLines } from "../split.js";

const NAME = 8; // characters of a sentence on the map

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

function fillPoint(group, text, number, { x, y, labelY }) {
  const across = `${x}%`;
  const right = x <= 50;
  group.querySelector("title").textContent = text;
  set(group.querySelector("line"), { x1: across, x2: across, y1: y, y2: labelY });
  set(group.querySelector("circle"), { cx: across, cy: y });
  const name = group.querySelector("text");
  set(name, { x: across, y: labelY, dx: right ? 10 : -10, "text-anchor": right ? "start" : "end" });
  const letters = [...text];
  name.textContent = `${number} ${letters.slice(0, NAME).join("")}${letters.length > NAME ? "…" : ""}`;
}

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
    const points = pointsOf(cosines);
    const map = card.querySelector(".map");
    set(map, { height: heightOf(sentences.length), "aria-label": filled(texts.map, { count: sentences.length }) });
    fillRows(map, sentences, (group, sentence, i) => fillPoint(group, sentence, i + 1, points[i]));
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
