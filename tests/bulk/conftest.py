"""Runs `python -m structbert_lite score` in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from structbert_lite.bulk.command import command


@pytest.fixture
def score(tiny_models: Path, tmp_path: Path) -> Callable[..., Result]:
    """Scores a file that holds `data`, bytes or text."""

    def run(task: str, data: str | bytes, *options: str, source: str = "in.csv", out: str = "out.csv") -> Result:
        path = tmp_path / source
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        folder = tiny_models / ("similarity" if task == "embedding" else task)
        model = [] if "--model" in options else ["--model", str(folder)]
        given = [str(path), "--task", task, "-o", str(tmp_path / out), *model, *options]
        return CliRunner().invoke(command, given)

    return run
