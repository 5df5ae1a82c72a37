"""The contract of the four newer tasks' routes, with tiny models behind the real application."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.test_api import check_error

LABELS = ["咨询", "投诉", "建议"]


def ask(client: FlaskClient, route: str, body: dict) -> object:
    answer = client.post(route, json=body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return json.loads(answer.data)


def test_similarity_of_one_pair_and_of_several(tiny_client: FlaskClient) -> None:
    one = ask(tiny_client, "/similarity", {"text_a": "怎么退款", "text_b": "如何退款"})
    assert list(one) == ["text_a", "text_b", "score", "level", "truncated"]
    assert one["level"] in {"high", "medium", "low"}
    several = ask(tiny_client, "/similarity", {"pairs": [["怎么退款", "如何退款"], ["如何退款", "怎么退款"]]})
    assert several[0] == one
    assert several[1]["score"] == one["score"]


def test_embed(tiny_client: FlaskClient) -> None:
    answer = ask(tiny_client, "/embed", {"texts": ["今天天气很好", "外面" * 400]})
    assert list(answer) == ["embeddings", "dimensions", "truncated"]
    assert (answer["dimensions"], answer["truncated"]) == (8, [False, True])
    assert np.shape(answer["embeddings"]) == (2, 8)
    assert np.linalg.norm(answer["embeddings"], axis=1) == pytest.approx(1, abs=1e-7)


def test_classify_one_text_and_several(tiny_client: FlaskClient) -> None:
    one = ask(tiny_client, "/classify", {"text": "什么时候有货", "labels": LABELS})
    assert list(one) == ["text", "labels", "scores", "truncated"]
    assert sorted(one["labels"]) == sorted(LABELS)
    assert one["scores"] == sorted(one["scores"], reverse=True)
    several = ask(tiny_client, "/classify", {"texts": ["什么时候有货", "太差了"], "labels": LABELS})
    assert several[0] == one
    options = {"labels": LABELS, "multi_label": True, "hypothesis_template": "这是{}"}
    assert ask(tiny_client, "/classify", {"text": "什么时候有货", **options}) != one


def test_classify_tells_whether_no_label_fits(tiny_client: FlaskClient) -> None:
    body = {"text": "什么时候有货", "labels": LABELS}
    plain = ask(tiny_client, "/classify", body)
    answer = ask(tiny_client, "/classify", body | {"none": True})
    assert list(answer) == ["text", "labels", "scores", "none", "truncated"]
    assert 0 <= answer["none"] <= 1
    assert {name: value for name, value in answer.items() if name != "none"} == plain
    several = ask(tiny_client, "/classify", {"texts": ["什么时候有货", "太差了"], "labels": LABELS, "none": True})
    assert several[0] == answer
    assert ask(tiny_client, "/classify", body | {"none": False}) == plain


def test_rerank(tiny_client: FlaskClient) -> None:
    body = {"query": "哪里能吃饭", "documents": ["坏", {"text": "好好"}, "好"]}
    plain = ask(tiny_client, "/rerank", body)
    assert [list(result) for result in plain["results"]] == [["index", "relevance_score", "truncated"]] * 3
    assert [result["index"] for result in plain["results"]] == [1, 2, 0]
    best = ask(tiny_client, "/rerank", body | {"top_n": 1, "return_documents": True})["results"]
    assert [list(result) for result in best] == [["index", "relevance_score", "document", "truncated"]]
    assert best[0]["document"] == {"text": "好好"}


REFUSED = [
    ("/similarity", {}, "text_a"),
    ("/similarity", {"text_a": "a"}, "text_b"),
    ("/similarity", {"text_a": "a", "text_b": " "}, "text_b"),
    ("/similarity", {"text_a": "\u200b", "text_b": "a"}, "text_a"),
    ("/similarity", {"text_a": "a", "text_b": 3}, "text_b"),
    ("/similarity", {"text_a": "a", "text_b": "b", "pairs": [["a", "b"]]}, "text_a"),
    ("/similarity", {"pairs": []}, "pairs"),
    ("/similarity", {"pairs": "ab"}, "pairs"),
    ("/similarity", {"pairs": ["ab"]}, "pairs[0]"),
    ("/similarity", {"pairs": [["a", "b"], ["a"]]}, "pairs[1]"),
    ("/similarity", {"pairs": [["a", "b", "c"]]}, "pairs[0]"),
    ("/similarity", {"pairs": [["a", "b"], ["a", None]]}, "pairs[1][1]"),
    ("/similarity", {"pairs": [["a", "b"]] * 3 + [["a", " "]]}, "pairs[3][1]"),
    ("/embed", {"texts": []}, "texts"),
    ("/embed", {"texts": ["a", ""]}, "texts[1]"),
    ("/embed", {"texts": ["a"], "dimensions": 8}, "dimensions"),
    ("/classify", {"labels": LABELS}, "text"),
    ("/classify", {"text": "a"}, "labels"),
    ("/classify", {"text": " ", "labels": LABELS}, "text"),
    ("/classify", {"texts": ["a", " "], "labels": LABELS}, "texts[1]"),
    ("/classify", {"text": "a", "texts": ["b"], "labels": LABELS}, "text"),
    ("/classify", {"text": "a", "labels": []}, "labels"),
    ("/classify", {"text": "a", "labels": ["a", "b", "a"]}, "labels[2]"),
    ("/classify", {"text": "a", "labels": ["a", ""]}, "labels[1]"),
    ("/classify", {"text": "a", "labels": ["a", 1]}, "labels[1]"),
    ("/classify", {"text": "a", "labels": LABELS, "hypothesis_template": "{"}, "hypothesis_template"),
    ("/classify", {"text": "a", "labels": LABELS, "multi_label": 1}, "multi_label"),
    ("/classify", {"text": "a", "labels": LABELS, "none": 1}, "none"),
    ("/rerank", {"query": "", "documents": ["a"]}, "query"),
    ("/rerank", {"query": " ", "documents": ["a"]}, "query"),
    ("/rerank", {"query": "q", "documents": []}, "documents"),
    ("/rerank", {"query": "q", "documents": ["a", " "]}, "documents[1]"),
    ("/rerank", {"query": "q", "documents": ["a", {"text": " "}]}, "documents[1]"),
    ("/rerank", {"query": "q", "documents": ["a", 3]}, "documents[1]"),
    ("/rerank", {"query": "q", "documents": [{}]}, "documents[0].text"),
    ("/rerank", {"query": "q", "documents": [{"text": "a", "id": 1}]}, "documents[0].id"),
    ("/rerank", {"query": "q", "documents": ["a"], "top_n": 0}, "top_n"),
    ("/rerank", {"query": "q", "documents": ["a"], "top_n": True}, "top_n"),
    ("/rerank", {"query": "q", "documents": ["a"], "models": "m"}, "models"),
]


@pytest.mark.parametrize(("route", "body", "field"), REFUSED)
def test_what_cannot_be_used_is_named(tiny_client: FlaskClient, route: str, body: dict, field: str) -> None:
    check_error(tiny_client.post(route, json=body), 422, "invalid_input", field)


@pytest.mark.parametrize(
    ("route", "body", "field"),
    [
        ("/similarity", {"pairs": [["a", "b"]] * 65}, "pairs"),
        ("/embed", {"texts": ["a"] * 65}, "texts"),
        ("/classify", {"texts": ["a"] * 33, "labels": ["a", "b"]}, "labels"),
        ("/rerank", {"query": "q", "documents": ["a"] * 65}, "documents"),
    ],
)
def test_too_many_items(tiny_client: FlaskClient, route: str, body: dict, field: str) -> None:
    answer = tiny_client.post(route, json=body)
    check_error(answer, 413, "payload_too_large", field)
    assert "64" in answer.get_json()["error"]["message"]


def test_the_same_request_gets_the_same_bytes_in_a_crowd(tiny_app: Flask) -> None:
    requests = [
        request
        for n in range(12)
        for request in [
            ("/similarity", {"text_a": f"第{n}个问题", "text_b": f"{'很长' * n}的问题"}),
            ("/embed", {"texts": [f"第{n}句", "好" * (n * 9 + 1)]}),
            ("/classify", {"text": f"第{n}次咨询{'，请问' * n}", "labels": LABELS}),
            ("/rerank", {"query": f"第{n}个", "documents": ["好" * (7 * n + 1), "坏" * 200, f"第{n}"]}),
            ("/predict", {"text": f"第{n}次来{'，很满意' * n}"}),
        ]
    ]

    def post(request: tuple[str, dict]) -> bytes:
        answer = tiny_app.test_client().post(request[0], json=request[1])
        assert answer.status_code == 200
        return answer.data

    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(post, requests * 2))
    assert together == [post(request) for request in requests] * 2


NAMES = st.sampled_from(
    "text text_a text_b texts pairs labels multi_label hypothesis_template none query documents top_n".split()
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["好", "{}"]),
    lambda v: st.lists(v, max_size=4) | st.dictionaries(NAMES, v, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200)
@given(st.dictionaries(NAMES | st.text(max_size=3), VALUES, max_size=6))
def test_no_body_is_a_server_error(tiny_client: FlaskClient, body: dict) -> None:
    for route in ("/similarity", "/embed", "/classify", "/rerank"):
        data = json.dumps(body)
        answer = tiny_client.post(route, data=data, content_type="application/json")
        assert answer.status_code in {200, 400, 413, 422}
