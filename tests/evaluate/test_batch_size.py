import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from structbert_lite.engine import Engine
from structbert_lite.evaluate.batch_report import BEGIN, END
from structbert_lite.evaluate.batch_size import choose_kind
from structbert_lite.evaluate.onnx_process import load_model
from structbert_lite.manifest import MODEL_NAME, read_manifest
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import PROJECT, Settings
from tests.tiny_models import make_three_way

START = [sys.executable, "-m", "structbert_lite"]


def run(*arguments: object, start: list[str] = START) -> subprocess.CompletedProcess:
    command = [*start, "evaluate", "batch-size", *map(str, arguments)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)


def test_the_default_model_gives_the_same_bits_in_every_batch(labelled: Path) -> None:
    done = run("--texts", labelled, "--shuffles", 2, "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["files"]["sentiment"]["rows"]
    assert [row["batch"] for row in rows] == [1, 2, 4, 8, 16, 32]
    for row in rows:
        assert row["same_bits"]
        assert (row["rank_sigma"], row["rank_swing"]) == (0, 0)
        assert row["delta_threshold"] == rows[0]["delta_threshold"]
        assert min(row["batch_ms"], row["per_second"], row["peak_mb"]) > 0


def test_stock_int8_does_not(exported: tuple[Path, Path], labelled: Path, tmp_path: Path) -> None:
    checkpoint, light = exported
    pytest.importorskip("matplotlib", reason="needs requirements-evaluate.txt")
    from benchmarks.stock_int8 import main as make_stock_int8

    stock, page, plot = tmp_path / "stock.onnx", tmp_path / "page.md", tmp_path / "plot.png"
    made = CliRunner().invoke(make_stock_int8, ["--checkpoint", str(checkpoint), "--out", str(stock)])
    assert made.exit_code == 0, made.output
    page.write_text(f"before\n{BEGIN}\nstale\n{END}\nafter\n", encoding="utf-8")
    options = ["--shuffles", 2, "--json", "--markdown", page, "--plot", plot]
    done = run("--model", light, "--against", stock, "--texts", labelled, *options)
    assert done.returncode == 0, done.stderr
    files = json.loads(done.stdout)["files"]
    assert all(row["same_bits"] for row in files["light"]["rows"])
    moved = [row["batch"] for row in files["stock.onnx"]["rows"] if row["rank_swing"] > 0]
    # Alone a text has its own scale; a batch of all twelve has the same one in every order.
    assert moved == [2, 4, 8]
    assert [row["same_bits"] for row in files["stock.onnx"]["rows"]] == [True, False, False, False, False, False]
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\n12 inputs, 6 of them strong")
    assert text.endswith(f"\n{END}\nafter\n")
    assert "### stock.onnx" in text
    assert "stale" not in text
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_pairs_are_not_for_a_sentiment_model(labelled: Path) -> None:
    done = run("--model", "models/sentiment", "--pairs", labelled)
    assert done.returncode == 1
    assert "sentiment is a sentiment model: it takes --texts, not --pairs" in done.stderr


def test_the_built_in_pairs_on_a_siamese_model(tiny_models: Path) -> None:
    done = run("--model", tiny_models / "similarity", "--pairs", "--shuffles", 2, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["about"].startswith("250 inputs, 84 of them strong")
    rows = answer["files"]["similarity"]["rows"]
    assert all(row["same_bits"] and row["rank_swing"] == 0 for row in rows)


def test_scores_of_pairs_are_those_of_the_pipeline(tiny_models: Path, tiny_engine: Engine) -> None:
    pairs = [("好房间", "房间不错"), ("退款", "什么时候能退给我呢")]
    manifest = read_manifest(tiny_models / "similarity")
    _, answer = load_model(tiny_models / "similarity", tiny_models / "similarity" / MODEL_NAME)
    found = choose_kind(manifest).score(answer(pairs))
    expected = [result.score for result in tiny_engine.predict("similarity", pairs, RequestContext.within(60))]
    assert found == pytest.approx(expected, abs=1e-6)


def test_scores_of_a_model_that_knows_neutral_are_of_its_opinions(tmp_path: Path) -> None:
    make_three_way(tmp_path / "three")
    manifest = read_manifest(tmp_path / "three")
    _, answer = load_model(tmp_path / "three", tmp_path / "three" / MODEL_NAME)
    engine = Engine(Settings(models=tmp_path))
    texts = ["好好门", "坏门门门", "好"]
    expected = [r.probabilities["Positive"] for r in engine.predict("sentiment", texts, RequestContext.within(60))]
    engine.close()
    assert choose_kind(manifest).score(answer(texts)) == pytest.approx(expected, abs=1e-6)


def test_other_tasks_have_no_such_score(tiny_models: Path, labelled: Path) -> None:
    done = run("--model", tiny_models / "rerank", "--pairs", labelled)
    assert done.returncode == 1
    assert "rerank is a rerank model: this study is of sentiment and similarity" in done.stderr


def test_one_kind_of_input_is_asked_for(labelled: Path) -> None:
    assert "give one of --pairs and --texts" in run().stderr
    assert "give one of --pairs and --texts" in run("--texts", labelled, "--pairs", labelled).stderr


def test_a_file_of_one_label_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("label\ttext\n1\t好\n1\t很好\n", encoding="utf-8")
    done = run("--texts", tmp_path / "a.tsv")
    assert done.returncode == 1
    assert "there is only one kind" in done.stderr


def test_a_page_without_markers_is_refused_before_the_work(labelled: Path, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("nothing", encoding="utf-8")
    done = run("--texts", labelled, "--markdown", tmp_path / "a.md")
    assert done.returncode == 1
    assert "to write between" in done.stderr


def test_a_plot_without_matplotlib_names_the_command_that_helps(labelled: Path, tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['matplotlib'] = None; from structbert_lite.__main__ import main; main()"
    done = run("--texts", labelled, "--plot", tmp_path / "a.png", start=[sys.executable, "-c", hidden])
    assert done.returncode == 1
    assert "pip install -r requirements-evaluate.txt" in done.stderr
    assert "Traceback" not in done.stderr
