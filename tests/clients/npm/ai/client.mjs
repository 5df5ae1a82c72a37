// The AI SDK with its providers for OpenAI and Cohere.
import { createCohere } from "@ai-sdk/cohere";
import { createOpenAI } from "@ai-sdk/openai";
import { embedMany, rerank } from "ai";

const [url, given] = [process.argv[2], JSON.parse(process.argv[3])];
const { query, documents, texts } = given;
const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey: "none" });
const found = {
  "vectors openai": (await embedMany({ model: openai.embedding("m"), values: texts, maxRetries: 0 })).embeddings,
};
for (const base of ["/v2", ""]) {
  const cohere = createCohere({ baseURL: url + base, apiKey: "none" });
  const answer = await rerank({ model: cohere.reranking("m"), query, documents, maxRetries: 0 });
  found[`ranking ${base}`] = answer.ranking.map((one) => [one.originalIndex, one.score]);
}
const cohere = createCohere({ baseURL: `${url}/v2`, apiKey: "none" });
found["vectors cohere"] = (await embedMany({ model: cohere.embedding("m"), values: texts, maxRetries: 0 })).embeddings;
await rerank({ model: cohere.reranking("m"), query: " ", documents, maxRetries: 0 }).catch((error) => {
  found.refusal = error.message;
});
console.log(JSON.stringify(found));
