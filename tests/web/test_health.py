"""/livez and /readyz while the models load, fail and hang."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from structbert_lite.engine import Engine
from structbert_lite.inference.batcher import Entry
from structbert_lite.settings import Settings
from tests.steered_model import SteeredModel
from tests.tiny_models import make_siamese


class Trouble:
    """What comes before an inference; while it is told to, it fails or waits."""

    def __init__(self) -> None:
        self.fails = False
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, _: object) -> None:
        self.go_on.wait(30)
        if self.fails:
            raise RuntimeError("the model is broken")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    make_siamese(tmp_path / "similarity")
    return tmp_path


@pytest.fixture
def app(models: Path) -> Iterator[Flask]:
    settings = Settings(models=models, cache_mb=0, threads=1, stuck_seconds=1)
    app = create_app(settings, load_model=SteeredModel.load)
    yield app
    app.extensions["structbert_engine"].close()


@pytest.fixture
def engine(app: Flask) -> Engine:
    return app.extensions["structbert_engine"]


@pytest.fixture
def trouble(engine: Engine) -> Trouble:
    trouble = Trouble()
    engine.runners["similarity"].model.before = trouble
    return trouble


def asked(client: FlaskClient, path: str) -> tuple[int, str]:
    """Status, and the error's type or the status' name."""
    answer = client.get(path)
    body = answer.get_json()
    if answer.status_code == 503:
        assert int(answer.headers["Retry-After"]) >= 1
    return answer.status_code, body["error"]["type"] if "error" in body else body["status"]


def test_while_models_load_it_is_alive_and_not_ready(models: Path) -> None:
    app = create_app(Settings(models=models), wait=False)
    client = app.test_client()
    assert asked(client, "/livez") == (200, "alive")
    assert asked(client, "/readyz") == asked(client, "/health") == (503, "not_ready")
    answer = client.post("/embed", json={"texts": ["好"]})
    assert (answer.status_code, answer.get_json()["error"]["type"]) == (503, "not_ready")
    assert answer.headers["Retry-After"]
    assert client.post("/rerank", json={"query": "好", "documents": ["好"]}).status_code == 404  # no model of it
    assert client.get("/models").get_json()["models"][0]["loaded"] is False
    app.extensions["structbert_engine"].load()
    assert asked(client, "/readyz") == (200, "ready")
    assert client.post("/embed", json={"texts": ["好"]}).status_code == 200


def test_draining_is_alive_not_ready_and_answers(app: Flask, engine: Engine) -> None:
    client = app.test_client()
    engine.drain()
    assert asked(client, "/livez") == (200, "alive")
    assert asked(client, "/readyz") == (503, "not_ready")
    assert client.post("/embed", json={"texts": ["好"]}).status_code == 200


def test_not_ready_from_a_failed_inference_until_one_works(app: Flask, trouble: Trouble) -> None:
    client = app.test_client()
    trouble.fails = True
    assert client.post("/embed", json={"texts": ["好"]}).status_code == 500
    assert asked(client, "/readyz") == (503, "not_ready")
    assert "similarity" in client.get("/readyz").get_json()["error"]["message"]
    assert asked(client, "/livez") == (200, "alive")
    trouble.fails = False
    assert asked(client, "/readyz") == (200, "ready")


def test_stuck_while_one_run_takes_too_long(app: Flask, trouble: Trouble) -> None:
    client = app.test_client()
    trouble.go_on.clear()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(app.test_client().post, "/embed", json={"texts": ["好"]})
        assert asked(client, "/livez") == (200, "alive")
        limit = time.monotonic() + 20
        while asked(client, "/livez") == (200, "alive"):
            assert time.monotonic() < limit
            time.sleep(0.05)
        assert asked(client, "/livez") == asked(client, "/readyz") == (503, "stuck")
        trouble.go_on.set()
        assert waiting.result().status_code == 200
    assert asked(client, "/livez") == (200, "alive")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_stuck_when_a_thread_is_gone(app: Flask, engine: Engine) -> None:
    runner = engine.runners["similarity"]
    batcher = runner.batcher
    batcher.add([Entry(runner.model.short_input(), time.monotonic() + 10, on_done=lambda _: 1 / 0)])
    limit = time.monotonic() + 10
    while not batcher.lost_a_worker:
        assert time.monotonic() < limit
        time.sleep(0.01)
    assert asked(app.test_client(), "/livez") == asked(app.test_client(), "/readyz") == (503, "stuck")
