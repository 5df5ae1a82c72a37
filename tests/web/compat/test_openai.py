"""POST /v1/embeddings and GET /v1/models, as OpenAI's own service answers them."""

import base64
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient

from app import create_app
from structbert_lite.settings import Settings

TEXTS = ["今天天气很好", "外面阳光明媚，适合出去走走"]
# [CLS], a token a Chinese character or mark, [SEP].
TOKENS = [8, 15]


def create(client: FlaskClient, **body: object) -> dict:
    answer = client.post("/v1/embeddings", json={"model": "any"} | body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def test_the_answer_has_openais_shape_and_our_vectors(tiny_client: FlaskClient) -> None:
    answer = create(tiny_client, input=TEXTS)
    assert list(answer) == ["object", "data", "model", "usage"]
    assert (answer["object"], answer["model"]) == ("list", "similarity")
    assert [list(one) for one in answer["data"]] == [["object", "index", "embedding"]] * 2
    assert [(one["object"], one["index"]) for one in answer["data"]] == [("embedding", 0), ("embedding", 1)]
    ours = tiny_client.post("/embed", json={"texts": TEXTS}).get_json()
    assert [one["embedding"] for one in answer["data"]] == ours["embeddings"]


def test_one_text_is_the_same_as_a_list_of_one(tiny_client: FlaskClient) -> None:
    assert create(tiny_client, input=TEXTS[0]) == create(tiny_client, input=TEXTS[:1])


def test_base64_is_little_endian_float32(tiny_client: FlaskClient) -> None:
    plain = create(tiny_client, input=TEXTS, encoding_format="float")["data"]
    coded = create(tiny_client, input=TEXTS, encoding_format="base64")["data"]
    for one, other in zip(plain, coded, strict=True):
        vector = np.frombuffer(base64.b64decode(other["embedding"]), "<f4")
        assert vector.shape == (8,)
        assert vector == pytest.approx(one["embedding"], abs=1e-9)


def test_tokens_are_counted_cached_or_not(tiny_client: FlaskClient) -> None:
    for _ in range(2):
        assert create(tiny_client, input=TEXTS)["usage"] == {"prompt_tokens": sum(TOKENS), "total_tokens": sum(TOKENS)}
    assert create(tiny_client, input=[TEXTS[0]] * 3)["usage"]["prompt_tokens"] == 3 * TOKENS[0]
    # Only what the model reads counts: the tiny one reads 128 tokens.
    assert create(tiny_client, input="好" * 5000)["usage"]["total_tokens"] == 128


def test_unknown_fields_are_ignored_and_the_models_own_dimensions_taken(tiny_client: FlaskClient) -> None:
    plain = create(tiny_client, input="好")
    assert create(tiny_client, input="好", user="u", dimensions=8, encoding_format=None, anything=[1]) == plain


@pytest.mark.parametrize(
    ("body", "param", "word"),
    [
        ({}, "input", "required"),
        ({"input": None}, "input", "string"),
        ({"input": 5}, "input", "string"),
        ({"input": []}, "input", "empty"),
        ({"input": ""}, "input", "readable"),
        ({"input": [1, 2, 3]}, "input", "token ids"),
        ({"input": [[1, 2], [3]]}, "input", "token ids"),
        ({"input": ["a", None]}, "input", "item 1"),
        ({"input": ["a", ""]}, "input[1]", "readable"),
        ({"input": ["a", {"image": "x"}]}, "input", "item 1"),
        ({"input": "a", "dimensions": 4}, "dimensions", "8 dimensions"),
        ({"input": "a", "dimensions": "8"}, "dimensions", "whole number"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format", "float"),
        ({"input": "a", "model": 3}, "model", "string"),
    ],
)
def test_what_cannot_be_used_is_refused_in_openais_shape(
    tiny_client: FlaskClient, body: dict, param: str, word: str
) -> None:
    answer = tiny_client.post("/v1/embeddings", json=body)
    error = answer.get_json()["error"]
    assert (answer.status_code, list(error)) == (422, ["message", "type", "param", "code"])
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, "invalid_input")
    assert word in error["message"]


def test_jinas_objects_and_blank_texts_are_taken(tiny_client: FlaskClient) -> None:
    plain = create(tiny_client, input=[TEXTS[0], " "])
    assert create(tiny_client, input=[{"text": TEXTS[0]}, {"text": "\u3000"}])["data"] == plain["data"]
    ours = tiny_client.post("/embed", json={"texts": TEXTS[:1]}).get_json()["embeddings"]
    assert [plain["data"][0]["embedding"]] == ours


def test_the_root_answers_as_v1_does(tiny_client: FlaskClient) -> None:
    answer = tiny_client.post("/embeddings", json={"input": TEXTS})
    assert answer.get_json() == create(tiny_client, input=TEXTS)


def test_as_many_texts_as_openai_takes(tiny_models: Path) -> None:
    client = create_app(Settings(models=tiny_models, load="lazy")).test_client()
    texts = [f"第{number}句" for number in range(2048)]
    data = create(client, input=texts)["data"]
    assert [one["index"] for one in data] == list(range(2048))
    for first in (0, 511, 512, 2047):
        ours = client.post("/embed", json={"texts": texts[first : first + 1]}).get_json()["embeddings"]
        assert [data[first]["embedding"]] == ours
    for body, param in [([*texts, "一"], "input"), ([*texts[:700], ""], "input[700]")]:
        answer = client.post("/v1/embeddings", json={"input": body})
        assert answer.get_json()["error"]["param"] == param
    assert client.post("/embed", json={"texts": texts[:513]}).status_code == 413


def test_too_many_texts(tiny_client: FlaskClient) -> None:
    answer = tiny_client.post("/v1/embeddings", json={"input": ["a"] * 65})
    error = answer.get_json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (413, "input", "payload_too_large")
    assert "64" in error["message"]


def test_models(tiny_client: FlaskClient) -> None:
    listed = tiny_client.get("/v1/models").get_json()
    assert list(listed) == ["object", "data"]
    assert [model["id"] for model in listed["data"]] == ["sentiment", "similarity", "zero-shot", "rerank"]
    one = tiny_client.get("/v1/models/similarity").get_json()
    facts = {"model_name": "similarity", "model_type": "embedding", "max_tokens": 128, "dimensions": 8}
    assert one == {"id": "similarity", "object": "model", "created": 0, "owned_by": "structbert-lite"} | facts
    assert one in listed["data"]
    assert tiny_client.get("/v1/models/embedding").get_json() == one  # the task's name does as well
    assert tiny_client.get("/v1/models/rerank").get_json()["model_type"] == "rerank"
    for name in ("gpt-9", "BAAI/bge-m3"):
        answer = tiny_client.get(f"/v1/models/{name}")
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "model_not_found")
        assert answer.get_json()["detail"] == "model: no such model is installed"  # Xinference's clients show it
