"""Every task through the command: the columns that docs/bulk.md promises, with the numbers that the engine gives."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from structbert_lite.engine import Engine
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings
from tests.tiny_models import make_cross, make_three_way, table

Score = Callable[..., Result]


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def test_sentiment(score: Score, tmp_path: Path, tiny_engine: Engine) -> None:
    done = score("sentiment", 'id,text\n1,物流很快\n2,"屏幕有划痕，\n客服不理人"\n3,物流很快\n')
    assert done.exit_code == 0, done.output
    rows = rows_of(tmp_path / "out.csv")
    results = tiny_engine.predict("sentiment", ["物流很快", "屏幕有划痕，\n客服不理人", "物流很快"], RequestContext())
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    for row, result in zip(rows, results, strict=True):
        assert row["text"] == result.text
        assert (row["label"], float(row["score"])) == (result.label, result.score)
        assert {name: float(row[f"probability_{name}"]) for name in result.probabilities} == result.probabilities
        assert (float(row["neutral"]), row["uncertain"]) == (result.neutral, str(result.uncertain).lower())
        assert (row["truncated"], row["error"]) == ("false", "")
    assert list(rows[0])[2:] == TWO


TWO = "label score probability_Negative probability_Positive neutral uncertain truncated error".split()
THREE = [*TWO[:3], "probability_Neutral", *TWO[3:]]


@pytest.mark.parametrize(("options", "setting"), [([], "0"), (["--neutral"], "0"), ([], "1")])
def test_sentiment_of_a_model_that_knows_neutral(
    score: Score, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], setting: str
) -> None:
    monkeypatch.setenv("STRUCTBERT_SENTIMENT_NEUTRAL", setting)
    make_three_way(tmp_path / "models" / "three")
    neutral = bool(options) or setting == "1"
    texts = ["好好好好", "门门门坏", "好坏"]
    done = score("sentiment", "text\n" + "\n".join(texts), "--model", str(tmp_path / "models" / "three"), *options)
    assert done.exit_code == 0, done.output
    rows = rows_of(tmp_path / "out.csv")
    assert list(rows[0])[1:] == (THREE if neutral else TWO)
    engine = Engine(Settings(models=tmp_path / "models"))
    results = engine.predict("sentiment", texts, RequestContext(), neutral=neutral)
    engine.close()
    for row, result in zip(rows, results, strict=True):
        assert (row["label"], float(row["score"]), float(row["neutral"])) == (
            result.label,
            result.score,
            result.neutral,
        )
        assert {name: float(row[f"probability_{name}"]) for name in result.probabilities} == result.probabilities
        assert row["uncertain"] == str(result.uncertain).lower()
    assert [row["uncertain"] for row in rows] == ["false", "true", "true"]
    assert rows[1]["label"] == ("Neutral" if neutral else "Negative")


def test_the_setting_changes_nothing_for_a_model_that_knows_none(
    score: Score, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_cross(tmp_path / "two", "sentiment", table(2), kind="classifier", labels=["Negative", "Positive"])
    model = ("--model", str(tmp_path / "two"))
    assert score("sentiment", "text\n好\n", *model).exit_code == 0
    plain = (tmp_path / "out.csv").read_bytes()
    monkeypatch.setenv("STRUCTBERT_SENTIMENT_NEUTRAL", "1")
    assert score("sentiment", "text\n好\n", *model, "--restart").exit_code == 0
    assert (tmp_path / "out.csv").read_bytes() == plain
    refused = score("sentiment", "text\n好\n", *model, "--neutral", "--restart")
    assert refused.exit_code == 1
    assert "the label cannot be Neutral: this model has no such class" in refused.output


def test_similarity(score: Score, tmp_path: Path, tiny_engine: Engine) -> None:
    done = score("similarity", "a,text_b\n怎么退款,如何退款\n好,坏\n", "--column-a", "a")
    assert done.exit_code == 0, done.output
    results = tiny_engine.predict("similarity", [("怎么退款", "如何退款"), ("好", "坏")], RequestContext())
    rows = rows_of(tmp_path / "out.csv")
    assert [(float(row["score"]), row["level"]) for row in rows] == [(r.score, r.level) for r in results]


@pytest.mark.parametrize("labels", [["--labels", "售后， 物流,优惠"], ["--multi-label", "--template", "关于{}"]])
def test_zero_shot(score: Score, tmp_path: Path, tiny_engine: Engine, labels: list[str]) -> None:
    if "--labels" not in labels:
        (tmp_path / "labels.txt").write_text("售后\n\n物流\n优惠\n", encoding="utf-8")
        options = {"multi_label": True, "hypothesis_template": "关于{}"}
        labels = [*labels, "--labels-file", str(tmp_path / "labels.txt")]
    else:
        options = {}
    done = score("zero-shot", "text\n充电器坏了\n什么时候到\n", *labels)
    assert done.exit_code == 0, done.output
    names = ["售后", "物流", "优惠"]
    results = tiny_engine.predict("zero-shot", ["充电器坏了", "什么时候到"], RequestContext(), labels=names, **options)
    for row, result in zip(rows_of(tmp_path / "out.csv"), results, strict=True):
        assert (row["label"], float(row["score"])) == (result.labels[0], result.scores[0])
        assert {name: float(row[f"score_{name}"]) for name in names} == dict(
            zip(result.labels, result.scores, strict=True)
        )


def test_rerank_scores_each_pair_of_a_query_and_a_document(score: Score, tmp_path: Path, tiny_engine: Engine) -> None:
    long = "坏" * 700 + "好"
    done = score("rerank", f"query,document\n哪里,好好\n哪里,坏\n何时,{long}\n")
    assert done.exit_code == 0, done.output
    found = [float(row["score"]) for row in rows_of(tmp_path / "out.csv")]
    ranked = {r.index: r.score for r in tiny_engine.predict("rerank", ["好好", "坏"], RequestContext(), query="哪里")}
    (far,) = tiny_engine.predict("rerank", [long], RequestContext(), query="何时")
    assert found == [ranked[0], ranked[1], far.score]


def test_embedding(score: Score, tmp_path: Path, tiny_engine: Engine) -> None:
    done = score("embedding", json.dumps({"text": "好"}), source="in.jsonl", out="out.jsonl")
    assert done.exit_code == 0, done.output
    (row,) = map(json.loads, (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines())
    (result,) = tiny_engine.predict("embedding", ["好"], RequestContext())
    assert row["text"] == "好"
    assert np.allclose(row["embedding"], result.vector, atol=1e-6)


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("sentiment", ["--column", "review"], "there is no column review; there are: text, note"),
        ("sentiment", ["--labels", "a"], "--labels is not an option of --task sentiment"),
        ("similarity", ["--neutral"], "--neutral is not an option of --task similarity"),
        ("zero-shot", [], "needs --labels or --labels-file"),
        ("zero-shot", ["--labels", "好,好"], "the label occurs twice"),
        ("zero-shot", ["--labels", "好", "--template", "x"], "the template has no {} for the label"),
        ("rerank", [], "there is no column query and no column document; there are: text, note"),
        ("sentiment", ["--encoding", "no-such"], "unknown encoding: no-such"),
        ("sentiment", ["--format", "parquet"], "cannot be read as Parquet"),
    ],
)
def test_what_cannot_be_done_is_said_before_a_row_is_read(
    score: Score, tmp_path: Path, task: str, options: list[str], message: str
) -> None:
    if "parquet" in options:
        pytest.importorskip("pyarrow", reason="needs requirements-parquet.txt")
    done = score(task, "text,note\n好,x\n", *options)
    assert done.exit_code == 1
    assert message in done.output
    assert "Traceback" not in done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


def test_a_column_that_is_there_already_is_not_overwritten(score: Score, tmp_path: Path) -> None:
    done = score("sentiment", "text,label\n好,1\n")
    assert done.exit_code == 1
    assert "the input has columns named label already; give a --prefix" in done.output
    assert score("sentiment", "text,label\n好,1\n", "--prefix", "p_").exit_code == 0
    assert list(rows_of(tmp_path / "out.csv")[0])[:3] == ["text", "label", "p_label"]


def test_a_result_that_is_there_already_is_not_overwritten(score: Score, tmp_path: Path) -> None:
    assert score("sentiment", "text\n好\n").exit_code == 0
    first = (tmp_path / "out.csv").read_bytes()
    again = score("sentiment", "text\n坏\n")
    assert again.exit_code == 1
    assert "exists already; --restart writes it anew" in again.output
    assert (tmp_path / "out.csv").read_bytes() == first
    assert score("sentiment", "text\n坏\n", "--restart").exit_code == 0
    assert (tmp_path / "out.csv").read_bytes() != first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_missing_files_and_folders(score: Score, tmp_path: Path) -> None:
    done = score("sentiment", "text\n好\n", out="no/out.csv")
    assert f"the folder {tmp_path / 'no'} does not exist" in done.output
    done = score("sentiment", "text\n好\n", out="in.csv")
    assert "the output would take the place of the input" in done.output
    done = score("sentiment", "text\n好\n", out="out.xls")
    assert "the ending is none of .csv" in done.output
