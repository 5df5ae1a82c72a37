// @ts-check
// A further question about some rows of a job: aspects, vectors.
import { limits } from "../page.js";
import { batchesOf } from "./batches.js";
import { post } from "./scoring.js";
import { Sender } from "./sender.js";

/**
 * Asks about texts and gives each answer to `take`; rows that the server refuses get none. Settles when all is done or `signal` aborts.
 * @param {Map<number, string>} texts by row
 * @param {object} how
 * @param {string} how.api
 * @param {number} how.inputs what one text counts against the server's limit of items
 * @param {(texts: string[]) => object} how.body
 * @param {(answer: any, count: number) => any[]} how.split an answer into one for each text
 * @param {(row: number, answer: any) => void} how.take
 * @param {(done: number) => void} how.progress
 * @param {import("./sender.js").Trouble} how.trouble
 * @param {AbortSignal} signal
 */
export async function askFurther(texts, { api, inputs, body, split, take, progress, trouble }, signal) {
  let done = 0;
  const count = () => { progress(done += 1); };
  const batches = batchesOf(texts.keys(), { fieldsOf: (row) => [/** @type {string} */ (texts.get(row))], limits, inputs });
  const sender = new Sender(batches, {
    async ask(items, stop) {
      return split(await post(body(items.map(({ fields: [text] }) => text)), api, stop), items.length);
    },
    settle({ row }, answer) {
      take(row, answer);
      count();
    },
    refuse: count,
    trouble(fault, said) {
      trouble(fault, said);
      if (said.stopped) sender.cancel();
    },
  });
  signal.addEventListener("abort", () => sender.cancel(), { once: true });
  await sender.run();
  return !sender.cancelled;
}
