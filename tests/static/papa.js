// Papa Parse as the page has it, a global: it is no module.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

runInThisContext(readFileSync(new URL("../../static/vendor/papaparse/papaparse.min.js", import.meta.url), "utf8"));
