"""The words that decided a sentiment."""

from itertools import pairwise
from pathlib import Path

import pytest

from structbert_lite.engine import Engine
from structbert_lite.errors import InvalidInput
from structbert_lite.evaluate.explain import falls
from structbert_lite.inference.tokenizer import Tokenizer
from structbert_lite.manifest import TOKENIZER_NAME
from structbert_lite.request_context import RequestContext
from structbert_lite.results import Explanation
from structbert_lite.settings import PROJECT, Settings
from structbert_lite.tasks.explain import MAX_CHARACTERS, MAX_RUNS, MAX_TOKENS, merge_words, split_spans

BAD = "这部电影太烂了，完全浪费时间"
LEAST = 0.9  # of certain texts in which the strongest words move the score more than random ones
CERTAIN = [
    BAD,
    "物流特别快，包装也严实，下次还会再来买",
    "客服态度太差了，问了三次都不理人",
    "味道好极了，一家人都吃得很满意",
    "房间又脏又吵，再也不会住第二次",
    "用了两天就坏了，退货还要自己出运费",
    "老板人很热情，菜的分量足，价格也实惠",
    "早餐种类丰富，前台小姐姐服务周到",
    "屏幕有划痕，打开就死机，真后悔买它",
    "孩子非常喜欢这本书，每天晚上都要听一遍",
    "等了一个小时才上菜，端上来还是凉的",
    "衣服做工精细，面料舒服，穿着很显瘦",
]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(PROJECT / "models" / "sentiment" / TOKENIZER_NAME, 512)


def explain(engine: Engine, text: str, **options: bool) -> Explanation:
    (result,) = engine.predict("explain", [text], RequestContext.within(60), **options)
    return result


def test_the_answer_is_that_of_the_sentiment_task(engine: Engine) -> None:
    for options in ({}, {"neutral": True}):
        (plain,) = engine.predict("sentiment", [BAD], RequestContext.within(60), **options)
        assert explain(engine, BAD, **options).sentiment == plain


def test_the_words_that_decide_have_the_greatest_weight(engine: Engine) -> None:
    result = explain(engine, BAD)
    assert [word.text for word in result.words] == ["这部", "电影", "太", "烂", "了", "完全", "浪费", "时间"]
    assert all(BAD[word.start : word.end] == word.text for word in result.words)
    assert max(result.words, key=lambda word: word.weight).text in {"烂", "浪费"}
    turned = explain(engine, "物流很快，就是客服不理人")
    weights = {word.text: word.weight for word in turned.words}
    sign = 1 if turned.sentiment.label == "Positive" else -1
    assert sign * weights["很快"] > 0 > sign * weights["不"]


def test_weights_are_differences_of_the_label_log_odds(tiny_engine: Engine) -> None:
    (one,) = tiny_engine.runners["sentiment"].run([("物流很快",)], RequestContext.within(60), all_layers=True)
    (less,) = tiny_engine.runners["sentiment"].run([("物流",)], RequestContext.within(60), all_layers=True)
    whole, left = (float(row.values[2]) - float(row.values[0]) for row in (one, less))
    assert explain(tiny_engine, "物流很快").words[1].weight == pytest.approx(whole - left, abs=1e-5)


def test_words_are_weighed_after_all_layers_also_where_texts_leave_early(engine: Engine) -> None:
    text = "物流很快，包装也很好"
    assert engine.manifest("sentiment").early_exit
    whole = Engine(Settings(early_exit=False, load="lazy"))
    one, other = explain(engine, text), explain(whole, text)
    (answer,) = engine.predict("sentiment", [text], RequestContext.within(60))
    whole.close()
    assert one.sentiment == answer != other.sentiment
    assert one.words == other.words


def test_the_strongest_words_move_the_score_more_than_random_ones(engine: Engine) -> None:
    found = falls(CERTAIN, engine)
    assert len(found) >= 10
    assert sum(strongest > random for strongest, random in found) / len(found) >= LEAST


def test_the_same_text_gets_the_same_words_every_time(engine: Engine) -> None:
    first = explain(engine, BAD)
    fresh = Engine(Settings(cache_mb=0, load="lazy"))
    together = engine.predict("explain", [BAD * 3, BAD, "好"], RequestContext.within(60))
    assert together[1] == first == explain(fresh, BAD)
    fresh.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("iPhone 13的屏幕", ["iPhone", "13", "的", "屏幕"]),
        ("很GOOD，YYDS！", ["很", "GOOD", "YYDS"]),
        ("好👍。", ["好", "👍"]),
        ("，！。", []),
        ("　服务　好", ["服务", "好"]),
        ("好\x00坏\u200b", ["好", "坏"]),
    ],
)
def test_words_are_pieces_of_the_tokenizer(tokenizer: Tokenizer, text: str, words: list[str]) -> None:
    read, spans = split_spans(tokenizer, text)
    assert read == text
    assert [text[start:end] for start, end in spans] == words


def test_tokens_that_overlap_are_one_word() -> None:
    assert merge_words("物流好", [(0, 1), (0, 2), (2, 3)]) == [(0, 2), (2, 3)]
    assert merge_words("abc好", [(0, 2), (2, 3), (3, 4)]) == [(0, 3), (3, 4)]


@pytest.mark.parametrize(
    "text",
    [
        "好" * 100,
        "今天天气很好，我们去公园。" * 8,
        "物流很快，" * 500,
        "  " + "很好 " * 600,
        "好" + " " * 200_000 + "很好",
    ],
)
def test_the_cost_is_bounded(tokenizer: Tokenizer, text: str) -> None:
    read, spans = split_spans(tokenizer, text)
    assert text.startswith(read)
    assert len(spans) <= MAX_RUNS
    assert len(spans) * len(tokenizer.token_spans(read)) <= MAX_TOKENS + MAX_RUNS
    assert len(spans) * len(read) <= MAX_CHARACTERS
    assert all(a < b <= c < d for (a, b), (c, d) in pairwise(spans))
    words = merge_words(read, tokenizer.token_spans(read))
    assert (spans[0][0], spans[-1][1]) == (words[0][0], words[-1][1])


def test_texts_of_one_word_and_of_none(engine: Engine) -> None:
    (word,) = explain(engine, "好").words
    assert (word.text, word.start, word.end) == ("好", 0, 1)
    assert explain(engine, "！？").words == ()


def test_a_truncated_text_has_words_up_to_where_it_is_read(engine: Engine) -> None:
    text = "物流很快，包装很好。" * 100
    result = explain(engine, text)
    assert result.sentiment.truncated
    assert 400 < result.words[-1].end < len(text)


def test_what_cannot_be_read_is_named(tiny_engine: Engine) -> None:
    with pytest.raises(InvalidInput) as error:
        explain(tiny_engine, " ")
    assert error.value.field == "texts[0]"


def test_the_documented_limits_are_those() -> None:
    page = Path(PROJECT / "docs" / "api.md").read_text(encoding="utf-8")
    assert f"{MAX_RUNS} readings" in page
