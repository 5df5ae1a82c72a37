import json
import subprocess
import sys
from pathlib import Path

import pytest

from structbert_lite.evaluate.compare import study
from structbert_lite.evaluate.model_process import exported_command
from structbert_lite.manifest import read_manifest
from structbert_lite.settings import PROJECT
from tests.tiny_models import make_three_way


def run(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "structbert_lite", "evaluate", "compare", *map(str, arguments)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)


def test_both_sides_are_measured(exported: tuple[Path, Path], labelled: Path) -> None:
    checkpoint, light = exported
    options = ["--python", sys.executable, "--rounds", 1, "--timed", 8, "--json"]
    done = run("--reference", checkpoint, "--model", light, "--data", labelled, *options)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert 0 < figures["agreement"] <= 1
    sides = figures["sides"]
    for side in sides.values():
        assert set(side["accuracy_by_label"]) == {"Negative", "Positive"}
        assert sum(side["accuracy_by_label"].values()) / 2 == pytest.approx(side["accuracy"])  # six of each
        assert all(side[name] > 0 for name in side if name not in {"accuracy", "accuracy_by_label"})
    # The light side would hold as much as the other if torch had come into it.
    assert sides["light"]["memory_mb"] < sides["reference"]["memory_mb"] / 2


def test_a_model_that_knows_neutral_is_judged_by_the_labels_of_the_file(tmp_path: Path) -> None:
    make_three_way(tmp_path / "three")
    sides = {"reference": exported_command(tmp_path / "three"), "light": exported_command(tmp_path / "three")}
    texts, expected = ["门门好", "坏", "门"], ["Positive", "Negative", "Neutral"]
    two = study(sides, texts, expected, ("Negative", "Positive"), (1, 1, 1))["sides"]["light"]
    assert two["accuracy_by_label"] == {"Positive": 1.0, "Negative": 1.0, "Neutral": 0.0}
    three = study(sides, texts, expected, read_manifest(tmp_path / "three").labels, (1, 1, 1))["sides"]["light"]
    assert three["accuracy_by_label"] == {"Positive": 0.0, "Negative": 1.0, "Neutral": 1.0}


def test_a_python_without_torch_is_told_what_to_install(labelled: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    done = run("--reference", tmp_path, "--data", labelled, "--python", tmp_path / "bare" / "bin" / "python")
    assert done.returncode == 1
    assert "torch is not installed; run: pip install -r requirements-export.txt" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_such_python(labelled: Path, tmp_path: Path) -> None:
    done = run("--reference", tmp_path, "--data", labelled, "--python", tmp_path / "none")
    assert done.returncode == 1
    assert "cannot be run: No such file" in done.stderr
