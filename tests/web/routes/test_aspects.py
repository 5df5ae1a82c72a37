"""The contract of /aspects, with tiny models behind the real application but for the sentiment model."""

import json

import pytest
from flask.testing import FlaskClient

from tests.web.test_api import check_error

REVIEW = "物流很快，就是价格有点贵"


def ask(client: FlaskClient, body: dict) -> object:
    answer = client.post("/aspects", json=body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return json.loads(answer.data)


def test_one_text_and_several(tiny_client: FlaskClient) -> None:
    one = ask(tiny_client, {"text": REVIEW})
    assert list(one) == ["text", "aspects", "truncated"]
    assert [list(found) for found in one["aspects"]] == [["aspect", "polarity", "score"]] * 2
    assert [(a["aspect"], a["polarity"]) for a in one["aspects"]] == [("价格", "negative"), ("物流", "positive")]
    assert (one["text"], one["truncated"]) == (REVIEW, False)
    several = ask(tiny_client, {"texts": ["今天星期三", REVIEW]})
    assert several == [{"text": "今天星期三", "aspects": [], "truncated": False}, one]


def test_only_what_was_asked_for_is_answered(tiny_client: FlaskClient) -> None:
    one = ask(tiny_client, {"text": REVIEW, "aspects": ["快递"]})
    assert [a["aspect"] for a in one["aspects"]] == ["快递"]
    assert ask(tiny_client, {"text": REVIEW, "domain": "hotel"})["aspects"][0]["aspect"] == "价格"


def test_the_same_text_gets_the_same_bytes_alone_and_in_a_batch(tiny_client: FlaskClient) -> None:
    texts = [REVIEW, "好" * 90, "味道不错，分量太少"]
    together = tiny_client.post("/aspects", json={"texts": texts}).data
    alone = [tiny_client.post("/aspects", json={"text": text}).data.rstrip() for text in texts]
    assert together == b"[" + b",".join(alone) + b"]\n"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": " "}, "text"),
        ({"text": 3}, "text"),
        ({"texts": []}, "texts"),
        ({"texts": ["好", ""]}, "texts[1]"),
        ({"text": "好", "texts": ["好"]}, "text"),
        ({"text": "好", "aspects": []}, "aspects"),
        ({"text": "好", "aspects": "物流"}, "aspects"),
        ({"text": "好", "aspects": ["物流", "物流"]}, "aspects[1]"),
        ({"text": "好", "aspects": ["物流", " "]}, "aspects[1]"),
        ({"text": "好", "domain": "bank"}, "domain"),
        ({"text": "好", "domain": "food", "aspects": ["物流"]}, "domain"),
        ({"text": "好", "labels": ["物流"]}, "labels"),
    ],
)
def test_what_cannot_be_used_is_named(tiny_client: FlaskClient, body: dict, field: str) -> None:
    check_error(tiny_client.post("/aspects", json=body), 422, "invalid_input", field)


def test_too_many(tiny_client: FlaskClient) -> None:
    check_error(tiny_client.post("/aspects", json={"texts": ["好"] * 6}), 413, "payload_too_large", "texts")
    answer = tiny_client.post("/aspects", json={"text": "好", "aspects": [f"第{n}个" for n in range(65)]})
    check_error(answer, 413, "payload_too_large", "aspects")


def test_what_was_asked_is_counted(tiny_client: FlaskClient) -> None:
    ask(tiny_client, {"texts": ["好", "坏"], "aspects": ["物流"]})
    assert 'structbert_items_total{task="aspects"}' in tiny_client.get("/metrics").get_data(as_text=True)
