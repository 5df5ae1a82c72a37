"""The official clients of other services against the running server, compared with our own routes."""

import json
import os
import re
import sys
import urllib.request
from collections.abc import Iterator

import cohere
import numpy as np
import openai
import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from langchain_openai import OpenAIEmbeddings
from tokenizers import Tokenizer

from structbert_lite.bench.server_process import free_port, run_server
from structbert_lite.settings import PREFIX, PROJECT

TEXTS = ["今天天气很好", "外面阳光明媚", "怎么申请退款"]
QUERY, DOCUMENTS = "如何办理退款", ["我们的门店早上九点开门", "退款请在订单页面申请", "会员可以免运费"]
LABELS = ["咨询", "投诉", "建议"]
EXAMPLES = re.findall(r"```python\n(.*?)```", (PROJECT / "docs" / "api.md").read_text(encoding="utf-8"), re.DOTALL)
COMPLAINT = "你们的客服态度太差了，我要投诉"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The server with its default models, as `make serve` runs it."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    ours = {"HOST": "127.0.0.1", "PORT": str(port), "MAX_ITEMS": "64"}
    command = [sys.executable, "-m", "gunicorn", "-c", str(PROJECT / "gunicorn.conf.py")]
    with run_server(command, port, "/readyz", kept | {PREFIX + name: value for name, value in ours.items()}):
        yield f"http://127.0.0.1:{port}"


def post(url: str, body: dict) -> object:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def vectors(url: str) -> np.ndarray:
    return np.array(post(f"{url}/embed", {"texts": TEXTS})["embeddings"])


@pytest.fixture(scope="module")
def ranked(url: str) -> list[tuple[int, float]]:
    results = post(f"{url}/rerank", {"query": QUERY, "documents": DOCUMENTS})["results"]
    assert results[0]["index"] == 1
    return [(one["index"], one["relevance_score"]) for one in results]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.split()[1])
def test_an_example_of_the_documentation_runs(url: str, example: str, capsys: pytest.CaptureFixture) -> None:
    exec(example.replace("http://127.0.0.1:5000", url), {})
    assert capsys.readouterr().out


def test_every_client_has_an_example() -> None:
    assert [example.split()[1] for example in EXAMPLES] == ["openai", "langchain_openai", "cohere", "huggingface_hub"]


class TestOpenAI:
    @pytest.fixture
    def client(self, url: str) -> Iterator[openai.OpenAI]:
        with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            yield client

    @pytest.mark.parametrize("options", [{}, {"encoding_format": "float"}], ids=["base64", "float"])
    def test_embeddings(self, client: openai.OpenAI, vectors: np.ndarray, options: dict) -> None:
        answer = client.embeddings.create(model="similarity", input=TEXTS, **options)
        assert [one.index for one in answer.data] == [0, 1, 2]
        assert np.abs(np.array([one.embedding for one in answer.data]) - vectors).max() < 1e-9
        assert (answer.model, answer.usage.total_tokens) == ("similarity", answer.usage.prompt_tokens)
        tokenizer = Tokenizer.from_file(str(PROJECT / "models/similarity/tokenizer.json"))
        assert answer.usage.prompt_tokens == sum(len(tokenizer.encode(text)) for text in TEXTS)

    def test_one_text(self, client: openai.OpenAI, vectors: np.ndarray) -> None:
        answer = client.embeddings.create(model="similarity", input=TEXTS[0], dimensions=384)
        assert np.abs(np.array(answer.data[0].embedding) - vectors[0]).max() < 1e-9

    def test_models(self, client: openai.OpenAI) -> None:
        names = [model.id for model in client.models.list()]
        assert "similarity" in names
        assert client.models.retrieve("similarity").owned_by == "structbert-lite"
        with pytest.raises(openai.NotFoundError) as caught:
            client.models.retrieve("gpt-9")
        assert caught.value.code == "model_not_found"

    def test_errors(self, client: openai.OpenAI) -> None:
        with pytest.raises(openai.UnprocessableEntityError) as caught:
            client.embeddings.create(model="m", input=["好", ""])
        assert (caught.value.param, caught.value.code) == ("input[1]", "invalid_input")
        with pytest.raises(openai.UnprocessableEntityError, match="token ids"):
            client.embeddings.create(model="m", input=[[1, 2, 3]])
        with pytest.raises(openai.UnprocessableEntityError, match="384 dimensions"):
            client.embeddings.create(model="m", input="好", dimensions=256)
        with pytest.raises(openai.APIStatusError, match="the limit is 64"):
            client.embeddings.create(model="m", input=["好"] * 65)

    def test_langchain(self, url: str, vectors: np.ndarray) -> None:
        embeddings = OpenAIEmbeddings(
            base_url=f"{url}/v1", api_key="none", model="similarity", check_embedding_ctx_length=False, chunk_size=2
        )
        assert np.abs(np.array(embeddings.embed_documents(TEXTS)) - vectors).max() < 1e-9
        assert np.abs(np.array(embeddings.embed_query(TEXTS[0])) - vectors[0]).max() < 1e-9


class TestCohere:
    def test_v2(self, url: str, ranked: list) -> None:
        client = cohere.ClientV2(api_key="none", base_url=url)
        answer = client.rerank(model="rerank", query=QUERY, documents=DOCUMENTS, top_n=2)
        assert [(one.index, one.relevance_score) for one in answer.results] == ranked[:2]
        assert answer.id
        assert answer.meta.tokens.input_tokens > sum(map(len, DOCUMENTS))

    def test_v1_with_documents(self, url: str, ranked: list) -> None:
        client = cohere.Client(api_key="none", base_url=url)
        documents = [DOCUMENTS[0], {"text": DOCUMENTS[1]}, DOCUMENTS[2]]
        answer = client.rerank(model="rerank", query=QUERY, documents=documents, return_documents=True)
        assert [(one.index, one.relevance_score) for one in answer.results] == ranked
        assert [one.document.text for one in answer.results] == [DOCUMENTS[one.index] for one in answer.results]

    def test_errors(self, url: str) -> None:
        client = cohere.ClientV2(api_key="none", base_url=url)
        with pytest.raises(cohere.UnprocessableEntityError) as caught:
            client.rerank(model="rerank", query=QUERY, documents=["好", " "])
        assert caught.value.body == {"message": "documents[1]: the text has no readable characters"}


class TestHuggingFace:
    def test_text_classification(self, url: str) -> None:
        ours = post(f"{url}/predict", {"text": COMPLAINT})
        answer = InferenceClient(f"{url}/predict").text_classification(COMPLAINT)
        assert {one.label: one.score for one in answer} == ours["probabilities"]
        assert answer[0].label == ours["label"]
        (best,) = InferenceClient(f"{url}/predict").text_classification(COMPLAINT, top_k=1)
        assert (best.label, best.score) == (ours["label"], ours["score"])

    def test_feature_extraction(self, url: str, vectors: np.ndarray) -> None:
        client = InferenceClient(f"{url}/embed")
        assert np.abs(client.feature_extraction(TEXTS[0]) - vectors[:1]).max() < 1e-7
        assert np.abs(client.feature_extraction(TEXTS, normalize=True, truncate=True) - vectors).max() < 1e-7

    def test_sentence_similarity(self, url: str) -> None:
        ours = post(f"{url}/similarity", {"pairs": [[QUERY, other] for other in DOCUMENTS]})
        answer = InferenceClient(f"{url}/similarity").sentence_similarity(QUERY, DOCUMENTS)
        assert answer == [one["score"] for one in ours]

    @pytest.mark.parametrize("options", [{}, {"multi_label": True, "hypothesis_template": "这句话的意图是{}"}])
    def test_zero_shot_classification(self, url: str, options: dict) -> None:
        ours = post(f"{url}/classify", {"text": COMPLAINT, "labels": LABELS} | options)
        answer = InferenceClient(f"{url}/classify").zero_shot_classification(COMPLAINT, LABELS, **options)
        assert [one.label for one in answer] == ours["labels"]
        assert [one.score for one in answer] == ours["scores"]

    def test_errors(self, url: str) -> None:
        with pytest.raises(HfHubHTTPError, match="no readable characters"):
            InferenceClient(f"{url}/predict").text_classification(" ")
