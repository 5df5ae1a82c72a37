// What came of rows: counted, corrected, filtered, summed up.
import assert from "node:assert/strict";
import { test } from "node:test";
import { batchesOf } from "../../../static/bulk/batches.js";
import { clustersOf, typicalWords } from "../../../static/bulk/clusters.js";
import { byAspect, byTime, copiesOf } from "../../../static/bulk/figures.js";
import { ALL, rowsFor } from "../../../static/bulk/filter.js";
import { Results } from "../../../static/bulk/results.js";
import { decimal, TASKS } from "../../../static/bulk/tasks.js";

const OPTIONS = { labels: ["Negative", "Positive"], neutral: false };
const answer = (label, score, uncertain = false) => ({ answer: { label, score, probabilities: {}, neutral: 0, uncertain, truncated: false } });

function results() {
  const found = new Results(6, TASKS.sentiment, OPTIONS);
  found.settle(0, answer("Positive", 0.99));
  found.settle(1, answer("Negative", 0.9));
  found.settle(2, answer("Positive", 0.55, true));
  found.settle(3, { class: "blank" });
  found.settle(4, { reason: { kind: "other" } });
  return found;
}

test("rows are counted once, by group; those that were not sent are in no share", () => {
  const found = results();
  assert.deepEqual([...found.counts], [["Negative", 1], ["Positive", 1], ["uncertain", 1]]);
  assert.deepEqual([found.done, found.scored, found.errors, ...found.unsent], [5, 3, 1, ["blank", 1]]);
  assert.deepEqual(found.bins.slice(5), [1, 0, 0, 0, 2]);
  assert.throws(() => found.settle(0, { class: "blank" }), /before/);
  assert.equal(found.group(5), "");
});

test("a corrected label is counted in the place of the model's, and can be taken back", () => {
  const found = results();
  found.correct(2, "Negative");
  found.correct(2, "Positive");
  assert.deepEqual([...found.counts], [["Negative", 1], ["Positive", 2], ["uncertain", 0]]);
  found.correct(2, "");
  assert.deepEqual([...found.counts], [["Negative", 1], ["Positive", 1], ["uncertain", 1]]);
  assert.equal(found.group(2), "uncertain");
});

test("rows are found, filtered and sorted; those without a score come last", () => {
  const found = results();
  const texts = ["很好", "很差", "一般", "", "x", "还没有"];
  const rows = (wish) => rowsFor(found, (row) => [texts[row]], (row) => texts[row], { ...ALL, ...wish });
  assert.deepEqual(rows({}), [0, 1, 2, 3, 4]);
  assert.deepEqual(rows({ search: " 很 " }), [0, 1]);
  assert.deepEqual(rows({ search: "X" }), [4]);
  assert.deepEqual(rows({ group: "uncertain" }), [2]);
  assert.deepEqual(rows({ least: 0.9 }), [0, 1]);
  assert.deepEqual(rows({ sort: "score" }), [2, 1, 0, 3, 4]);
  assert.deepEqual(rows({ sort: "score", descending: true }), [0, 1, 2, 3, 4]);
  assert.deepEqual(rows({ descending: true }), [4, 3, 2, 1, 0]);
  assert.deepEqual(rows({ only: new Set([1, 5]) }), [1]);
  found.aspects.set(1, [{ aspect: "物流", polarity: "negative", score: 0.9 }]);
  assert.deepEqual(rows({ aspect: "物流" }), [1]);
  assert.deepEqual(rows({ aspect: "物流", polarity: "positive" }), []);
});

test("batches hold what the server takes, and only rows that are to be sent", () => {
  const texts = ["a".repeat(50), "b".repeat(50), null, "c", "d"];
  const batches = (limits, inputs = 1) =>
    [...batchesOf(texts.keys(), { fieldsOf: (row) => (texts[row] === null ? null : [texts[row]]), limits, inputs })].map((batch) => batch.map(({ row }) => row));
  assert.deepEqual(batches({ items: 512, mb: 4 }), [[0, 1, 3, 4]]);
  assert.deepEqual(batches({ items: 2, mb: 4 }), [[0, 1], [3, 4]]);
  assert.deepEqual(batches({ items: 5, mb: 4 }, 3), [[0], [1], [3], [4]]);
  assert.deepEqual(batches({ items: 512, mb: 0.0003 }), [[0], [1, 3, 4]]); // 52 characters
});

test("scores are written as Python writes them", () => {
  assert.deepEqual([1, 0, 0.75, 1e-5, 1.5e-12].map(decimal), ["1.0", "0.0", "0.75", "1e-05", "1.5e-12"]);
});

test("a group's name is made of whole words", () => {
  const texts = ["退货还要自己出运费，太坑了", "味道怪怪的，吃了一口就扔了"].flatMap((text) => [text, `${text}！`, `${text}，下次不来`]);
  const [returned, tasted] = typicalWords(texts, [[0, 1, 2], [3, 4, 5]]).map((words) => words.join(" "));
  assert.match(returned, /退货|运费/u);
  assert.match(tasted, /味道/u);
  assert.doesNotMatch(`${returned} ${tasted}`, /(^| )(货|己|口)/u);
});

test("copies are the same but for spaces and punctuation", () => {
  assert.deepEqual(copiesOf(["好！", "差", "好", "", "", " 好。"]), [{ text: "好！", rows: [0, 2, 5] }]);
});

test("time is by day, week or month, with the gaps in it", () => {
  const rows = (...cells) => cells.map((cell) => ({ cell, group: "g" }));
  const counts = ({ times }) => times.map(({ start, counts: all }) => [new Date(start).toISOString().slice(0, 10), all.get("g") ?? 0]);
  assert.deepEqual(counts(byTime(rows("2026-01-01", "2026-01-03 08:00", "x"))), [["2026-01-01", 1], ["2026-01-02", 0], ["2026-01-03", 1]]);
  const weeks = byTime(rows("2026-01-01", "2026-04-01"));
  assert.equal(weeks.unit, "week");
  assert.deepEqual(counts(weeks)[0], ["2025-12-29", 1]);
  assert.deepEqual(counts(byTime(rows("2025-11", "2026-01"))), [["2025-11-01", 1], ["2025-12-01", 0], ["2026-01-01", 1]]);
  assert.deepEqual(byTime(rows("x")).times, []);
});

test("aspects are counted by how they are spoken of", () => {
  const one = (aspect, polarity) => ({ aspect, polarity, score: 1 });
  const found = byAspect(new Map([[0, [one("物流", "negative")]], [1, [one("物流", "positive"), one("价格", "mixed")]]]));
  assert.deepEqual(found, [{ aspect: "物流", rows: { negative: [0], positive: [1] }, named: 2 }, { aspect: "价格", rows: { mixed: [1] }, named: 1 }]);
});

test("similar texts are a group, named by what is theirs; one like no other is in none", () => {
  const kinds = [[1, 0.05, 0], [0, 1, 0.05], [0.05, 0, 1]];
  const texts = Array.from({ length: 30 }, (_, i) => ["物流太慢", "电池不耐用", "客服没人理"][i % 3] + i);
  const vectors = texts.map((_, i) => Float32Array.from(kinds[i % 3]));
  const groups = clustersOf(vectors);
  assert.deepEqual(groups.map((group) => group.length), [10, 10, 10]);
  assert.deepEqual(groups.map(([first]) => first % 3), [0, 1, 2]);
  assert.deepEqual(clustersOf(vectors), groups);
  typicalWords(texts, groups).forEach(([name], i) => assert.ok(name.includes(["物流", "电池", "客服"][i]), name));
  assert.deepEqual(clustersOf([]), []);
});
