import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.baseline import ROWS, main, measure_sides, report
from benchmarks.trees import Bare, Tree, checkout, python_with
from structbert_lite.bench.synthetic_texts import make_texts
from structbert_lite.settings import PROJECT
from tests.tiny_models import make_all

FACTS = {
    "date": "d",
    "machine": "a CPU",
    "load_average_before": 0.5,
    "client": "wrk",
    "rounds": 2,
    "seconds": 1,
    "overload_seconds": 1,
    "bare_model": "stock.onnx",
    "commits": {"old": "9117264d", "new": "014522c-dirty"},
    "versions": {"old": ["flask 3"]},
}


def test_an_unknown_commit_is_refused() -> None:
    result = CliRunner().invoke(main, ["--baseline", "no-such-commit"])
    assert result.exit_code == 2
    assert "no-such-commit is not a commit" in result.output


def test_a_checkout_has_the_commits_files_and_leaves_nothing(tmp_path: Path) -> None:
    repository, folder = tmp_path / "repository", tmp_path / "tree"
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    for step in (("init", "-q", str(repository)), ("-C", str(repository), *identity, "commit", "-qm", "empty")):
        subprocess.run(["git", *step, *(["--allow-empty"] if "commit" in step else [])], check=True)
    (repository / "new.txt").write_text("not of the commit")
    with checkout("HEAD", folder, repository):
        assert [path.name for path in folder.iterdir()] == [".git"]
    assert not folder.exists()
    with pytest.raises(RuntimeError, match="no-such-commit"), checkout("no-such-commit", folder, repository):
        pass


def test_a_requirement_that_cannot_be_installed_is_named(tmp_path: Path) -> None:
    wanted = tmp_path / "wanted.txt"
    wanted.write_text("/no/such/package\n")
    with pytest.raises(RuntimeError, match=r"wanted\.txt could not be installed: .*/no/such/package"):
        python_with("environment", wanted, tmp_path)


def test_every_figure_of_a_tree_is_measured(tmp_path: Path) -> None:
    models = make_all(tmp_path / "models")
    absent = Bare("absent", str(tmp_path / "no-python"), models / "none.onnx", models / "none.json", ["a"])
    tree = Tree("tree", PROJECT, sys.executable, models)
    (row,) = measure_sides([tree], 1, 1, 1, make_texts(100, seed=1))["tree"]
    assert set(row) == set(ROWS)
    assert row["failures"] == row["overload_bad"] == 0
    assert 0 < row["uss_1"] <= row["pss_1"]
    assert row["overhead_ms"] == pytest.approx(row["idle_ms"] - row["in_process_ms"])
    with pytest.raises((RuntimeError, OSError)):
        measure_sides([absent], 1, 1, 1, ["a"])


def test_the_bare_server_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = PROJECT / "models" / "sentiment"
    monkeypatch.setenv("MODEL", str(folder / "model.onnx"))
    monkeypatch.setenv("TOKENIZER", str(folder / "tokenizer.json"))
    monkeypatch.setenv("LABELS", "Negative,Neutral,Positive")
    from benchmarks.servers.bare import app

    heads: list[str] = []
    body = io.BytesIO('{"text": "房间很干净"}'.encode())
    (answer,) = app({"REQUEST_METHOD": "POST", "wsgi.input": body}, lambda status, _: heads.append(status))
    assert heads == ["200 OK"]
    probabilities = json.loads(answer)["probabilities"]
    assert max(probabilities, key=probabilities.get) == "Positive"
    assert sum(probabilities.values()) == pytest.approx(1)


def test_the_report_has_medians_and_ratios() -> None:
    rounds = [{"cached": 1000.0, "new": 400.0}, {"cached": 1200.0, "new": 440.0}]
    sides = {"old": rounds, "new": [{"cached": 4400.0, "new": 630.0}, {}], "bare": [{"new": 600.0}, {"new": 600.0}]}
    lines = report(FACTS | {"sides": sides}).splitlines()
    assert "a CPU" in lines[0]
    assert "stock.onnx" in lines[3]
    assert "new is 014522c-dirty" in lines
    assert "| median | old | new | bare | new / old | new / bare |" in lines
    assert "| /predict from the cache, 16 clients, requests/s | 1100 | 4400 | – | 4.00 | – |" in lines
    assert "| /predict, all texts new, 16 clients, requests/s | 420 | 630 | 600 | 1.50 | 1.05 |" in lines
    assert "| start to ready, s | – | – | – | – | – |" in lines
