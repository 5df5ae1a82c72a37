import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from structbert_lite.engine import Engine
from structbert_lite.errors import (
    DeadlineExceeded,
    InvalidInput,
    InvalidModel,
    NotReady,
    TaskNotAvailable,
    TooManyItems,
)
from structbert_lite.registry import Lazy
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings
from tests.tiny_models import make_cross, make_siamese, table


def soon() -> RequestContext:
    return RequestContext.within(30)


def test_predicts_in_order(engine: Engine) -> None:
    texts = ["这部电影太烂了，完全浪费时间", "物流很快，包装也很好，非常满意"]
    assert [r.label for r in engine.predict("sentiment", texts, soon())] == ["Negative", "Positive"]
    assert [r.label for r in engine.predict("sentiment", texts[::-1], soon())] == ["Positive", "Negative"]


def test_too_many_texts_are_refused_with_the_limit() -> None:
    with pytest.raises(TooManyItems, match="the limit is 2"):
        Engine(Settings(max_items=2)).predict("sentiment", ["好"] * 3, soon())


def test_a_blank_text_is_refused_by_its_place(engine: Engine) -> None:
    with pytest.raises(InvalidInput) as caught:
        engine.predict("sentiment", ["好", " \n\t"], soon())
    assert caught.value.field == "texts[1]"


def test_without_a_model_the_message_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(TaskNotAvailable, match="python -m export --task sentiment"):
        Engine(Settings(models=tmp_path)).predict("sentiment", ["好"], soon())


def test_health_while_serving_draining_and_closed() -> None:
    engine = Engine(Settings())
    engine.ping()
    engine.drain()
    with pytest.raises(NotReady):
        engine.ping()
    assert engine.predict("sentiment", ["好"], soon())  # draining still answers
    engine.close()
    with pytest.raises(NotReady):
        engine.predict("sentiment", ["坏"], soon())


def test_a_model_of_two_tasks_is_loaded_once(tiny_engine: Engine) -> None:
    assert set(tiny_engine.runners) == {"sentiment", "similarity", "zero-shot", "rerank"}
    assert tiny_engine.names["embedding"] == tiny_engine.names["similarity"] == "similarity"
    rows = tiny_engine.runners["similarity"].batcher.counts.rows
    tiny_engine.predict("similarity", [("两个任务用一个模型", "一个模型做两件事")], soon())
    tiny_engine.predict("embedding", ["一个模型做两件事", "两个任务用一个模型"], soon())
    assert tiny_engine.runners["similarity"].batcher.counts.rows - rows == 2


def test_lazy_loads_a_model_at_its_first_request_and_once(tiny_models: Path) -> None:
    engine = Engine(Settings(models=tiny_models, load="lazy"))
    assert engine.runners == {}
    engine.ping()
    assert engine.manifest("rerank").name == "rerank"
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(engine.predict, "embedding", [f"第{n}句"], soon()) for n in range(8)]
        assert all(future.result() for future in asked)
    assert set(engine.runners) == {"similarity"}
    assert (
        engine.runners["similarity"].batcher.counts.rows <= 8 + 1
    )  # and the warm-up: loaded twice, it would start anew
    engine.ping()
    engine.close()
    with pytest.raises(NotReady):
        engine.predict("rerank", ["好"], soon(), query="好")
    assert set(engine.runners) == {"similarity"}


def test_lazy_still_checks_digests_at_the_start(tmp_path: Path) -> None:
    make_siamese(tmp_path / "similarity")
    (tmp_path / "similarity" / "matcher.npz").write_bytes(b"nothing")
    with pytest.raises(InvalidModel, match=r"matcher\.npz"):
        Engine(Settings(models=tmp_path, load="lazy"))


def test_a_model_damaged_after_a_lazy_start_is_refused_and_told(tmp_path: Path) -> None:
    make_siamese(tmp_path / "similarity", also_serves=[])
    make_cross(tmp_path / "rerank", "rerank", table(1))
    engine = Engine(Settings(models=tmp_path, load="lazy"))
    (tmp_path / "rerank" / "model.onnx").unlink()
    for _ in range(2):
        with pytest.raises(InvalidModel, match=r"model\.onnx cannot be read"):
            engine.predict("rerank", ["好"], soon(), query="好")
        with pytest.raises(NotReady, match=r"model\.onnx"):
            engine.ping()
    assert engine.predict("similarity", [("好", "很好")], soon())
    engine.close()


def test_a_model_that_cannot_be_loaded_stops_the_start(tmp_path: Path) -> None:
    make_siamese(tmp_path / "similarity")
    make_cross(tmp_path / "rerank", "rerank", table(2))  # one logit is what its manifest says
    with pytest.raises(InvalidModel, match=r"rerank.*model\.onnx gives \[1, 2\]"):
        Engine(Settings(models=tmp_path))


def test_waiting_for_another_callers_loading_ends_at_the_deadline() -> None:
    entered, go_on = threading.Event(), threading.Event()

    def make() -> str:
        entered.set()
        go_on.wait(30)
        return "loaded"

    lazy = Lazy(make)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lazy.get, soon().deadline)
        assert entered.wait(10)
        with pytest.raises(DeadlineExceeded):
            lazy.get(time.monotonic() + 0.01)
        go_on.set()
        assert first.result() == lazy.get(time.monotonic()) == "loaded"
