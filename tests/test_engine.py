import time
from pathlib import Path

import pytest

from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidInput, NotReady, TaskNotAvailable, TooManyItems
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
