// The openai package.
import OpenAI from "openai";

const [url, given] = [process.argv[2], JSON.parse(process.argv[3])];
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
const found = {};
for (const coding of [undefined, "float"]) {
  const answer = await client.embeddings.create({ model: "m", input: given.texts, encoding_format: coding });
  found[`vectors ${coding}`] = answer.data.map((one) => one.embedding);
}
await client.embeddings.create({ model: "m", input: ["好", ""] }).catch((error) => { found.refusal = error.message; });
console.log(JSON.stringify(found));
