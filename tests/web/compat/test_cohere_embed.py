"""POST /v1/embed and /v2/embed, as Cohere answers them."""

import base64

import numpy as np
import pytest
from flask.testing import FlaskClient

TEXTS = ["今天天气很好", "外面阳光明媚"]
INPUTS = [{"content": [{"type": "text", "text": text}]} for text in TEXTS]


def embed(client: FlaskClient, version: int, **body: object) -> dict:
    answer = client.post(f"/v{version}/embed", json={"model": "any", "input_type": "search_query"} | body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


@pytest.fixture
def vectors(tiny_client: FlaskClient) -> list:
    return tiny_client.post("/embed", json={"texts": TEXTS}).get_json()["embeddings"]


def test_the_first_version_gives_bare_vectors_where_no_type_is_asked(tiny_client: FlaskClient, vectors: list) -> None:
    answer = embed(tiny_client, 1, texts=TEXTS)
    assert (answer["response_type"], answer["embeddings"]) == ("embeddings_floats", vectors)
    assert answer["texts"] == TEXTS
    assert answer["meta"]["billed_units"]["input_tokens"] == sum(len(text) + 2 for text in TEXTS)


@pytest.mark.parametrize(("version", "body"), [(1, {"texts": TEXTS}), (2, {"texts": TEXTS}), (2, {"inputs": INPUTS})])
def test_types(tiny_client: FlaskClient, vectors: list, version: int, body: dict) -> None:
    answer = embed(tiny_client, version, embedding_types=["float", "base64"], **body)
    assert (answer["response_type"], answer["embeddings"]["float"]) == ("embeddings_by_type", vectors)
    for coded, vector in zip(answer["embeddings"]["base64"], vectors, strict=True):
        assert np.frombuffer(base64.b64decode(coded), "<f4") == pytest.approx(vector, abs=1e-9)


def test_the_second_version_has_types_always(tiny_client: FlaskClient, vectors: list) -> None:
    assert embed(tiny_client, 2, texts=TEXTS, truncate="END", output_dimension=8)["embeddings"] == {"float": vectors}


def test_a_blank_text_is_taken(tiny_client: FlaskClient, vectors: list) -> None:
    assert embed(tiny_client, 1, texts=[" ", *TEXTS])["embeddings"][1:] == vectors


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "texts: this field is required"),
        ({"texts": []}, "texts: "),
        ({"texts": ["a", ""]}, "texts[1]: "),
        ({"inputs": [{"content": [{"type": "image_url", "image_url": {}}]}]}, "inputs[0].content[0].type: "),
        ({"inputs": [{"content": [{"type": "text", "text": ""}]}]}, "inputs[0]: "),
        ({"texts": ["a"], "inputs": INPUTS}, "texts: `texts` and `inputs`"),
        ({"texts": ["a"], "embedding_types": ["int8"]}, "embedding_types[0]: "),
        ({"texts": ["a"], "output_dimension": 4}, "output_dimension: "),
        ({"texts": ["a"], "truncate": "START"}, "truncate: "),
        ({"texts": ["a", "好" * 5000], "truncate": "NONE"}, "texts[1]: the text is longer"),
        ({"texts": ["a"], "images": ["data:"]}, "images: "),
    ],
)
def test_what_cannot_be_used_is_refused_in_cohere_s_shape(tiny_client: FlaskClient, body: dict, message: str) -> None:
    answer = tiny_client.post("/v2/embed", json=body)
    assert (answer.status_code, list(answer.get_json())) == (422, ["message"])
    assert answer.get_json()["message"].startswith(message)
