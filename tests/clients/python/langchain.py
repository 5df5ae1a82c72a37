"""LangChain's embeddings of OpenAI, as they come and as text, and of Jina from the community."""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import tiktoken_ext
from langchain_community.embeddings import jina
from langchain_openai import OpenAIEmbeddings

url, given = sys.argv[1], json.loads(sys.argv[2])
texts = given["texts"]
plain = OpenAIEmbeddings(base_url=f"{url}/v1", api_key="none", model="m", check_embedding_ctx_length=False)
found = {"vectors openai": plain.embed_documents(texts), "vectors openai one": [plain.embed_query(texts[0])]}
# With its defaults it encodes with a table that tiktoken would download; here it comes from a package.
os.environ["TIKTOKEN_CACHE_DIR"] = tempfile.mkdtemp()
table = next(path for folder in tiktoken_ext.__path__ for path in Path(folder).glob("data/cl100k_base.tiktoken"))
shutil.copy(table, Path(os.environ["TIKTOKEN_CACHE_DIR"]) / "9b5ad71b2ce5302211f9c61530b329a4922fc6a4")
found["vectors tokens"] = OpenAIEmbeddings(base_url=f"{url}/v1", api_key="none", model="m").embed_documents(texts)
jina.JINA_API_URL = f"{url}/v1/embeddings"
embeddings = jina.JinaEmbeddings(jina_api_key="none", model_name="m")
found["vectors jina"] = embeddings.embed_documents(texts)
try:
    embeddings.embed_documents(["好", ""])
except RuntimeError as error:
    found["refusal"] = str(error)
print(json.dumps(found))
