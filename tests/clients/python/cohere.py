"""The cohere package, both of its clients."""

import json
import sys

import cohere

url, given = sys.argv[1], json.loads(sys.argv[2])
query, documents, texts = given["query"], given["documents"], given["texts"]
one, two = cohere.Client("none", base_url=url), cohere.ClientV2("none", base_url=url)
first = one.rerank(model="m", query=query, documents=documents, return_documents=True)
second = two.rerank(model="m", query=query, documents=documents, top_n=2)
found = {
    "ranking 1": [(result.index, result.relevance_score) for result in first.results],
    "ranking 2": [(result.index, result.relevance_score) for result in second.results],
    "documents 1": {result.index: result.document.text for result in first.results},
    "documents 2": {result.index: result.document["text"] for result in second.results},
    "vectors 1": one.embed(texts=texts, model="m", input_type="search_document").embeddings,
    "vectors 1 float": one.embed(
        texts=texts, model="m", input_type="search_document", embedding_types=["float"]
    ).embeddings.float_,
    "vectors 2": two.embed(
        texts=texts, model="m", input_type="search_query", embedding_types=["float"]
    ).embeddings.float_,
}
try:
    two.rerank(model="m", query=" ", documents=documents)
except cohere.UnprocessableEntityError as error:
    found["refusal"] = str(error)
print(json.dumps(found))
