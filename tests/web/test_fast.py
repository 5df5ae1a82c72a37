"""The fast routes beside Flask, where a second request would not be the same: what is counted, logged and limited.

That the answers are the same bytes is held by every other test here, whose requests go both ways (both_ways.py).
"""

import contextlib
import json
import logging
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app import create_app
from structbert_lite.settings import Settings
from structbert_lite.telemetry import traces
from structbert_lite.web.api import ROUTES
from structbert_lite.web.fast import PATHS
from tests.web.both_ways import ask_fast, plain, read_fast

SITE = "https://shop.example"
KEY = {"Authorization": "Bearer secret"}
REQUESTS: list[tuple[str, Any, dict[str, str]]] = [
    ("/predict", {"text": "好"}, KEY),
    ("/predict", {"text": "好"}, KEY | {"X-Request-ID": "mine-1"}),
    ("/predict", {"inputs": "好"}, {"X-API-Key": "secret"}),
    ("/predict_batch", {"texts": ["好", "坏", "好"]}, KEY),
    ("/similarity", {"pairs": [["好", "坏"], ["坏", "好"]]}, KEY | {"Origin": SITE}),
    ("/embed", {"texts": ["好"]}, KEY | {"Origin": "https://other.example"}),
    ("/classify", {"text": "好", "labels": ["好", "坏"]}, KEY),
    ("/rerank", {"query": "好", "texts": ["好", "坏"]}, KEY),
    ("/v1/embeddings", {"input": ["好", "坏"], "encoding_format": "base64"}, KEY),
    ("/v1/rerank", {"query": "好", "documents": ["好", "坏"]}, KEY),
    ("/predict", {"text": "好"}, {}),
    ("/v1/embeddings", {"input": "好"}, {"Authorization": "Bearer wrong", "Origin": SITE}),
    ("/predict", {"text": "好"}, {"Authorization": "Basic dTpzZWNyZXQ="}),
    ("/predict", {"text": "好"}, KEY | {"Host": "elsewhere.example"}),
    ("/predict", {"text": "好"}, KEY | {"Host": "127.0.0.1:8000"}),
    ("/predict", {"text": 3}, KEY),
    ("/predict", {"inputs": []}, KEY),
    ("/predict", [], KEY),
    ("/predict", None, KEY),
    ("/predict_batch", {"texts": ["好"] * 65}, KEY),
    ("/predict", {"text": "好"}, KEY | {"X-Request-Timeout-Ms": "soon"}),
]
COUNTED = re.compile(
    r"structbert_(http_requests|refusals|items|cache_hits|cache_misses)_total|structbert_http_requests_in_flight"
    r"|structbert_http_request_(duration|wait)_seconds_count"
)


def make_app(models: Path, **settings: Any) -> Flask:
    return create_app(Settings(models=models, load="lazy", max_items=64, max_body_mb=1, **settings))


@pytest.fixture(scope="module")
def two(tiny_models: Path) -> tuple[Flask, Flask]:
    settings = {"api_keys": "secret", "cors_origins": SITE, "allowed_hosts": "localhost"}
    return make_app(tiny_models, **settings), make_app(tiny_models, **settings)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    """What the access log says of each request, without what no two requests have in common."""
    found: list[dict[str, Any]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            facts = dict(record.facts)
            assert facts.pop("duration_ms") >= 0
            assert re.fullmatch("mine-1|[0-9a-f]{32}", facts.pop("request_id"))
            found.append({"level": record.levelname, "message": record.getMessage()} | facts)

    handler, log = Keep(), logging.getLogger("structbert_lite.access")
    log.addHandler(handler)
    with caplog.at_level(logging.INFO, "structbert_lite.access"):
        yield found
    log.removeHandler(handler)


def environ_of(path: str, body: Any, headers: dict[str, str], **base: Any) -> tuple[dict[str, Any], bytes]:
    data = b"{" if body is None else json.dumps(body).encode()
    base = {"REMOTE_ADDR": "192.0.2.1", "structbert.arrived": time.monotonic()} | base
    builder = EnvironBuilder(path=path, method="POST", data=data, content_type="application/json", environ_base=base)
    builder.headers.extend(headers)
    return builder.get_environ(), data


def ask_flask(app: Flask, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
    data, status, headers = run_wsgi_app(app, environ, buffered=True)
    return int(status[:3]), list(headers), b"".join(data)


def ask_both(one: Flask, other: Flask, path: str, body: Any, headers: dict[str, str]) -> int:
    """The status that both the first, by Flask, and the second, by its fast route, answer with."""
    expected = ask_flask(one, environ_of(path, body, headers)[0])
    answer = ask_fast(other.extensions["structbert_fast"], *environ_of(path, body, headers))
    assert answer is not None
    assert plain(*answer) == plain(*expected)
    return expected[0]


def counts(app: Flask) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = FlaskClient(app, app.response_class).get("/metrics", headers=KEY).get_data(as_text=True)
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    # What this very question counts.
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for sample in samples
        if COUNTED.fullmatch(sample.name) and sample.labels.get("route") != "/metrics"
    }


def test_every_fast_path_is_a_route() -> None:
    assert {route.path for route in ROUTES} >= PATHS


def test_metrics_and_log_lines_are_the_same(two: tuple[Flask, Flask], lines: list[dict[str, Any]]) -> None:
    statuses = [ask_both(*two, *request) for request in REQUESTS]
    assert set(statuses) == {200, 400, 401, 413, 421, 422}
    assert lines[::2] == lines[1::2]
    assert [line["status"] for line in lines[::2]] == statuses
    assert counts(two[0]) == counts(two[1])
    assert counts(two[0])["structbert_http_requests_in_flight", ()] == 1  # the one that asks


def test_quotas_are_kept_by_address_behind_proxies_and_by_key(tiny_models: Path) -> None:
    behind = [make_app(tiny_models, rate_limit="2/day", trusted_proxies=1) for _ in range(2)]
    addresses = ["203.0.113.5"] * 3 + ["203.0.113.6", "203.0.113.6, 203.0.113.5", "2001:db8::1", "2001:db8::2", "x"]
    statuses = [ask_both(*behind, "/predict", {"text": "好"}, {"X-Forwarded-For": address}) for address in addresses]
    assert statuses == [200, 200, 429, 200, 429, 200, 200, 200]
    keyed = [make_app(tiny_models, rate_limit="2/day", api_keys="secret,other") for _ in range(2)]
    keys = ["secret", "secret", "secret", "other"]
    statuses = [ask_both(*keyed, "/rerank", {"query": "好", "texts": ["好"]}, {"X-API-Key": key}) for key in keys]
    assert statuses == [200, 200, 429, 200]


def test_spans_are_the_same(tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(traces, "otlp_provider", lambda: provider)
    two = [make_app(tiny_models, traces="otlp") for _ in range(2)]
    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    assert ask_both(*two, "/predict", {"text": "好"}, headers) == 200
    assert ask_both(*two, "/predict", {"text": ""}, headers) == 422
    spans = [
        (span.name, span.kind, dict(span.attributes), span.status.status_code, span.context.trace_id)
        for span in exporter.get_finished_spans()
    ]
    assert [name for name, *_ in spans[:4]] == ["tokenize", "queue", "inference", "POST /predict"]
    assert spans[:4] == spans[4:8]
    assert spans[8] == spans[9]
    assert {trace for *_, trace in spans} == {0x0AF7651916CD43DD8448EB211C80319C}


def test_an_unexpected_error_is_logged_without_its_message(tiny_models: Path, caplog: pytest.LogCaptureFixture) -> None:
    two = [make_app(tiny_models) for _ in range(2)]

    def fail(*_: object, **__: object) -> None:
        raise KeyError("只有我知道的暗号")

    for app in two:
        app.extensions["structbert_engine"].predict = fail
    assert ask_both(*two, "/predict", {"text": "好"}, {"X-Request-ID": "mine-1"}) == 500
    failures = [record for record in caplog.records if record.name == "structbert_lite.web.errors"]
    assert [record.getMessage() for record in failures] == ["request mine-1 failed"] * 2


def test_who_has_gone_and_what_is_late_gets_no_work_done(two: tuple[Flask, Flask]) -> None:
    fast = two[1].extensions["structbert_fast"]
    _, body = environ_of("/predict", {"text": "没有人在等这一句"}, KEY)
    headers = [(b"content-type", b"application/json"), (b"authorization", b"Bearer secret")]
    now = time.monotonic()
    for arrived, has_left, status in ((now, lambda: True, 499), (now - 100, bool, 504), (now, bool, 200)):
        request = fast.read("POST", "/predict", headers, body, arrived, "192.0.2.1", has_left)
        assert fast.answer_from_memory(request) is None
        assert fast.answer(request)[0] == status


@pytest.mark.parametrize(
    ("method", "path", "headers", "size"),
    [
        ("GET", "/predict", {}, 0),
        ("OPTIONS", "/predict", {}, 0),
        ("POST", "/", {}, 2),
        ("POST", "/v2/rerank", {}, 2),
        ("POST", "/predict/", {}, 2),
        ("POST", "/predict", {"content-type": "application/x-www-form-urlencoded"}, 2),
        ("POST", "/predict", {"content-type": ""}, 2),
        ("POST", "/predict", {"content-encoding": "gzip"}, 2),
        ("POST", "/predict", {"content-length": "3"}, 2),
        ("POST", "/predict", {"Host": "a"}, (1 << 20) + 1),
    ],
)
def test_what_is_unusual_is_left_to_flask(
    two: tuple[Flask, Flask], method: str, path: str, headers: dict[str, str], size: int
) -> None:
    given = {"content-type": "application/json"} | headers
    pairs = [(name.encode(), value.encode()) for name, value in given.items()]
    fast, body = two[1].extensions["structbert_fast"], b"{}".ljust(size)
    assert fast.read(method, path, pairs, body, time.monotonic(), "192.0.2.1", bool) is None


def test_a_header_that_comes_twice_is_left_to_flask(two: tuple[Flask, Flask]) -> None:
    pairs = [(b"content-type", b"application/json"), (b"x-api-key", b"a"), (b"x-api-key", b"b")]
    fast = two[1].extensions["structbert_fast"]
    assert fast.read("POST", "/predict", pairs, b"{}", time.monotonic(), "192.0.2.1", bool) is None


REMEMBERED = [
    ("/predict", {"text": "好"}),
    ("/predict", {"inputs": "好"}),
    ("/predict_batch", {"texts": ["好", "坏", "好"]}),
    ("/similarity", {"text_a": "好", "text_b": "坏"}),
    ("/similarity", {"text_a": "好", "text_b": "好"}),
    ("/embed", {"texts": ["好"]}),
    ("/classify", {"text": "好", "labels": ["好", "坏"]}),
    ("/rerank", {"query": "好", "texts": ["好", "坏"]}),
    ("/v1/embeddings", {"input": ["好", "坏"]}),
    ("/v1/rerank", {"query": "好", "documents": ["好", "坏"]}),
]


@pytest.mark.parametrize("quota", ["", "1000/second"])
def test_what_memory_has_is_answered_without_a_thread_and_counted_as_ever(
    tiny_models: Path, lines: list[dict[str, Any]], quota: str
) -> None:
    one, other = (make_app(tiny_models, api_keys="secret", rate_limit=quota) for _ in range(2))
    fast = other.extensions["structbert_fast"]
    for path, body in REMEMBERED:
        expected = ask_flask(one, environ_of(path, body, KEY)[0])
        request = read_fast(fast, *environ_of(path, body, KEY))
        while (answer := fast.answer_from_memory(request)) is None:
            assert fast.answer(request)[0] == 200
            ask_flask(one, environ_of(path, body, KEY)[0])
        assert plain(*answer) == plain(*expected)
    counted = sorted(lines, key=lambda line: (line["route"], line["items"]))
    assert counted[::2] == counted[1::2]
    assert counts(one) == counts(other)


def test_what_is_refused_or_new_is_left_to_a_thread_and_counted_once(
    two: tuple[Flask, Flask], lines: list[dict[str, Any]]
) -> None:
    fast, before = two[1].extensions["structbert_fast"], counts(two[1])
    for path, body, headers in [
        ("/predict", {"text": "这一句是新的"}, KEY),
        ("/predict", {"text": "好"}, {"Authorization": "Bearer wrong"}),
        ("/predict", {"text": "好"}, KEY | {"Host": "elsewhere.example"}),
        ("/predict", {"text": 3}, KEY),
        ("/predict", None, KEY),
        ("/predict", {"text": "好" * 2000}, KEY),
        ("/predict_batch", {"texts": ["好"] * 17}, KEY),
    ]:
        assert fast.answer_from_memory(read_fast(fast, *environ_of(path, body, headers))) is None
    assert counts(two[1]) == before
    assert not lines


def test_a_quota_is_kept_by_what_memory_answers(tiny_models: Path) -> None:
    app = make_app(tiny_models, rate_limit="3/day")
    fast = app.extensions["structbert_fast"]
    request = read_fast(fast, *environ_of("/predict", {"text": "好"}, {}))
    assert fast.answer(request)[0] == 200
    assert [fast.answer_from_memory(request)[0] for _ in range(3)] == [200, 200, 429]


def test_an_event_loop_never_waits_for_who_reads_the_log(two: tuple[Flask, Flask]) -> None:
    fast = two[1].extensions["structbert_fast"]
    request = read_fast(fast, *environ_of("/predict", {"text": "好"}, KEY))
    assert fast.answer(request)[0] == 200
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    log, fast._log = fast._log, writing
    try:
        assert fast.answer_from_memory(request)[0] == 200
        with contextlib.suppress(BlockingIOError):
            while os.write(writing, b"x" * 4096):
                pass
        assert fast.answer_from_memory(request) is None
    finally:
        fast._log = log
        os.close(reading)
        os.close(writing)
