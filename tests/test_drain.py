"""Start and stop under load: what the probes say, and what becomes of every request."""

import signal
import time
from pathlib import Path

import pytest

from tests.running import Crowd, run
from tests.tiny_models import make_siamese, write_manifest


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make_siamese(folder / "similarity")
    return folder


def test_alive_before_it_is_ready(model_folder: Path, tmp_path: Path) -> None:
    with run(model_folder.parent, tmp_path / "log") as server:
        seen = []
        while not seen or seen[-1][1] != 200:
            seen.append((server.get("/livez")[0], server.get("/readyz")[0]))
            assert server.process.poll() is None, server.log
        assert (200, 503) in seen
        assert {alive for alive, _ in seen} <= {0, 200}


def test_sigterm_under_load_loses_nothing(models: Path, tmp_path: Path) -> None:
    with run(models, tmp_path / "log", drain_seconds=1) as server:
        server.wait_until_ready()
        crowd = Crowd(server.port, "/embed", "texts", keep_alive=6, one_shot=6)
        with crowd.asking():
            crowd.wait_for_answers(300)
            server.send(signal.SIGTERM)
            told = time.monotonic()
            server.wait_for(lambda: server.get("/readyz")[0] == 503)
            assert server.get("/livez")[0] == 200
            crowd.wait_for_answers(20)  # not ready, and still answering
            assert server.process.wait(1 + 25) == 0
        assert crowd.lost == []
        assert set(crowd.answers) == {200}
        assert crowd.refused == 12
        assert crowd.last_answer - told > 0.9


@pytest.mark.parametrize("_", range(3))
def test_without_a_drain_nothing_is_lost_either(models: Path, tmp_path: Path, _: int) -> None:
    with run(models, tmp_path / "log", drain_seconds=0) as server:
        server.wait_until_ready()
        crowd = Crowd(server.port, "/embed", "texts", keep_alive=2, one_shot=14)
        with crowd.asking():
            crowd.wait_for_answers(100)
            server.send(signal.SIGTERM)
            assert server.process.wait(25) == 0
        assert crowd.lost == []
        assert set(crowd.answers) == {200}
        assert crowd.refused == 16


def test_a_request_of_a_second_outlives_the_port(model_folder: Path, tmp_path: Path) -> None:
    """Long work that was accepted is finished after the drain."""
    models = tmp_path / "models"
    models.mkdir()
    (models / "sentiment").symlink_to(model_folder)
    with run(models, tmp_path / "log", drain_seconds=0, threads=1, cache_mb=0) as server:
        server.wait_until_ready()
        crowd = Crowd(server.port, "/predict_batch", "texts", keep_alive=0, one_shot=8, items=100)
        with crowd.asking():
            crowd.wait_for_answers(1)
            server.send(signal.SIGTERM)
            assert server.process.wait(25) == 0
        assert (crowd.lost, set(crowd.answers), crowd.refused) == ([], {200}, 8)


def test_a_model_that_only_loading_finds_out_stops_the_start(tmp_path: Path) -> None:
    make_siamese(tmp_path / "models" / "similarity")
    (tmp_path / "models" / "similarity" / "model.onnx").write_bytes(b"no graph")
    facts = {"kind": "encoder", "pooling": "mean", "dimensions": 8}
    write_manifest(tmp_path / "models" / "similarity", "embedding", **facts)
    with run(tmp_path / "models", tmp_path / "log") as server:
        assert server.process.wait(60) == 3
        assert "the start is refused: " in server.log
        assert "model.onnx cannot be loaded" in server.log
        assert "Traceback" not in server.log
