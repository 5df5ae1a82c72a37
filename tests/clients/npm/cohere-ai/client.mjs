// The cohere-ai package, both of its clients.
import { CohereClient, CohereClientV2 } from "cohere-ai";

const [url, given] = [process.argv[2], JSON.parse(process.argv[3])];
const { query, documents, texts } = given;
const one = new CohereClient({ token: "none", environment: url });
const two = new CohereClientV2({ token: "none", environment: url });
const ranked = (answer) => answer.results.map((result) => [result.index, result.relevanceScore]);
const found = {
  "ranking 1": ranked(await one.rerank({ model: "m", query, documents })),
  "ranking 2": ranked(await two.rerank({ model: "m", query, documents })),
  "vectors 1": (await one.embed({ model: "m", texts, inputType: "search_query" })).embeddings,
  "vectors 2": (await two.embed({ model: "m", texts, inputType: "search_query", embeddingTypes: ["float"] })).embeddings.float,
};
await two.rerank({ model: "m", query: " ", documents }, { maxRetries: 0 }).catch((error) => { found.refusal = error.message; });
console.log(JSON.stringify(found));
