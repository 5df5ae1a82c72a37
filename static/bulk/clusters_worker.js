// @ts-check
// Groups texts beside the page: each is compared with every group.
import { clustersOf, typicalWords } from "./clusters.js";

onmessage = ({ data: { texts, vectors } }) => {
  const groups = clustersOf(vectors);
  const words = typicalWords(texts, groups);
  postMessage(groups.map((group, i) => ({ group, words: words[i] })));
};
