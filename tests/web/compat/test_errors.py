"""Errors of every kind, in the shape of whoever was meant."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from app import create_app
from structbert_lite import errors
from structbert_lite.settings import Settings
from structbert_lite.web.errors import STATUSES

KINDS = [kind for kind, _, _ in STATUSES if issubclass(kind, errors.StructBertError)]
OURS, OPENAI, COHERE, JINA, TEI = (
    {"type", "message"},
    {"message", "type", "param", "code"},
    {"message"},
    {"message", "detail"},
    {"error", "error_type"},
)
ROUTES = [
    ("/v1/embeddings", {"input": "好"}, OPENAI),
    ("/v1/rerank", {"query": "好", "documents": ["好"]}, JINA),
    ("/v2/rerank", {"query": "好", "documents": ["好"]}, COHERE),
    ("/embed", {"inputs": "好"}, TEI),
    ("/rerank", {"query": "好", "texts": ["好"]}, TEI),
    ("/similarity", {"inputs": {"source_sentence": "好", "sentences": ["好"]}}, TEI),
    ("/classify", {"inputs": "好", "parameters": {"candidate_labels": ["好"]}}, TEI),
    ("/predict", {"inputs": "好"}, TEI),
    ("/embed", {"texts": ["好"]}, OURS),
    ("/rerank", {"model": "m", "query": "好", "documents": ["好"]}, JINA),
    ("/embeddings", {"input": "好"}, OPENAI),
    ("/v1/embed", {"texts": ["好"]}, COHERE),
    ("/v2/embed", {"texts": ["好"]}, COHERE),
    ("/elasticsearch/rerank", {"query": "好", "documents": ["好"]}, TEI),
    ("/tokenize", {"inputs": "好"}, TEI),
    ("/", {"inputs": "好"}, TEI),
    ("/tei/rerank", {"query": "好", "texts": ["好"]}, TEI),
    ("/tei/embedding/v1/embeddings", {"input": "好"}, TEI),
]

NAMES = st.sampled_from(
    "inputs input texts query documents parameters candidate_labels source_sentence sentences text top_n truncate "
    "normalize dimensions encoding_format return_documents rank_fields raw_scores top_k labels".split()
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["好", "{}", "", "a"]),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(NAMES, v, max_size=3),
    max_leaves=8,
)


def fields(body: dict) -> set[str]:
    """The fields of an error, wherever this shape has them."""
    return set(body["error"]) if isinstance(body.get("error"), dict) else set(body)


def make(kind: type[errors.StructBertError]) -> errors.StructBertError:
    second = {
        errors.InvalidInput: "texts[3]",
        errors.TooManyItems: "texts",
        errors.Overloaded: 7,
        errors.RateLimited: 7,
    }
    if kind is errors.TaskNotAvailable:
        return kind("rerank")
    return kind("the reason", *([second[kind]] if kind in second else []))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/v1/embeddings", OPENAI),
        ("/v1/models", OPENAI),
        ("/v1/rerank", JINA),
        ("/v2/rerank", COHERE),
        ("/info", TEI),
    ],
)
def test_every_error_of_ours(tiny_app: Flask, kind: type, path: str, shape: set) -> None:
    status = next(status for one, status, _ in STATUSES if one is kind)
    with tiny_app.test_request_context(path):
        answer = tiny_app.make_response(tiny_app.handle_user_exception(make(kind)))
    if shape == TEI:  # its clients wait after a 429 alone, and too many items are too many of anything
        status = {errors.Overloaded: 429, errors.TooManyItems: 422}.get(kind, status)
    assert (answer.status_code, fields(answer.get_json())) == (status, shape)
    if kind in {errors.Overloaded, errors.RateLimited}:
        assert answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize(("route", "body", "shape"), ROUTES)
def test_an_absent_model(tmp_path: object, route: str, body: dict, shape: set) -> None:
    answer = create_app(Settings(models=tmp_path)).test_client().post(route, json=body)
    assert (answer.status_code, fields(answer.get_json())) == (404, shape)
    assert "python -m export" in answer.get_data(as_text=True)


@pytest.mark.parametrize(("route", "body", "shape"), [row for row in ROUTES if row[0] != "/tokenize"])  # asks no model
def test_a_closed_engine(closed: FlaskClient, route: str, body: dict, shape: set) -> None:
    answer = closed.post(route, json=body)
    assert (answer.status_code, fields(answer.get_json())) == (503, shape)
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.fixture(scope="module")
def closed(tiny_models: object) -> FlaskClient:
    app = create_app(Settings(models=tiny_models, cache_mb=0))
    app.extensions["structbert_engine"].close()
    return app.test_client()


@pytest.mark.parametrize(
    ("path", "shape"),
    [("/v1/embeddings", OPENAI), ("/v1/rerank", JINA), ("/v2/rerank", COHERE), ("/embed", OURS)],
)
def test_errors_before_a_body_is_understood(tiny_client: FlaskClient, path: str, shape: set) -> None:
    answers = {
        400: tiny_client.post(path, data=b"{", content_type="application/json"),
        405: tiny_client.delete(path),
        413: tiny_client.post(path, json={"input": "好" * 400_000}),
        415: tiny_client.post(path, data=b"{}", content_type="text/plain"),
    }
    for status, answer in answers.items():
        assert (answer.status_code, fields(answer.get_json())) == (status, shape)


@pytest.mark.parametrize(("path", "shape"), [("/v1/nothing", OPENAI), ("/v2/nothing", COHERE), ("/vault", OURS)])
def test_an_unknown_route(tiny_client: FlaskClient, path: str, shape: set) -> None:
    answer = tiny_client.post(path, json={})
    assert (answer.status_code, fields(answer.get_json())) == (404, shape)


@pytest.mark.parametrize(("route", "body", "shape"), ROUTES)
def test_a_header_at_fault_keeps_its_name(tiny_client: FlaskClient, route: str, body: dict, shape: set) -> None:
    answer = tiny_client.post(route, json=body, headers={"X-Request-Timeout-Ms": "soon"})
    assert (answer.status_code, fields(answer.get_json()) - {"field"}) == (422, shape)
    assert "X-Request-Timeout-Ms" in answer.get_data(as_text=True)


def test_a_client_over_its_quota(tiny_models: object) -> None:
    client = create_app(Settings(models=tiny_models, load="lazy", rate_limit="1/hour")).test_client()
    client.get("/models")
    answer = client.get("/v1/models")
    assert answer.status_code == 429
    assert answer.get_json()["error"]["code"] == "rate_limit_exceeded"
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(("route", "body", "shape"), ROUTES)
def test_who_is_over_a_quota_is_told_so_in_the_shape_of_the_body(
    refusing: FlaskClient, route: str, body: dict, shape: set
) -> None:
    answer = refusing.post(route, json=body)
    assert (answer.status_code, fields(answer.get_json())) == (429, shape)
    assert int(answer.headers["Retry-After"]) > 0


@pytest.fixture(scope="module")
def refusing(tiny_models: object) -> FlaskClient:
    client = create_app(Settings(models=tiny_models, load="lazy", rate_limit="1/hour")).test_client()
    client.get("/models")
    return client


def test_a_wrong_key(tiny_models: object) -> None:
    client = create_app(Settings(models=tiny_models, load="lazy", api_keys="a" * 32)).test_client()
    answer = client.get("/v1/models", headers={"Authorization": "Bearer wrong"})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (401, "invalid_api_key")
    assert client.post("/v2/rerank", json={}).get_json().keys() == COHERE
    assert client.get("/v1/models", headers={"Authorization": f"Bearer {'a' * 32}"}).status_code == 200


def test_what_nobody_expected_has_no_trace(tiny_app: Flask) -> None:
    with tiny_app.test_request_context("/v1/embeddings"):
        answer = tiny_app.make_response(tiny_app.handle_user_exception(ZeroDivisionError("secret")))
    assert (answer.status_code, answer.get_json()["error"]["type"]) == (500, "server_error")
    assert "secret" not in answer.get_data(as_text=True)


@settings(max_examples=100)
@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_no_body_is_a_server_error(tiny_client: FlaskClient, body: dict) -> None:
    for route in dict.fromkeys(route for route, _, _ in ROUTES):
        assert tiny_client.post(route, json=body).status_code in {200, 413, 422}
