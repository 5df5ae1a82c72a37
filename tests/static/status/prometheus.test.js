import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "../../../static/status/prometheus.js";

test("lines that are no samples are skipped, and the others read", () => {
  const text = "# HELP a what it is\n# TYPE a counter\na 1\n\n  \n{} 2\nnonsense\nb{c=\"d\"}\t+Inf\r\n";
  assert.deepEqual(parse(text), [
    { name: "a", labels: {}, value: 1 },
    { name: "b", labels: { c: "d" }, value: Infinity },
  ]);
});
