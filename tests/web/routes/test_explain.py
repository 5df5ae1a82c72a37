"""The contract of /explain."""

import json

import pytest
from flask.testing import FlaskClient

from tests.web.test_api import check_error

TEXT = "物流很快，iPhone也好👍"


def test_the_answer_of_predict_and_words(client: FlaskClient) -> None:
    for options in ({}, {"neutral": True}):
        plain = client.post("/predict", json={"text": TEXT, **options}).get_json()
        answer = client.post("/explain", json={"text": TEXT, **options})
        found = json.loads(answer.data)
        assert list(found) == [*plain, "words"]
        assert {name: found[name] for name in plain} == plain
        assert [list(word) for word in found["words"]] == [["text", "start", "end", "weight"]] * len(found["words"])
        assert all(TEXT[word["start"] : word["end"]] == word["text"] for word in found["words"])
        assert client.post("/explain", json={"text": TEXT, **options}).data == answer.data
    assert "iPhone" in [word["text"] for word in found["words"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": " "}, "text"),
        ({"text": ["好"]}, "text"),
        ({"texts": ["好"]}, "texts"),
        ({"text": "好", "neutral": 1}, "neutral"),
    ],
)
def test_what_cannot_be_used_is_named(client: FlaskClient, body: dict, field: str) -> None:
    answer = client.post("/explain", json=body)
    assert (answer.status_code, answer.get_json()["error"]["type"]) == (422, "invalid_input")
    if field != "texts":
        check_error(answer, 422, "invalid_input", field)


def test_a_deadline_that_cannot_be_met_is_504(client: FlaskClient) -> None:
    answer = client.post(
        "/explain", json={"text": "从来没有人问过的一句话，" * 30}, headers={"X-Request-Timeout-Ms": "1"}
    )
    check_error(answer, 504, "deadline_exceeded", None)
