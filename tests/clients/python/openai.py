"""The openai package."""

import json
import sys

import openai

url, given = sys.argv[1], json.loads(sys.argv[2])
found = {}
for base in ("/v1", ""):
    client = openai.OpenAI(base_url=url + base, api_key="none", max_retries=0)
    for coding in ({"encoding_format": "float"}, {}):  # by default it asks for base64, and decodes that
        answer = client.embeddings.create(model="m", input=given["texts"], **coding)
        found[f"vectors {base} {len(coding)}"] = [one.embedding for one in answer.data]
client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
found["count 2048"] = len(client.embeddings.create(model="m", input=["好", " "] * 1024).data)
assert client.models.retrieve("embedding").id in [model.id for model in client.models.list()]
try:
    client.embeddings.create(model="m", input=["好", ""])
except openai.APIStatusError as error:
    found["refusal"] = str(error)
print(json.dumps(found))
