"""The aspects task: what is in an answer, with the default models and with tiny ones."""

import shutil
from pathlib import Path

import pytest

from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidInput, TaskNotAvailable, TooManyItems
from structbert_lite.request_context import RequestContext
from structbert_lite.results import AspectOpinion, AspectOpinions
from structbert_lite.settings import Settings
from structbert_lite.tasks.aspects import BOTH, NAMED, decide
from tests.tiny_models import make_cross, table

REVIEW = "物流很快，包装也严实，就是价格有点贵"


def soon() -> RequestContext:
    return RequestContext.within(60)


def told(result: AspectOpinions) -> dict[str, str]:
    return {opinion.aspect: opinion.polarity for opinion in result.aspects}


@pytest.mark.parametrize(
    ("text", "domain", "expected"),
    [
        (REVIEW, None, {"价格": "negative", "物流": "positive", "包装": "positive"}),
        ("房间干净，隔音太差", "hotel", {"房间": "positive", "卫生": "positive", "隔音": "negative"}),
        ("味道不错，服务员态度很差", "food", {"味道": "positive", "服务": "negative"}),
        ("价錢便宜，質量也好，客服卻不理人", "shop", {"质量": "positive", "价格": "positive", "服务": "negative"}),
        ("味道一般", "food", {"味道": "mixed"}),
        ("第一次送得很快。第二次送得太慢了，等了一个礼拜。", "shop", {"物流": "mixed"}),
        ("今天星期三", "shop", {}),
        ("请问什么时候开门", None, {}),
    ],
)
def test_what_a_review_says(engine: Engine, text: str, domain: str | None, expected: dict[str, str]) -> None:
    (result,) = engine.predict("aspects", [text], soon(), domain=domain)
    assert told(result) == expected
    assert (result.text, result.truncated) == (text, False)
    assert all(0 < opinion.score <= 1 for opinion in result.aspects)


def test_own_words_are_answered_in_the_callers_order_and_by_the_callers_names(engine: Engine) -> None:
    text = "快递很快，WiFi信号很差"
    (result,) = engine.predict("aspects", [text], soon(), aspects=["wifi信号", "快递", "物流"])
    assert list(told(result).items()) == [("wifi信号", "negative"), ("快递", "positive"), ("物流", "positive")]


@pytest.mark.parametrize("aspect", ["價格", " 价格", "价格　", "价 格", "价格。", "價錢"])
def test_an_aspect_is_known_as_the_model_would_read_it(engine: Engine, aspect: str) -> None:
    (result,) = engine.predict("aspects", ["有点贵"], soon(), aspects=[aspect])
    assert told(result) == {aspect: "negative"}


@pytest.mark.parametrize("aspect", [" 屏幕", "屏幕　", "\t屏幕 "])
def test_own_words_are_found_without_the_blanks_around_them(engine: Engine, aspect: str) -> None:
    for text in ("屏幕太暗了", "螢幕太暗了"):
        plain, given = (
            engine.predict("aspects", [text], soon(), aspects=[one])[0].aspects for one in (aspect.strip(), aspect)
        )
        assert [(found.polarity, found.score) for found in plain] == [(found.polarity, found.score) for found in given]


def test_truncated_is_also_a_text_that_the_zero_shot_model_read_in_part(engine: Engine) -> None:
    tokenizer = engine.runners["sentiment"].tokenizer
    text = "好坏" * 300
    text = tokenizer.split(text, tokenizer.max_tokens - 4, 0, 1)[0][0]
    for aspects, truncated in ((["质量"], False), (["拍照"], True)):
        alone, beside = engine.predict("aspects", [text, "好"], soon(), aspects=aspects)
        assert (alone.truncated, beside.truncated) == (truncated, False)


def test_what_does_not_stand_in_the_text_is_asked_of_the_zero_shot_model(engine: Engine) -> None:
    (result,) = engine.predict("aspects", ["拍出来的照片糊成一片"], soon(), aspects=["摄像头", "停车"])
    assert told(result) == {"摄像头": "negative"}


def test_only_passages_that_speak_of_what_is_asked_are_read(engine: Engine) -> None:
    counts = engine.runners["sentiment"].batcher.counts
    before = counts.rows
    (asked,) = engine.predict("aspects", ["早餐凉了，隔音也差，位置偏，停车倒是方便"], soon(), aspects=["隔音"])
    assert counts.rows - before == 1
    (usual,) = engine.predict("aspects", ["早餐凉了，隔音也差，位置偏，停车倒是方便"], soon(), domain="hotel")
    assert asked.aspects == tuple(found for found in usual.aspects if found.aspect == "隔音")


def test_a_text_gets_the_same_alone_and_among_others(engine: Engine) -> None:
    texts = [REVIEW, "房间干净" * 30, "好", "隔音太差，早餐倒是不错" * 3]
    options = {"aspects": ["物流", "房间", "摄像头"]}
    together = engine.predict("aspects", texts, soon(), **options)
    assert together == [engine.predict("aspects", [text], soon(), **options)[0] for text in texts]


def test_a_long_text_is_truncated(engine: Engine) -> None:
    (result,) = engine.predict("aspects", ["今天星期三" * 300 + "。物流很快"], soon())
    assert (told(result), result.truncated) == ({}, True)
    (result,) = engine.predict("aspects", ["物流很快，就是价格贵。" * 100], soon())
    assert (told(result), result.truncated) == ({"价格": "negative", "物流": "positive"}, True)


@pytest.mark.parametrize(
    ("texts", "options", "field"),
    [
        (["好", " "], {}, "texts[1]"),
        (["好"], {"aspects": []}, "aspects"),
        (["好"], {"aspects": ["物流", " "]}, "aspects[1]"),
        (["好"], {"aspects": ["物流", "价格", "物流"]}, "aspects[2]"),
        (["好"], {"aspects": ["物流"], "domain": "shop"}, "domain"),
    ],
)
def test_what_cannot_be_asked(tiny_engine: Engine, texts: list[str], options: dict, field: str) -> None:
    with pytest.raises(InvalidInput) as error:
        tiny_engine.predict("aspects", texts, soon(), **options)
    assert error.value.field == field


def test_texts_times_aspects_are_limited(tiny_engine: Engine) -> None:
    with pytest.raises(TooManyItems, match="66 texts times aspects in one request, the limit is 64"):
        tiny_engine.predict("aspects", ["好"] * 22, soon(), aspects=["a", "b", "c"])
    assert len(tiny_engine.predict("aspects", ["好"] * 32, soon(), aspects=["a", "b"])) == 32


@pytest.mark.parametrize("missing", ["sentiment", "zero-shot"])
def test_both_models_are_needed(tiny_models: Path, tmp_path: Path, missing: str) -> None:
    models = Path(shutil.copytree(tiny_models, tmp_path / "models"))
    shutil.rmtree(models / missing)
    engine = Engine(Settings(models=models, load="lazy"))
    with pytest.raises(TaskNotAvailable, match=f"no {missing} model is installed"):
        engine.predict("aspects", ["好"], soon())
    engine.close()


def test_a_sentiment_model_of_other_labels_cannot_serve_it(tiny_models: Path, tmp_path: Path) -> None:
    models = Path(shutil.copytree(tiny_models, tmp_path / "models"))
    shutil.rmtree(models / "sentiment")
    make_cross(models / "sentiment", "sentiment", table(2), kind="classifier", labels=["bad", "good"])
    engine = Engine(Settings(models=models, load="lazy"))
    with pytest.raises(TaskNotAvailable, match="labels Negative and Positive, not bad, good"):
        engine.predict("aspects", ["好"], soon())
    engine.ping()  # the others are served
    engine.close()


def test_praise_somewhere_and_blame_somewhere_are_independent() -> None:
    assert decide("a", [(0.9, 0.05), (0.1, 0.2)]) == AspectOpinion("a", "positive", 0.72)
    assert decide("a", [(0.1, 0.6), (0.2, 0.5)]) == AspectOpinion("a", "negative", 0.48)
    assert decide("a", [(0.9, 0.0), (0.0, BOTH)]) == AspectOpinion("a", "mixed", 0.45)
    assert decide("a", [(NAMED / 3, NAMED / 3)]) is None
    assert decide("a", []) is decide("a", None) is None
