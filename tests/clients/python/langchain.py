"""LangChain's embeddings of OpenAI, as they come and as text, and of Jina from the community."""

import json
import sys

from langchain_community.embeddings import jina
from langchain_openai import OpenAIEmbeddings

url, given = sys.argv[1], json.loads(sys.argv[2])
texts = given["texts"]
plain = OpenAIEmbeddings(base_url=f"{url}/v1", api_key="none", model="m", check_embedding_ctx_length=False)
found = {"vectors openai": plain.embed_documents(texts), "vectors openai one": [plain.embed_query(texts[0])]}
jina.JINA_API_URL = f"{url}/v1/embeddings"
embeddings = jina.JinaEmbeddings(jina_api_key="none", model_name="m")
found["vectors jina"] = embeddings.embed_documents(texts)
try:
    embeddings.embed_documents(["好", ""])
except RuntimeError as error:
    found["refusal"] = str(error)
print(json.dumps(found))
