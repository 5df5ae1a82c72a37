"""Haystack's embedders and rankers."""

import json
import os
import sys

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

from haystack import Document
from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
from haystack.utils import Secret
from haystack_integrations.components.embedders.cohere import CohereDocumentEmbedder, CohereTextEmbedder
from haystack_integrations.components.embedders.jina import JinaDocumentEmbedder
from haystack_integrations.components.rankers.cohere import CohereRanker
from haystack_integrations.components.rankers.jina import JinaRanker

url, given = sys.argv[1], json.loads(sys.argv[2])
key = Secret.from_token("none")
texts = [Document(content=text, meta={"number": i}) for i, text in enumerate(given["texts"])]
documents = [Document(content=text, meta={"number": i}) for i, text in enumerate(given["documents"])]
found = {}
for name, embedder in {
    "openai": OpenAIDocumentEmbedder(api_key=key, api_base_url=f"{url}/v1", progress_bar=False),
    "cohere": CohereDocumentEmbedder(api_key=key, api_base_url=url, progress_bar=False),
    "jina": JinaDocumentEmbedder(api_key=key, base_url=f"{url}/v1/embeddings", progress_bar=False),
}.items():
    found[f"vectors {name}"] = [one.embedding for one in embedder.run(texts)["documents"]]
for name, embedder in {
    "openai": OpenAITextEmbedder(api_key=key, api_base_url=f"{url}/v1"),
    "cohere": CohereTextEmbedder(api_key=key, api_base_url=url),
}.items():
    found[f"vectors {name} one"] = [embedder.run(given["texts"][0])["embedding"]]
for name, ranker in {
    "cohere": CohereRanker(api_key=key, api_base_url=url),
    "jina": JinaRanker(api_key=key, base_url=f"{url}/v1/rerank"),
}.items():
    answer = ranker.run(query=given["query"], documents=documents)["documents"]
    found[f"ranking {name}"] = [(one.meta["number"], one.score) for one in answer]
print(json.dumps(found))
