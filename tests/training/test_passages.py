"""Passages of training texts: those that speak of one thing in one way, cut as the server cuts a review."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs requirements-train.txt")
pytest.importorskip("transformers", reason="needs requirements-train.txt")

from tokenizers import Tokenizer

from structbert_lite.settings import PROJECT
from training.own import Opinion
from training.passages import cut_passages, read_marked
from training.sentiment import read_posts


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(PROJECT / "models" / "sentiment" / "tokenizer.json"))


def _cut(tokenizer: Tokenizer, text: str, *aspects: str) -> dict[str, str]:
    return {one.text: one.label for one in cut_passages([Opinion(text, "neutral", aspects, "x")], tokenizer)}


def test_each_passage_is_labelled_by_its_own_aspect(tokenizer: Tokenizer) -> None:
    assert _cut(tokenizer, "物流很快，衣服质量太差", "物流+", "质量-") == {
        "物流很快": "positive",
        "衣服质量太差": "negative",
    }


def test_what_is_mixed_or_not_told_of_is_no_example(tokenizer: Tokenizer) -> None:
    assert _cut(tokenizer, "物流很快，衣服质量时好时坏，价格八十", "物流+", "质量~") == {"物流很快": "positive"}


def test_a_text_that_is_one_passage_and_one_without_aspects_are_left_out(tokenizer: Tokenizer) -> None:
    assert _cut(tokenizer, "物流很快", "物流+") == {}
    assert _cut(tokenizer, "物流很快，质量太差") == {}


def test_an_aspect_in_other_words_is_found_by_them(tokenizer: Tokenizer) -> None:
    assert _cut(tokenizer, "续航拉胯，包装完好", "续航-", "包装+") == {"续航拉胯": "negative", "包装完好": "positive"}


def test_posts_say_of_an_aspect_what_all_their_opinions_say_together(tmp_path: Path, tokenizer: Tokenizer) -> None:
    path = tmp_path / "posts.tsv"
    told = [("pos", "续航"), ("neg", "续航"), ("neg", "拍照"), ("neu", "屏幕")]
    lines = [f"{polarity}\t{aspect}\tx\ty\t续航有赢有输，拍照输了，屏幕一样" for polarity, aspect in told]
    path.write_text(
        "\n".join(["polarity\taspect\topinion\ttarget\ttext", *lines, "pos\t屏幕\tx\ty\t屏幕好看"]), "utf-8"
    )
    post, other = read_marked(path)
    assert post.aspects == ("续航~", "拍照-", "屏幕0")
    assert other.aspects == ("屏幕+",)
    assert {one.text: one.label for one in cut_passages([post], tokenizer)} == {
        "拍照输了": "negative",
        "屏幕一样": "neutral",
    }
    assert [(one.text, one.label) for one in read_posts(path)] == [("屏幕好看", "positive")]
