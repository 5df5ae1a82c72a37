"""A pair in the middle of a question: the question stays whole, the texts share what is left."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from structbert_lite.inference.tokenizer import Prompt, Tokenizer
from structbert_lite.manifest import PairTemplate
from tests.tiny_models import TOKENIZER

LIMIT = 40
TEMPLATE = PairTemplate(text="相似,不相似|{a}&{b}", prompt="文本匹配: ")
tokenizer = Tokenizer(TOKENIZER, LIMIT)
prompt = Prompt(TEMPLATE, tokenizer)
(EMPTY,) = tokenizer.encode([TEMPLATE.fill("", "")])
ASKED = EMPTY.ids[:8], EMPTY.ids[-6:]  # up to the bar; from the separator before the prompt on


@pytest.mark.parametrize("text", ["{b}", "{a}", "a{b}c{a}", "{", "%s", "\\1"])
def test_what_a_text_holds_stays_as_it_is(text: str) -> None:
    assert TEMPLATE.fill(text, "x") == (f"相似,不相似|{text}&x", "文本匹配: ")
    assert TEMPLATE.fill("x", text) == (f"相似,不相似|x&{text}", "文本匹配: ")


texts = st.text(st.sampled_from("好坏ab .，😀\u0301각{}&|") | st.characters(exclude_categories=["Cs"]), min_size=1)


@settings(max_examples=200)
@given(texts | texts.map(lambda t: t * 40), texts | texts.map(lambda t: t * 40))
def test_the_question_is_never_cut(a: str, b: str) -> None:
    fields, truncated = prompt.fill(a, b)
    (encoding,) = tokenizer.encode([fields])
    assert (encoding.ids[:8], encoding.ids[-6:]) == ASKED
    assert len(encoding) <= LIMIT
    if fields != TEMPLATE.fill(a, b):
        assert truncated


@pytest.mark.parametrize(
    ("a", "b", "kept"), [(500, 3, (-3, 3)), (3, 500, (3, -3)), (500, 500, (0.5, 0.5)), (4, 5, (4, 5))]
)
def test_the_longer_text_loses_first(a: int, b: int, kept: tuple) -> None:
    (text, _), truncated = prompt.fill("好" * a, "坏" * b)
    expected = [round(prompt.room * k) if k == 0.5 else k if k > 0 else prompt.room + k for k in kept]
    assert [text.count("好"), text.count("坏")] == expected
    assert truncated == (a + b > prompt.room)


def test_a_very_long_text_is_not_read_to_its_end() -> None:
    (text, _), truncated = prompt.fill("好" * 5_000_000, "坏")
    assert len(text) < LIMIT
    assert truncated
