"""The contract of our own routes, against the real application and model."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

NEGATIVE = "这部电影太烂了，完全浪费时间"
JSON = {"content_type": "application/json"}


def test_predict_answers_as_in_the_contract(client: FlaskClient) -> None:
    response = client.post("/predict", json={"text": NEGATIVE})
    answer = response.get_json()
    assert response.status_code == 200
    keys = ["text", "label", "score", "probabilities", "truncated", "neutral", "uncertain"]
    assert list(json.loads(response.data)) == keys
    assert (answer["text"], answer["label"], answer["truncated"]) == (NEGATIVE, "Negative", False)
    assert 0 <= answer["neutral"] < 0.5
    assert answer["uncertain"] is False
    assert answer["score"] == answer["probabilities"]["Negative"] > 0.5
    assert list(answer["probabilities"]) == ["Negative", "Positive"]
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    assert NEGATIVE.encode() in response.data  # Chinese stays readable


def test_predict_batch_answers_with_an_array_in_order(client: FlaskClient) -> None:
    texts = [NEGATIVE, "非常满意，下次还会再来", NEGATIVE]
    answers = client.post("/predict_batch", json={"texts": texts}).get_json()
    assert [answer["text"] for answer in answers] == texts
    assert [answer["label"] for answer in answers] == ["Negative", "Positive", "Negative"]
    assert answers[0] == client.post("/predict", json={"text": NEGATIVE}).get_json()


def test_the_same_text_gets_the_same_bytes_in_a_crowd(app: Flask) -> None:
    def ask(text: str) -> bytes:
        return app.test_client().post("/predict", json={"text": text}).data

    texts = [f"第{n}次来，{'房间还是很干净' * (n % 5 + 1)}" for n in range(60)]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(ask, texts * 2))
    assert together == [ask(text) for text in texts] * 2


def test_a_long_text_is_truncated_and_says_so(client: FlaskClient) -> None:
    assert client.post("/predict", json={"text": "好" * 5000}).get_json()["truncated"] is True
    assert client.post("/predict", json={"text": "好" * 100}).get_json()["truncated"] is False


@pytest.mark.parametrize(
    ("body", "status", "kind", "field"),
    [
        ({"text": ""}, 422, "invalid_input", "text"),
        ({"text": " \n"}, 422, "invalid_input", "text"),
        ({"text": "\x00"}, 422, "invalid_input", "text"),
        ({"text": 5}, 422, "invalid_input", "text"),
        ({"text": None}, 422, "invalid_input", "text"),
        ({"text": ["好"]}, 422, "invalid_input", "text"),
        ({}, 422, "invalid_input", "text"),
        ({"text": "好", "mood": 1}, 422, "invalid_input", "mood"),
    ],
)
def test_predict_refuses(client: FlaskClient, body: dict, status: int, kind: str, field: str) -> None:
    check_error(client.post("/predict", json=body), status, kind, field)


@pytest.mark.parametrize(
    ("body", "status", "kind", "field"),
    [
        ({"texts": []}, 422, "invalid_input", "texts"),
        ({"texts": "好"}, 422, "invalid_input", "texts"),
        ({"texts": ["好", 3]}, 422, "invalid_input", "texts[1]"),
        ({"texts": ["好", "好", "好", ""]}, 422, "invalid_input", "texts[3]"),
        ({"texts": ["好"], "text": "好"}, 422, "invalid_input", "text"),
        ({"texts": ["好"] * 65}, 413, "payload_too_large", "texts"),
    ],
)
def test_predict_batch_refuses(client: FlaskClient, body: dict, status: int, kind: str, field: str) -> None:
    check_error(client.post("/predict_batch", json=body), status, kind, field)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'"{}"',
        b"null",
        b'{"text": "a", "text": "b"}',
        b'{"text": "\\ud800"}',
        b'{"text": "\\udc00\\ud800"}',
        b'{"text": NaN}',
        b'{"text": "\xff"}',
        '{"text": "好"}'.encode("utf-16"),
        '{"text": "好"}'.encode("gb18030"),
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"text": ' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"text": "a", "x": 1e400}',
        b'{"text": "a", "x": -1E+400}',
    ],
)
def test_malformed_json(client: FlaskClient, data: bytes) -> None:
    check_error(client.post("/predict", data=data, **JSON), 400, "malformed_json")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
def test_unsupported_media_type(client: FlaskClient, media_type: str) -> None:
    answer = client.post("/predict", data=b'{"text": "a"}', content_type=media_type)
    check_error(answer, 415, "unsupported_media_type")


def test_a_charset_is_allowed(client: FlaskClient) -> None:
    answer = client.post("/predict", data='{"text": "好"}', content_type="application/json; charset=utf-8")
    assert answer.status_code == 200


def test_a_body_over_the_limit_is_refused_with_the_limit(client: FlaskClient) -> None:
    answer = client.post("/predict", json={"text": "好" * 400_000})
    check_error(answer, 413, "payload_too_large")
    assert str(1 << 20) in answer.get_json()["error"]["message"]


def test_unknown_route_and_method(client: FlaskClient) -> None:
    check_error(client.post("/nowhere", json={}), 404, "not_found")
    answer = client.get("/predict")
    check_error(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "text",
    [
        "👨‍👩‍👧‍👦❤️",
        "\u202eשלום عليكم",
        "a\x00b",
        "１２３ＡＢＣ！",
        "這間酒店環境不錯",
        "𠮷野家",
        "\ufffd\ufffe",
        "\x1b[31m好",
        "a" * 300_000,
        "Ünïcödé",
        "%s {} ${x}",
    ],
)
def test_text_of_every_kind_is_answered(client: FlaskClient, text: str) -> None:
    answer = client.post("/predict", json={"text": text})
    assert answer.status_code == 200
    assert answer.get_json()["text"] == text


@settings(max_examples=150)
@given(st.text(st.characters(exclude_categories=[])))
def test_no_text_is_a_server_error(client: FlaskClient, text: str) -> None:
    answer = client.post("/predict", data=json.dumps({"text": text}), **JSON)
    assert answer.status_code in {200, 400, 422}


@settings(max_examples=150)
@given(
    st.binary()
    | st.recursive(
        st.none() | st.text() | st.floats(),
        lambda v: st.lists(v) | st.dictionaries(st.sampled_from(["text", "texts"]) | st.text(), v),
    ).map(lambda v: json.dumps(v).encode())
)
def test_no_body_is_a_server_error(client: FlaskClient, data: bytes) -> None:
    for route in ("/predict", "/predict_batch"):
        assert client.post(route, data=data, **JSON).status_code < 500


def test_every_answer_has_a_request_id(client: FlaskClient) -> None:
    assert client.get("/livez").headers["X-Request-ID"]
    assert client.get("/nowhere", headers={"X-Request-ID": "abc-1"}).headers["X-Request-ID"] == "abc-1"
    assert client.get("/livez", headers={"X-Request-ID": "<script>"}).headers["X-Request-ID"] != "<script>"


def check_error(response: object, status: int, kind: str, field: str | None = None) -> None:
    error = response.get_json()["error"]
    assert (response.status_code, error["type"], error.get("field")) == (status, kind, field)
    assert error["message"]
    assert response.headers["X-Request-ID"]
    assert response.mimetype == "application/json"
