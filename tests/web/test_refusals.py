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
PATHS = ("/predict", "/v1/embeddings", "/v1/rerank", "/v2/rerank", "/info", "/nowhere")


def make_app(origins: str) -> Flask:
    app = Flask(__name__)
    observe_requests(app, RequestTelemetry(Metrics()))
    register_hooks(app)
    enable_cors(app, origins)
    app.before_request(lambda: error_response(503, "overloaded", "the server is busy, try again later"))
    for path in PATHS[:-1]:
        app.add_url_rule(path, path, lambda: "", methods=["POST"])
    return app


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def head_of(path: str, origin: str | None) -> bytes:
    fields = f"POST {path} HTTP/1.1\r\nHost: x\r\n" + (f"oRigin: {origin}\r\n" if origin else "")
    return fields.encode()


@pytest.mark.parametrize("origins", ["", SITE, "*"])
@pytest.mark.parametrize("origin", [None, SITE, "https://other.example"])
@pytest.mark.parametrize("path", PATHS)
def test_it_is_the_applications_answer(metrics: Metrics, path: str, origins: str, origin: str | None) -> None:
    app = make_app(origins)
    body, headers = Refusals(app, metrics, origins).answer(
        head_of(path, origin), b'{"text": "x"}', 503, "overloaded", "the server is busy, try again later"
    )
    expected = app.test_client().post(path, json={"text": "x"}, headers={"Origin": origin} if origin else {})
    assert json.loads(body) == expected.json
    framing = {"Content-Type", "Content-Length", "X-Request-ID"}  # which the worker writes (front/answers.py)
    assert dict(headers) == {name: value for name, value in expected.headers.items() if name not in framing}


def test_a_body_of_tei_gets_its_shape(metrics: Metrics) -> None:
    refusals = Refusals(make_app(""), metrics, "")
    body, _ = refusals.answer(head_of("/predict", None), b'{"inputs": ["x"]}', 503, "overloaded", "busy")
    assert json.loads(body) == {"error": "busy", "error_type": "Overloaded"}


def test_each_is_counted_by_route_method_status_and_reason(metrics: Metrics) -> None:
    refusals = Refusals(make_app(""), metrics, "")
    for head in (
        b"POST /predict?x=1 HTTP/1.1\r\n",
        b"BREW /predict HTTP/1.1\r\n",
        b"GET /%00secret HTTP/1.1\r\n",
        b"",
        b"\xff\xfe /predict",
    ):
        refusals.answer(head, b"", 408, "request_timeout", "slow")
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
