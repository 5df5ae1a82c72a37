// The page and the command line take the same texts for no reviews.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { classOf } from "../../../static/bulk/empty_reviews.js";

const here = (/** @type {string} */ path) => readFileSync(new URL(path, import.meta.url), "utf-8");
const command = here("../../bulk/test_empty_reviews.py");
const listed = (/** @type {string} */ name) => (new RegExp(`${name} = """([^"]+)"""`).exec(command)?.[1] ?? "").split(/[|\n]/);

test("what the command line's tests have", () => {
  assert.ok(listed("DEFAULT").length > 20 && listed("REVIEWS").length > 20);
  for (const text of listed("DEFAULT")) assert.equal(classOf(text), "default", text);
  for (const text of listed("REVIEWS")) assert.equal(classOf(text), "", text);
  for (const text of ["", " \u3000\n", "\ufeff", "\u00a0\u2028", null, undefined]) assert.equal(classOf(text), "blank");
  assert.equal(classOf("？！"), "");
  assert.equal(classOf(1), "");
});

test("the rules are those of the command line, word by word", () => {
  const [own, other] = [here("../../../static/bulk/empty_reviews.js"), here("../../../structbert_lite/bulk/empty_reviews.py")];
  const rule = (/** @type {string} */ text, /** @type {string} */ name) =>
    new RegExp(`\\b${name} = f?["\`](.*)["\`];?\n`).exec(text)?.[1].replaceAll("${", "{");
  for (const name of ["WHO", "NOT", "VERB", "OPINION", "ANYTHING", "SILENT", "PRAISE", "GIVEN", "AUTOMATIC", "LATE"]) {
    assert.ok(rule(own, name), name);
    assert.equal(rule(own, name), rule(other, name), name);
  }
});
