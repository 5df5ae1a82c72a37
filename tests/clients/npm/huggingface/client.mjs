// The @huggingface/inference package: a URL a task, and TEI's base URL for all that it can tell apart.
import { featureExtraction, sentenceSimilarity, textClassification, zeroShotClassification } from "@huggingface/inference";

const [url, given] = [process.argv[2], JSON.parse(process.argv[3])];
const { texts, text, labels, query, documents } = given;
const similar = { source_sentence: query, sentences: documents };
const asked = { inputs: [text], parameters: { candidate_labels: labels } };
const scores = (answer) => Object.fromEntries(answer.map((one) => [one.label, one.score]));
const pairs = (answer) => answer.map((one) => [one.label, one.score]);
const at = (path) => ({ endpointUrl: url + path });
const found = {
  "sentiment plain": scores(await textClassification({ ...at("/predict"), inputs: text })),
  "sentiment parameters": scores(await textClassification({ ...at("/predict"), inputs: text, parameters: {} })),
  "sentiment tei": scores(await textClassification({ ...at("/tei/sentiment"), inputs: text })),
  "vectors": await featureExtraction({ ...at("/embed"), inputs: texts }),
  "vectors root": await featureExtraction({ ...at(""), inputs: texts }),
  "similarity": await sentenceSimilarity({ ...at("/similarity"), inputs: similar }),
  "similarity root": await sentenceSimilarity({ ...at(""), inputs: similar }),
  "zero-shot": pairs(await zeroShotClassification({ ...at("/classify"), ...asked })),
  "zero-shot root": pairs(await zeroShotClassification({ ...at(""), ...asked, inputs: text })),
};
await textClassification({ ...at("/predict"), inputs: " " }).catch((error) => {
  found.refusal = error.message + JSON.stringify(error.httpResponse?.body ?? "");
});
console.log(JSON.stringify(found));
