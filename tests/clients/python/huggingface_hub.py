"""The huggingface_hub package: a URL a task, and TEI's base URL for all of them."""

import json
import sys

from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

url, given = sys.argv[1], json.loads(sys.argv[2])
texts, text, labels = given["texts"], given["text"], given["labels"]
found = {}
for name, path in {"": "", "/tei": "/tei", "own": None}.items():
    at = {
        task: InferenceClient(url + (own if path is None else path))
        for task, own in {
            "embed": "/embed",
            "predict": "/predict",
            "similarity": "/similarity",
            "classify": "/classify",
        }.items()
    }
    found[f"vectors {name}"] = at["embed"].feature_extraction(texts).tolist()
    answer = at["predict"].text_classification(text)
    found[f"sentiment {name}"] = {one.label: one.score for one in answer}
    found[f"similarity {name}"] = at["similarity"].sentence_similarity(given["query"], given["documents"])
    answer = at["classify"].zero_shot_classification(text, labels)
    found[f"zero-shot {name}"] = [(one.label, one.score) for one in answer]
try:
    InferenceClient(f"{url}/predict").text_classification(" ")
except HfHubHTTPError as error:
    found["refusal"] = str(error)
print(json.dumps(found))
