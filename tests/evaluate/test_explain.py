"""Deletion: the command; that it holds for certain texts is in tests/tasks/test_explain.py."""

import json
from pathlib import Path

from click.testing import CliRunner

from structbert_lite.__main__ import main


def test_the_command(tmp_path: Path) -> None:
    file = tmp_path / "texts.tsv"
    file.write_text("text\n这部电影太烂了，完全浪费时间\n好\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["evaluate", "explain", "--data", str(file), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["texts"], told["certain, long enough"], told["strongest move more"]) == (2, 1, 1)
    assert told["mean fall, strongest"] > told["mean fall, random"]
    file.write_text("text\n好\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["evaluate", "explain", "--data", str(file)])
    assert (done.exit_code, "no text is certain" in done.output) == (1, True)
