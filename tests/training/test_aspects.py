"""What the zero-shot model learns of aspects: which are named, how, and what says nothing of them."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs requirements-train.txt")
pytest.importorskip("transformers", reason="needs requirements-train.txt")

from structbert_lite.tasks import aspects as served
from training.aspects import CONTRADICTED, ENTAILED, NEUTRAL, Review, make_group, read_posts, read_reviews
from training.own import Opinion
from training.zero_shot import BAD, GOOD

ROWS = [
    Opinion("音质不错就是有点贵", "positive", ("音质+", "价格-"), "headphones"),
    Opinion("快递到了，还没拆", "neutral", (), "headphones"),
    Opinion("随便听听", "positive", (), "headphones"),
]


def test_the_first_forms_are_those_that_the_server_asks_in() -> None:
    assert (GOOD[0], BAD[0]) == (served.GOOD, served.BAD)


def test_reviews_with_aspects_and_texts_without_an_opinion_are_read() -> None:
    first, second = read_reviews(ROWS, np.random.default_rng(0))
    assert first.named == {"音质": "+", "价格": "-"}
    assert first.others == ()  # the file has no other
    assert (second.text, second.named) == ("快递到了，还没拆", {})
    assert set(second.others) <= {"音质", "价格"}
    assert second.others


def test_an_aspect_whose_words_stand_in_a_review_is_none_that_it_does_not_speak_of() -> None:
    rows = [ROWS[0], Opinion("服务员给换了一副", "positive", ("质量+",), "headphones")]
    asked = [review for seed in range(20) for review in read_reviews(rows, np.random.default_rng(seed))]
    assert all("价格" not in review.others for review in asked if review.text == ROWS[0].text)
    assert any("音质" in review.others for review in asked if review.text == rows[1].text)


def test_posts_say_of_an_aspect_what_all_their_opinions_say_together(tmp_path: Path) -> None:
    lines = [
        "polarity\taspect\topinion\ttarget\ttext",
        *(f"{polarity}\t{aspect}\tx\ty\t续航比拍照强" for polarity, aspect in [("pos", "续航"), ("neg", "续航")]),
        *(f"{polarity}\t{aspect}\tx\ty\t续航比拍照强" for polarity, aspect in [("neg", "拍照"), ("neu", "价格")]),
        "pos\t屏幕\tx\ty\t屏幕好看",
    ]
    (tmp_path / "posts.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    first, second = read_posts(tmp_path / "posts.tsv")
    assert first.named == {"续航": "~", "拍照": "-"}
    assert first.others[0] == "价格"  # spoken of without an opinion
    assert second.named == {"屏幕": "+"}
    assert "屏幕" not in second.others


@pytest.mark.parametrize(
    ("mark", "relations"),
    [
        ("+", (ENTAILED, CONTRADICTED)),
        ("-", (CONTRADICTED, ENTAILED)),
        ("~", (ENTAILED, ENTAILED)),
        (None, (NEUTRAL, NEUTRAL)),
    ],
)
def test_both_sides_are_asked_of_each_aspect(mark: str | None, relations: tuple[int, int]) -> None:
    named = {"音质": mark} if mark else {}
    for seed in range(10):
        group = make_group(Review("听着还行", named, ("音质",) if mark is None else ()), np.random.default_rng(seed))
        good, bad = group.said
        assert GOOD.index(good.replace("音质", "{}")) == BAD.index(bad.replace("音质", "{}"))
        assert group.relations == relations
        assert not group.taught
