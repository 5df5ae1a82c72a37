"""The benchmark runs the real server; what is held is the report, never a time."""

import json
import subprocess
import sys

from structbert_lite.bench.synthetic_texts import make_texts
from structbert_lite.settings import PROJECT


def test_sample_texts_are_different_and_the_same_every_time() -> None:
    texts = make_texts(500, seed=1)
    assert len(set(texts)) == 500
    assert texts == make_texts(500, seed=1)
    assert min(map(len, texts)) < 20
    assert max(map(len, texts)) > 200


def test_benchmark_reports_every_figure() -> None:
    command = [sys.executable, "-m", "structbert_lite", "benchmark", "--requests", "50", "--rounds", "1", "--json"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert [row["clients"] for row in figures["http"]] == [1, 4, 16, 64]
    assert all(row["failures"] == 0 and row["requests"] == 50 for row in [*figures["http"], figures["http_cached"]])
    for name in ("start_seconds", "memory_mb_at_start", "memory_mb_after_requests", "tokenize_and_run_p50_ms"):
        assert figures[name] > 0


def test_a_folder_that_is_no_model_is_refused_with_a_sentence() -> None:
    command = [sys.executable, "-m", "structbert_lite", "benchmark", "tests"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "has no manifest.json" in done.stderr
    assert "Traceback" not in done.stderr
