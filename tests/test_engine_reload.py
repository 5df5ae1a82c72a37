"""Changed models are swapped while the old ones are in use."""

import shutil
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app import create_app
from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidModel, NotReady, TaskNotAvailable
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings
from tests.steered_model import SteeredModel
from tests.tiny_models import make_cross, make_siamese, table


def soon() -> RequestContext:
    return RequestContext.within(30)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    make_siamese(tmp_path / "similarity")
    make_cross(tmp_path / "rerank", "rerank", table(1))
    return tmp_path


def change(models: Path) -> None:
    shutil.rmtree(models / "similarity")
    make_siamese(models / "similarity", ("u", "v"))


def test_only_what_changed_is_loaded(models: Path) -> None:
    engine = Engine(Settings(models=models))
    before = engine.runners
    assert engine.reload() == []
    assert engine.runners == before
    change(models)
    assert engine.reload() == ["similarity"]
    assert engine.runners["rerank"] is before["rerank"]
    assert engine.runners["similarity"] is not before["similarity"]
    assert engine.predict("rerank", ["好"], soon(), query="好")
    assert engine.predict("similarity", [("好", "坏")], soon())
    engine.close()


def test_a_call_under_way_finishes_on_the_old_model(models: Path) -> None:
    engine = Engine(Settings(models=models, cache_mb=0), load_model=SteeredModel.load)
    old = engine.runners["similarity"]
    entered, go_on = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        entered.set()
        go_on.wait(30)

    old.model.before = hold
    with ThreadPoolExecutor(2) as pool:
        under_way = pool.submit(engine.predict, "embedding", ["好"], soon())
        assert entered.wait(10)
        change(models)
        reloading = pool.submit(engine.reload)
        while engine.runners["similarity"] is old:
            time.sleep(0.01)
        assert engine.predict("embedding", ["新来的"], soon())  # by the new one
        assert not reloading.done()
        go_on.set()
        assert under_way.result()
        assert reloading.result() == ["similarity"]
    with pytest.raises(NotReady):
        old.probe(soon())  # closed
    engine.close()


def test_the_old_model_leaves_the_memory(models: Path) -> None:
    engine = Engine(Settings(models=models))
    kept, replaced = (weakref.ref(engine.runners[name]) for name in ("rerank", "similarity"))
    change(models)
    engine.reload()
    assert replaced() is None
    assert kept() is engine.runners["rerank"]
    engine.close()


def test_a_refused_reload_changes_nothing(models: Path) -> None:
    engine = Engine(Settings(models=models))
    before = engine.runners
    change(models)
    (models / "rerank" / "model.onnx").write_bytes(b"torn")
    with pytest.raises(InvalidModel, match=r"rerank.*model\.onnx"):
        engine.reload()
    assert engine.runners == before
    engine.ping()
    assert engine.predict("similarity", [("好", "坏")], soon())
    engine.close()


def test_a_task_goes_with_its_folder(models: Path) -> None:
    engine = Engine(Settings(models=models))
    shutil.rmtree(models / "rerank")
    assert engine.reload() == []
    with pytest.raises(TaskNotAvailable):
        engine.predict("rerank", ["好"], soon(), query="好")
    engine.close()


def test_lazy_models_stay_unloaded_and_a_refused_one_gets_another_chance(models: Path) -> None:
    engine = Engine(Settings(models=models, load="lazy"))
    good = (models / "rerank" / "model.onnx").read_bytes()
    (models / "rerank" / "model.onnx").write_bytes(b"torn")
    with pytest.raises(InvalidModel):
        engine.predict("rerank", ["好"], soon(), query="好")
    (models / "rerank" / "model.onnx").write_bytes(good)
    change(models)
    assert engine.reload() == []
    assert engine.runners == {}
    assert engine.predict("rerank", ["好"], soon(), query="好")
    engine.ping()
    engine.close()


def test_metrics_name_the_model_in_use(models: Path) -> None:
    app = create_app(Settings(models=models))
    engine = app.extensions["structbert_engine"]
    old = engine.manifest("embedding").digest
    change(models)
    shutil.rmtree(models / "rerank")
    engine.reload()
    text = app.test_client().get("/metrics").get_data(as_text=True)
    new = engine.manifest("embedding").digest
    assert f'structbert_model_info{{digest="{old}",model="similarity",task="embedding"}} 0.0' in text
    assert f'structbert_model_info{{digest="{new}",model="similarity",task="embedding"}} 1.0' in text
    assert 'structbert_model_loaded{model="similarity"} 1.0' in text
    assert 'structbert_model_loaded{model="rerank"} 0.0' in text
    engine.close()
