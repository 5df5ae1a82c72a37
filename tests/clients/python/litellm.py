"""The litellm package, by each of its providers that a server of one's own can stand behind."""

import json
import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # otherwise it asks the internet for prices

import litellm

url, given = sys.argv[1], json.loads(sys.argv[2])
query, documents, texts = given["query"], given["documents"], given["texts"]
found = {}
for name, model, base in [
    ("openai", "openai/m", "/v1"),
    ("infinity", "infinity/m", ""),
    ("voyage", "voyage/m", "/v1"),
    ("huggingface", "huggingface/m", ""),
    ("huggingface tei", "huggingface/m", "/tei/embedding"),
    ("cohere", "cohere/m", "/v1/embed"),
]:
    options = {"input_type": "feature-extraction"} if name.startswith("huggingface") else {}
    answer = litellm.embedding(model, texts, api_base=url + base, api_key="none", **options)
    found[f"vectors {name}"] = [one["embedding"] for one in answer.data]
for name, model, base in [
    ("cohere", "cohere/m", ""),
    ("vllm", "hosted_vllm/m", ""),
    ("infinity", "infinity/m", ""),
    ("jina", "jina_ai/m", "/v1/rerank"),
]:
    options = {} if name != "infinity" else {"return_documents": False}
    answer = litellm.rerank(model, query, documents, api_base=url + base, api_key="none", **options)
    found[f"ranking {name}"] = [(one["index"], one["relevance_score"]) for one in answer.results]
print(json.dumps(found))
