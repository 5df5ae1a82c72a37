"""Errors that need a server in trouble."""

from pathlib import Path

import pytest

from app import create_app
from structbert_lite import errors
from structbert_lite.settings import Settings
from structbert_lite.web.errors import STATUSES, status_of


def every_error(base: type[errors.StructBertError] = errors.StructBertError) -> list[type]:
    drawn = [child for child in base.__subclasses__() if child.__module__ == errors.__name__]  # not the exporter's own
    return [base] + [error for child in drawn for error in every_error(child)]


def test_every_error_that_a_request_can_meet_has_a_status() -> None:
    at_start = {errors.StructBertError, errors.ConfigurationError}
    ours = {kind for kind, _, _ in STATUSES if issubclass(kind, errors.StructBertError)}
    assert ours == set(every_error()) - at_start
    assert status_of(errors.TooManyItems("", "texts")) == (413, "payload_too_large")


def test_without_a_model_the_task_is_not_available(tmp_path: Path) -> None:
    client = create_app(Settings(models=tmp_path)).test_client()
    bodies = {
        "/predict": ("sentiment", {"text": "好"}),
        "/similarity": ("similarity", {"text_a": "好", "text_b": "坏"}),
        "/embed": ("embedding", {"texts": ["好"]}),
        "/classify": ("zero-shot", {"text": "好", "labels": ["好"]}),
        "/aspects": ("sentiment", {"text": "好"}),
        "/explain": ("sentiment", {"text": "好"}),
        "/rerank": ("rerank", {"query": "好", "documents": ["好"]}),
    }
    for route, (task, body) in bodies.items():
        answer = client.post(route, json=body)
        assert (answer.status_code, answer.get_json()["error"]["type"]) == (404, "task_not_available")
        assert f"python -m export --task {task}" in answer.get_json()["error"]["message"]
    assert client.get("/readyz").status_code == 503


def test_a_deadline_that_cannot_be_met_is_504() -> None:
    client = create_app(Settings(timeout_ms=1, threads=1)).test_client()
    answer = client.post("/predict_batch", json={"texts": [f"{'很长的一句话' * 80}{n}" for n in range(20)]})
    assert (answer.status_code, answer.get_json()["error"]["type"]) == (504, "deadline_exceeded")


@pytest.mark.parametrize("route", ["/readyz", "/health", "/predict"])
def test_a_closed_engine_is_not_ready(route: str) -> None:
    app = create_app(Settings(cache_mb=0))
    app.extensions["structbert_engine"].close()
    client = app.test_client()
    answer = client.post(route, json={"text": "好"}) if route == "/predict" else client.get(route)
    assert (answer.status_code, answer.get_json()["error"]["type"]) == (503, "not_ready")
    assert int(answer.headers["Retry-After"]) >= 1


def test_alive_does_not_mean_ready() -> None:
    app = create_app(Settings())
    app.extensions["structbert_engine"].close()
    assert app.test_client().get("/livez").status_code == 200
