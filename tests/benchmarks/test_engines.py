import json
import subprocess
import sys

import pytest

from benchmarks.engines import EngineFailed, Kernel, running_engine
from benchmarks.work import Pair
from structbert_lite.settings import PROJECT

DEFAULT = PROJECT / "models" / "sentiment"


def test_a_worker_answers_with_texts_a_second_and_with_logits() -> None:
    questions = [{"batch": 2, "tokens": 8, "seconds": 0.01}, {"ids": [[101, 2523, 102], [101, 2523, 1962, 102]]}]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.kernels.ours", str(DEFAULT), "1", "2"],
        cwd=PROJECT,
        input="".join(json.dumps(question) + "\n" for question in questions),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    ready, per_second, logits = map(json.loads, done.stdout.splitlines())
    assert ready == "ready"
    assert per_second > 0
    assert [len(row) for row in logits] == [3, 3]


def test_an_engine_without_its_environment_says_so() -> None:
    kernel = Kernel("none", "no-such-environment", "ours", "")
    with (
        pytest.raises(EngineFailed, match="no-such-environment"),
        running_engine(kernel, Pair("a", DEFAULT, DEFAULT), 1, 1),
    ):
        pass
