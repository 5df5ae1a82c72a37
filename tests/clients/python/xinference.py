"""The xinference-client package."""

import json
import sys

from xinference_client import RESTfulClient

url, given = sys.argv[1], json.loads(sys.argv[2])
client = RESTfulClient(url)
assert "similarity" in client.list_models()
embedding, rerank = client.get_model("embedding"), client.get_model("rerank")
answer = rerank.rerank(given["documents"], given["query"], return_documents=True)
found = {
    "vectors": [one["embedding"] for one in embedding.create_embedding(given["texts"])["data"]],
    "ranking": [(one["index"], one["relevance_score"]) for one in answer["results"]],
    "documents": {one["index"]: one["document"]["text"] for one in answer["results"]},
}
try:
    rerank.rerank(given["documents"], " ")
except RuntimeError as error:
    found["refusal"] = str(error)
print(json.dumps(found))
