// What a job adds up to, as bars with numbers.
import { filled, texts } from "../page.js";
import { fillBar, fillRows } from "../rows.js";
import { whole } from "../status/format.js";

const MOST = 12; // groups shown, the largest ones of more

/** Fills the bars of `box`, by group and by score. */
export function fillSummary(box, results, task) {
  // Labels of the visitor's own mean what they say.
  const isKnown = (group) => task !== "zero-shot" && Object.hasOwn(texts.groups, group);
  const [groups, scores] = box.querySelectorAll(".bars");
  const share = (count) => (results.scored ? count / results.scored : 0);
  const all = [...results.counts];
  const shown = all.length <= MOST ? all : all.sort((one, other) => other[1] - one[1]).slice(0, MOST);
  fillRows(groups, shown, (row, [group, count]) =>
    fillBar(row, isKnown(group) ? group : "own", filled(texts.group, { name: isKnown(group) ? texts.groups[group] : group, count: whole(count) }), share(count)));
  // The best of two labels has never less than a half.
  const first = Math.max(results.bins.findIndex(Boolean), 0);
  fillRows(scores, results.bins.slice(first), (row, count, i) => {
    const [from, to] = [first + i, first + i + 1].map((tenths) => (tenths / 10).toFixed(1));
    fillBar(row, "own", filled(texts.bin, { from, to, count: whole(count) }), share(count));
  });
  box.querySelector(".counts").textContent = filled(texts.counts, {
    done: whole(results.done), errors: whole(results.errors), truncated: whole(results.truncated),
  });
}
