import shutil
import time
from pathlib import Path

import pytest

from structbert_lite.engine import Engine, check_models, choose_models
from structbert_lite.errors import BadSettings, InvalidInput, ModelRefused, NotReady, TaskNotAvailable, TooManyItems
from structbert_lite.settings import Settings


def soon() -> float:
    return time.monotonic() + 30


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


def test_the_named_model_is_served(model_folder: Path, tmp_path: Path) -> None:
    for name in ("another", "sentiment"):
        shutil.copytree(model_folder, tmp_path / name)
    assert choose_models(Settings(models=tmp_path)) == {"sentiment": "sentiment"}
    assert choose_models(Settings(models=tmp_path, sentiment_model="another")) == {"sentiment": "another"}
    with pytest.raises(BadSettings, match="there are: another, sentiment"):
        choose_models(Settings(models=tmp_path, sentiment_model="third"))


def test_a_damaged_model_is_found_before_it_is_loaded(model_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(model_folder, tmp_path / "sentiment")
    (tmp_path / "sentiment" / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelRefused, match=r"model\.onnx"):
        check_models(Settings(models=tmp_path))


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
