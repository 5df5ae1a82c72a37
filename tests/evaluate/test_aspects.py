"""Figures of the aspects task, and the built-in reviews."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from structbert_lite.__main__ import main
from structbert_lite.evaluate.aspects import DATA, NONE, OPINIONS, figures, read_reviews


@pytest.mark.parametrize("name", ["dev", "test"])
def test_the_built_in_reviews_are_whole(name: str) -> None:
    reviews = read_reviews(DATA / f"{name}.tsv")
    assert len(reviews) >= 150
    assert len({review.text for review in reviews}) == len(reviews)
    assert all(len(review.asked) == 8 for review in reviews)  # of its domain's list, and no others
    opinions = [opinion for review in reviews for opinion in review.opinions.values()]
    assert all(opinions.count(one) >= 25 for one in OPINIONS)
    assert sum(not review.opinions for review in reviews) >= 8


def test_no_review_is_chosen_on_and_measured_on() -> None:
    dev, test = ({review.text for review in read_reviews(DATA / f"{name}.tsv")} for name in ("dev", "test"))
    assert not dev & test


def test_figures() -> None:
    expected = ["positive", "negative", "mixed", NONE, NONE, "positive"]
    found = ["positive", "positive", NONE, NONE, "negative", "positive"]
    told = figures(found, expected)
    assert told["F1 named"] == pytest.approx(2 * 3 / (4 + 4))
    assert told["F1 positive"] == pytest.approx(2 * 2 / (3 + 2))
    assert (told["F1 negative"], told["F1 mixed"]) == (0, 0)
    assert told["macro-F1"] == pytest.approx(0.8 / 3)
    assert told["polarity right where named"] == pytest.approx(2 / 3)


def test_rows_of_opinions_are_put_together_by_text(tmp_path: Path) -> None:
    file = tmp_path / "rows.tsv"
    rows = ["pos\t屏幕\t屏幕好，电池差", "neg\t电池\t屏幕好，电池差", "doubt\t拍照\t拍照好吗", "neu\t信号\t信号正常"]
    file.write_text("polarity\taspect\ttext\n" + "\n".join(rows), encoding="utf-8")
    (review,) = read_reviews(file)
    assert review.opinions == {"屏幕": "positive", "电池": "negative"}
    assert set(review.asked) == {"屏幕", "电池", "拍照", "信号"}


@pytest.mark.parametrize("row", ["bank\t物流+\t快", "shop\t物流\t快"])
def test_rows_that_say_nothing_are_refused(tmp_path: Path, row: str) -> None:
    file = tmp_path / "rows.tsv"
    file.write_text(f"domain\taspects\ttext\n{row}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="a domain is one of shop, food, hotel"):
        read_reviews(file)


def test_the_command(tmp_path: Path) -> None:
    file = tmp_path / "rows.tsv"
    file.write_text(
        "domain\taspects\ttext\nshop\t物流+;价格-\t物流很快，价格太贵\nshop\t\t今天星期三\n", encoding="utf-8"
    )
    done = CliRunner().invoke(main, ["evaluate", "aspects", "--data", str(file), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["texts"], told["aspects named"], told["F1 named"], told["F1 positive"]) == (2, 2, 1, 1)
    file.write_text("text\n好\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["evaluate", "aspects", "--data", str(file)])
    assert (done.exit_code, "needs the columns domain and aspects" in done.output) == (1, True)
