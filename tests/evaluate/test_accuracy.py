import json
import subprocess
import sys
from pathlib import Path

from structbert_lite.settings import PROJECT
from tests.tiny_models import make_three_way

SUITE = "tests/quality/sentiment_suite.tsv"


def run(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "structbert_lite", "evaluate", "accuracy", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)


def test_counts_by_column() -> None:
    done = run("models/sentiment", SUITE, "--by", "kind", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    rows = (PROJECT / SUITE).read_text(encoding="utf-8").splitlines()[1:]
    assert sum(f["rows"] for f in figures.values()) == len(rows)
    assert {name: f["rows"] for name, f in figures.items()}["emoji"] == sum("\temoji\t" in row for row in rows)


def test_labels_may_be_names_or_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("label\ttext\nNegative\t太差了，退货\n0\t太差了，退货\n", encoding="utf-8")
    assert "2 of      2  a" in run("models/sentiment", str(tmp_path / "a.tsv")).stdout


def test_a_model_that_knows_neutral_is_asked_for_it_where_the_file_has_it(tmp_path: Path) -> None:
    make_three_way(tmp_path / "three")
    (tmp_path / "two.tsv").write_text("label\ttext\n1\t门门好\nNegative\t门坏\n0\t好\n", encoding="utf-8")
    (tmp_path / "all.tsv").write_text("label\ttext\nNeutral\t门门好\nNegative\t坏\n", encoding="utf-8")
    done = run(str(tmp_path / "three"), str(tmp_path / "two.tsv"), str(tmp_path / "all.tsv"))
    assert "2 of      3  two" in done.stdout, done.stderr
    assert "2 of      2  all" in done.stdout


def test_a_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("x\ty\n", encoding="utf-8")
    done = run("models/sentiment", str(tmp_path / "a.tsv"))
    assert done.returncode == 1
    assert "it needs label and text" in done.stderr
