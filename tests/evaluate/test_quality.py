import json
import math
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from structbert_lite.evaluate.quality import command
from tests.tiny_models import make_three_way

DATA = {
    "texts.tsv": "label\ttext\n1\t房间很好\n0\t太差了\nNegative\t不会再来\n1\t好\n",
    "pairs.tsv": "text_a\ttext_b\tlabel\tkind\n退款\t退钱\t1\tx\n退款\t天气\t0\tx\n发货\t几时\t1\ty\n发货\t好\t0\ty\n",
    "topics.tsv": "label\ttext\n7\t今天下雨\n8\t股票涨了\n8\t基金跌了\n",
    "names.tsv": "label\tname\n7\t天气\n8\t财经\n",
    "asked.tsv": "query\ttext\tlabel\n酒店\t好房间\t1\n酒店\t差\t0\n车\t差\t1\n车\t好\t0\n",
    "corpus.tsv": "doc_id\ttext\na\t酒店的早餐好\nb\t酒店的早餐\nc\t火车站\n",
    "queries.tsv": "query_id\ttext\np\t酒店早餐\nq\t火车\nr\t没有答案\n",
    "qrels.tsv": "query_id\tdoc_id\trel\np\tb\t1\nq\tc\t1\nr\ta\t0\n",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quality")
    for name, text in DATA.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, list(map(str, arguments)))


def results(*arguments: object) -> list[dict]:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["results"]


def test_sentiment(data: Path) -> None:
    (found,) = results("models/sentiment", "--task", "sentiment", "--data", data / "texts.tsv")
    assert (found["data"], found["about"]) == ("texts", "4 rows")
    assert found["figures"]["light int8"] == {"accuracy": 1.0, "macro-F1": 1.0, "AUC": 1.0}
    assert found["confusion"]["light int8"]["Negative"] == {"Negative": 2, "Positive": 0}


def test_a_model_that_knows_neutral_is_judged_by_the_labels_of_the_file(tmp_path: Path) -> None:
    make_three_way(tmp_path / "three")
    (tmp_path / "two.tsv").write_text("label\ttext\n1\t门门好\nNegative\t门坏\n0\t好\n", encoding="utf-8")
    (tmp_path / "all.tsv").write_text("label\ttext\n0\t好\nNeutral\t门门好\n2\t坏\n", encoding="utf-8")
    options = ["--data", tmp_path / "two.tsv", "--data", tmp_path / "all.tsv"]
    two, three = results(tmp_path / "three", "--task", "sentiment", *options)
    assert two["figures"]["light int8"].keys() == {"accuracy", "macro-F1", "AUC"}
    assert two["figures"]["light int8"]["accuracy"] == pytest.approx(2 / 3)
    assert two["confusion"]["light int8"]["Negative"] == {"Negative": 1, "Positive": 1}
    assert three["figures"]["light int8"] == {"accuracy": 1.0, "macro-F1": 1.0}
    assert list(three["confusion"]["light int8"]) == ["Positive", "Neutral", "Negative"]


def test_files_of_one_name_are_told_apart(data: Path, tmp_path: Path) -> None:
    (tmp_path / "texts.tsv").write_text("label\ttext\n1\t很好\n", encoding="utf-8")
    both = [data / "texts.tsv", tmp_path / "texts.tsv"]
    found = results("models/sentiment", "--task", "sentiment", "--data", both[0], "--data", both[1])
    assert [part["data"] for part in found] == [str(path) for path in both]


def test_pairs_of_two_labels(tiny_models: Path, data: Path) -> None:
    for task, fixed in (("similarity", True), ("embedding", False)):
        options = ["--task", task, "--data", data / "pairs.tsv", "--by", "kind"]
        found = results(tiny_models / "similarity", *options)
        assert [part["data"] for part in found] == ["pairs", "pairs, kind x", "pairs, kind y"]
        figures = found[0]["figures"]["light int8"]
        assert ("accuracy at 0.5" in figures) == fixed
        assert {"best threshold", "AUC", "F1 at the best", "mean score of 0", "mean score of 1"} <= set(figures)


def test_without_data_the_built_in_pairs_by_kind(tiny_models: Path) -> None:
    found = results(tiny_models / "similarity", "--task", "similarity")
    assert [part["about"] for part in found] == ["250 rows"] + ["50 rows"] * 5
    figures = {part["data"]: part["figures"]["light int8"] for part in found}
    assert -1 <= figures["perturbation"]["Spearman"] <= 1
    assert figures["perturbation, kind sense"]["Spearman"] is None  # all of one label
    assert "mean score of 0" in figures["perturbation, kind sense"]


def test_zero_shot_asks_about_the_names(tiny_models: Path, data: Path) -> None:
    options = ["--task", "zero-shot", "--data", data / "topics.tsv", "--label-names", data / "names.tsv"]
    (found,) = results(tiny_models / "zero-shot", *options, "--template", "这是{}新闻")
    assert set(found["confusion"]["light int8"]) == {"7", "8"}
    assert found["figures"]["light int8"].keys() == {"accuracy", "macro-F1"}
    (data / "labels.txt").write_text("7\n9\n", encoding="utf-8")
    refused = run(
        tiny_models / "zero-shot", "--task", "zero-shot", "--data", data / "topics.tsv", "--labels", data / "labels.txt"
    )
    assert "row 2" in refused.output
    assert "not among --labels" in refused.output


def test_rerank_rows_are_rankings_too(tiny_models: Path, data: Path) -> None:
    (found,) = results(tiny_models / "rerank", "--task", "rerank", "--data", data / "asked.tsv")
    figures = found["figures"]["light int8"]
    # The tiny model likes every document with 好 in it: right for one query, wrong for the other.
    assert figures["MRR@10"] == 0.75
    assert figures["nDCG@10"] == pytest.approx((1 + 1 / math.log2(3)) / 2)
    assert figures["AUC"] == 0.5


def test_collections_stand_beside_bm25(tiny_models: Path, data: Path) -> None:
    pytest.importorskip("bm25s", reason="needs requirements-evaluate.txt")
    (found,) = results(tiny_models / "rerank", "--task", "rerank", "--data", data)
    assert found["about"] == "2 queries, 3 documents, the first 50 of BM25 reranked"
    assert found["figures"]["BM25"] == pytest.approx({"nDCG@10": 1, "MRR@10": 1, "Recall@10": 1})
    assert found["figures"]["light int8"]["MRR@10"] < 1  # a and its 好 come first
    parts = [part for name in ("corpus", "queries", "qrels") for part in (f"--{name}", data / f"{name}.tsv")]
    done = run(tiny_models / "similarity", "--task", "embedding", *parts, "--limit", 1)
    assert done.exit_code == 0, done.output
    assert "1 queries, 3 documents" in done.stdout
    assert "Recall@10    1.0000      1.0000" in done.stdout


def test_a_missing_baseline_names_the_command_that_helps(
    tiny_models: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bm25s", None)
    done = run(tiny_models / "rerank", "--task", "rerank", "--data", data)
    assert done.exit_code == 1
    assert "pip install -r requirements-evaluate.txt" in done.output


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("sentiment", [], "give --data: a file with the columns label, text"),
        ("similarity", ["--data", "."], "similarity is asked about rows"),
        ("rerank", ["--corpus", "corpus.tsv"], "give all three"),
        ("similarity", ["--data", "texts.tsv"], "text_a is missing"),
        ("similarity", ["--data", "graded.tsv"], "not a whole number"),
        ("embedding", ["--data", "empty"], "has no corpus.tsv"),
    ],
)
def test_what_does_not_fit_is_refused(
    tiny_models: Path, data: Path, monkeypatch: pytest.MonkeyPatch, task: str, options: list[str], message: str
) -> None:
    (data / "graded.tsv").write_text("text_a\ttext_b\tlabel\n退\t款\t0.5\n", encoding="utf-8")
    (data / "empty").mkdir(exist_ok=True)
    monkeypatch.chdir(data)
    done = run(tiny_models / ("similarity" if task == "embedding" else task), "--task", task, *options)
    assert done.exit_code == 1
    assert message in done.output


def test_a_model_of_another_task_is_refused(tiny_models: Path, data: Path) -> None:
    done = run(tiny_models / "rerank", "--task", "similarity")
    assert done.exit_code == 1
    assert "is a rerank model, not one for similarity" in done.output
