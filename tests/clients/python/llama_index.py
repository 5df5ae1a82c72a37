"""LlamaIndex's embeddings of OpenAI and TEI, and TEI's reranker."""

import json
import sys

from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.embeddings.text_embeddings_inference import TextEmbeddingsInference
from llama_index.postprocessor.tei_rerank import TextEmbeddingInference

url, given = sys.argv[1], json.loads(sys.argv[2])
texts, documents = given["texts"], given["documents"]
nodes = [NodeWithScore(node=TextNode(text=text, id_=str(i))) for i, text in enumerate(documents)]
found = {
    "vectors openai": OpenAIEmbedding(api_base=f"{url}/v1", api_key="none").get_text_embedding_batch(texts),
}
for base in ("", "/tei/embedding"):
    embeddings = TextEmbeddingsInference(model_name="m", base_url=url + base, text_instruction="", query_instruction="")
    found[f"vectors tei {base}"] = embeddings.get_text_embedding_batch(texts)
for base in ("", "/tei/rerank"):
    ranker = TextEmbeddingInference(base_url=url + base, top_n=len(documents))
    answer = ranker.postprocess_nodes(nodes, query_str=given["query"])
    found[f"ranking {base}"] = [(int(one.node.node_id), one.score) for one in answer]
print(json.dumps(found))
