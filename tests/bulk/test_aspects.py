"""`score --task aspects`: two columns for each aspect."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from structbert_lite.__main__ import main


def score(folder: Path, *options: str) -> Result:
    source = folder / "reviews.csv"
    source.write_text('text\n物流很快，就是价格有点贵\n今天星期三\n""\n', encoding="utf-8")
    out = folder / "scored.csv"
    return CliRunner().invoke(main, ["score", str(source), "--task", "aspects", "-o", str(out), *options])


def test_columns_and_rows(tmp_path: Path) -> None:
    done = score(tmp_path, "--aspects", "物流,价格")
    assert done.exit_code == 3, done.output  # a row is empty
    with (tmp_path / "scored.csv").open(encoding="utf-8", newline="") as file:
        header, both, none, empty = csv.reader(file)
    assert header == ["text", "aspect_物流", "score_物流", "aspect_价格", "score_价格", "truncated", "error"]
    assert (both[1], both[3], both[5]) == ("positive", "negative", "false")
    assert 0 < float(both[2]) <= 1
    assert none[1:6] == ["", "", "", "", "false"]
    assert empty[-1] == "text is empty"


def test_the_usual_aspects_and_those_of_a_domain(tmp_path: Path) -> None:
    for options, first in (((), "aspect_质量"), (("--domain", "food"), "aspect_味道")):
        done = score(tmp_path, "--restart", *options)
        assert done.exit_code == 3, done.output
        assert (tmp_path / "scored.csv").read_text(encoding="utf-8").split(",")[1] == first


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--aspects", ","), "there are no aspects"),
        (("--aspects", "物流,物流"), "the aspect occurs twice"),
        (("--aspects", "物流", "--domain", "shop"), "give --aspects or --domain, not both"),
        (("--labels", "物流"), "--labels is not an option of --task aspects"),
    ],
)
def test_options_that_cannot_be_used(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    done = score(tmp_path, *options)
    assert (done.exit_code, message in done.output) == (1, True), done.output
