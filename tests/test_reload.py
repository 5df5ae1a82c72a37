"""SIGHUP: changed models are taken up under load, damaged ones are refused."""

import shutil
import signal
from pathlib import Path

import pytest

from tests.running import Crowd, Running, run
from tests.tiny_models import make_cross, make_siamese, table


def digest(server: Running, task: str = "embedding") -> str:
    return next(model["digest"] for model in server.get("/models")[1]["models"] if model["task"] == task)


def replace(models: Path, name: str, new: Path) -> None:
    """As a person should do it: the new folder is complete before it gets the name."""
    (models / name).rename(models / f".{name}-old")
    new.rename(models / name)
    shutil.rmtree(models / f".{name}-old")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    make_siamese(tmp_path / "models" / "similarity")
    return tmp_path / "models"


def test_a_replaced_model_is_taken_up_without_a_failed_request(models: Path, tmp_path: Path) -> None:
    with run(models, tmp_path / "log") as server:
        server.wait_until_ready()
        before = digest(server)
        crowd = Crowd(server.port, "/embed", "texts", keep_alive=4, one_shot=4)
        with crowd.asking():
            for turn, features in enumerate([("u", "v"), ("u", "v", "product")], 1):
                crowd.wait_for_answers(100)
                make_siamese(tmp_path / "new" / "similarity", features)
                replace(models, "similarity", tmp_path / "new" / "similarity")
                server.send(signal.SIGHUP)
                server.wait_for(lambda turn=turn: server.log.count("reloaded the models: similarity") == turn)
            crowd.wait_for_answers(100)
        assert digest(server) != before
        assert crowd.lost == []
        assert crowd.refused == 0
        assert set(crowd.answers) == {200}
        assert server.log.count("Booting worker") == 1


def test_a_damaged_replacement_is_refused_and_the_old_model_serves(models: Path, tmp_path: Path) -> None:
    with run(models, tmp_path / "log") as server:
        server.wait_until_ready()
        before = digest(server)
        crowd = Crowd(server.port, "/embed", "texts", keep_alive=2, one_shot=2)
        with crowd.asking():
            make_siamese(tmp_path / "new" / "similarity", ("u", "v"))
            (tmp_path / "new" / "similarity" / "matcher.npz").write_bytes(b"torn")
            replace(models, "similarity", tmp_path / "new" / "similarity")
            server.send(signal.SIGHUP)
            server.wait_for_log("reload of the models refused, what is in use goes on")
            crowd.wait_for_answers(50)
        assert "matcher.npz" in server.log
        assert (crowd.lost, set(crowd.answers)) == ([], {200})
        assert digest(server) == before
        assert server.get("/readyz")[0] == 200

        shutil.rmtree(models / "similarity")  # and a good one is taken up afterwards
        make_siamese(models / "similarity", ("u", "v"))
        server.send(signal.SIGHUP)
        server.wait_for_log("reloaded the models: similarity")
        assert digest(server) != before


def test_a_task_that_comes_is_served(models: Path, tmp_path: Path) -> None:
    with run(models, tmp_path / "log") as server:
        server.wait_until_ready()
        make_cross(models / "rerank", "rerank", table(1))
        server.send(signal.SIGHUP)
        server.wait_for_log("reloaded the models: rerank")  # and similarity was not loaded again
        assert {model["task"] for model in server.get("/models")[1]["models"]} == {"similarity", "embedding", "rerank"}
        server.send(signal.SIGHUP)
        server.wait_for_log("reloaded the models: nothing has changed")
