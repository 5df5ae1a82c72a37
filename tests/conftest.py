"""Fixtures around the real default model, which is in the repository, and around tiny models of the other tasks."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck

from app import create_app
from structbert_lite.engine import Engine
from structbert_lite.settings import PROJECT, Settings
from tests.redis_server import RedisServer
from tests.tiny_models import make_all

# Before anything imports torch, and for the processes that tests start: threads of OpenMP that wait for one another
# in a loop were seen to make a test of five seconds one of four minutes where others used the cores, too.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# In CI the examples are the same every time: a rare find belongs to whoever looks for it, not to the next commit.
# An example may take any time on a busy machine, and fixtures are the same for all examples of a test.
hypothesis.settings.register_profile(
    "any machine",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("any machine")

MODEL = PROJECT / "models" / "sentiment"


@pytest.fixture(scope="session", autouse=True)
def prepacked_weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prepacked weights go to a folder of the tests, also those of servers that they start, never to the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("caches")))
        yield


@pytest.fixture(scope="session")
def model_folder() -> Path:
    return MODEL


@pytest.fixture(scope="session")
def app() -> Flask:
    return create_app(Settings(max_items=64, max_body_mb=1))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    engine = Engine(Settings())
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model for every task; only the sentiment model is a real one."""
    return make_all(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def tiny_engine(tiny_models: Path) -> Iterator[Engine]:
    engine = Engine(Settings(models=tiny_models, max_items=64))
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def tiny_app(tiny_models: Path) -> Flask:
    return create_app(Settings(models=tiny_models, max_items=64, max_body_mb=1))


@pytest.fixture
def tiny_client(tiny_app: Flask) -> FlaskClient:
    return tiny_app.test_client()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of its own, for a test that is going to be rough with it."""
    server = RedisServer(tmp_path)
    yield server
    server.kill()
