"""Answers of the worker's loop say, in shape, headers and counts, what the application would have said."""

import json

import pytest
from flask import Flask

from structbert_lite.telemetry.metrics import Metrics
from structbert_lite.web.compat.errors import error_response
from structbert_lite.web.middleware import enable_cors, register_hooks
from structbert_lite.web.refusals import Refusals
from structbert_lite.web.request_telemetry import RequestTelemetry, observe_requests

SITE = "https://shop.example"
BUSY = (503, "overloaded", "the server is busy, try again later")
PATHS = ("/predict", "/v1/embeddings", "/v1/rerank", "/v2/rerank", "/info", "/nowhere")


def make_app(origins: str) -> Flask:
    app = Flask(__name__)
    observe_requests(app, RequestTelemetry(Metrics()))
    register_hooks(app)
    enable_cors(app, origins)
    app.before_request(lambda: error_response(*BUSY))
    for path in PATHS[:-1]:
        app.add_url_rule(path, path, lambda: "", methods=["POST"])
    return app


def read(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in headers}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.mark.parametrize("origins", ["", SITE, "*"])
@pytest.mark.parametrize("origin", [None, SITE, "https://other.example"])
@pytest.mark.parametrize("path", PATHS)
def test_it_is_the_applications_answer(metrics: Metrics, path: str, origins: str, origin: str | None) -> None:
    app = make_app(origins)
    given = {b"origin": origin.encode()} if origin else {}
    status, headers, body = Refusals(app, metrics, origins).answer(*BUSY, "POST", path, given, b'{"text": "x"}')
    expected = app.test_client().post(path, json={"text": "x"}, headers={"Origin": origin} if origin else {})
    assert (status, json.loads(body)) == (expected.status_code, expected.json)
    framing = {"Content-Length", "X-Request-ID"}
    assert {name: value for name, value in read(headers).items() if name not in framing} == {
        name: value for name, value in expected.headers.items() if name not in framing
    }
    assert int(read(headers)["Content-Length"]) == len(body)


JSON = {b"content-type": b"application/json; charset=utf-8"}
TEI_BUSY = {"error": BUSY[2], "error_type": "Overloaded"}
JINA_BUSY = {"message": BUSY[2], "detail": BUSY[2]}
OURS_BUSY = {"error": {"type": BUSY[1], "message": BUSY[2]}}


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/predict", {"inputs": ["x"]}, (429, TEI_BUSY)),
        ("/predict", {"text": '"inputs"'}, (503, OURS_BUSY)),
        ("/rerank", {"query": "x", "documents": ["x" * 50_000], "model": "m"}, (503, JINA_BUSY)),
        ("/rerank", {"query": "x", "documents": ["x"]}, (503, OURS_BUSY)),
        ("/rerank", {"query": "x", "texts": ["x"], "model": "m"}, (429, TEI_BUSY)),
        ("/tei/rerank/rerank", {}, (429, TEI_BUSY)),
        ("/", {"inputs": "x"}, (429, TEI_BUSY)),
        ("/v1/rerank", {}, (503, JINA_BUSY)),
        ("/v2/rerank", {}, (503, {"message": BUSY[2]})),
    ],
)
def test_a_body_gets_its_services_shape_and_status(metrics: Metrics, path: str, body: dict, expected: tuple) -> None:
    status, _, answer = Refusals(make_app(""), metrics, "").answer(*BUSY, "POST", path, JSON, json.dumps(body).encode())
    assert (status, json.loads(answer)) == expected


def test_a_form_at_the_root_is_the_pages(metrics: Metrics) -> None:
    form = {b"content-type": b"application/x-www-form-urlencoded"}
    status, _, answer = Refusals(make_app(""), metrics, "").answer(*BUSY, "POST", "/", form, b"text=x")
    assert (status, json.loads(answer)) == (503, OURS_BUSY)


def test_each_has_an_id_of_its_own_or_the_callers(metrics: Metrics) -> None:
    refusals = Refusals(make_app(""), metrics, "")
    given = [{}, {}, {b"x-request-id": b"mine-1"}, {b"x-request-id": b"not one"}]
    ids = [read(refusals.answer(*BUSY, "GET", "/", each, b"")[1])["X-Request-ID"] for each in given]
    assert ids[2] == "mine-1"
    assert len(set(ids)) == 4
    assert "not one" not in ids


def test_each_is_counted_by_route_method_status_and_reason(metrics: Metrics) -> None:
    refusals = Refusals(make_app(""), metrics, "")
    for method, path in (("POST", "/predict"), ("BREW", "/predict"), ("GET", "/%00secret")):
        refusals.answer(408, "request_timeout", "slow", method, path, {}, b"")
    for _ in range(2):
        refusals.unreadable(408)
    counts = {
        (s.labels["route"], s.labels["method"], s.labels["status"]): s.value
        for s in next(iter(metrics.requests.collect())).samples
        if s.name.endswith("_total")
    }
    assert counts == {
        ("/predict", "POST", "408"): 1,
        ("/predict", "other", "408"): 1,
        ("unmatched", "GET", "408"): 1,
    } | {("unmatched", "other", "408"): 2}
    assert metrics.registry.get_sample_value("structbert_refusals_total", {"reason": "request_timeout"}) == 5
