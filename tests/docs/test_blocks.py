"""Examples in blocks: JSON, YAML and Python that can be read, and what can be run without a network is run."""

import ast
import json
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from structbert_lite.__main__ import main
from structbert_lite.settings import PROJECT
from tests.docs.pages import PAGES, command_lines, fenced, name_of, read

BULK = (PROJECT / "docs/bulk.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_of_a_language_are_of_that_language(page: Path) -> None:
    for block in fenced(read(page), "json"):
        json.loads(block if block.lstrip()[0] in "{[" else f"{{{block}}}")  # a member of an object is shown as such
    for block in fenced(read(page), "yaml"):
        assert yaml.safe_load(block)
    for block in fenced(read(page), "python"):
        ast.parse(block)


def test_the_example_of_bulk_scoring_gives_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, shown = fenced(BULK, "csv")
    first = next(command_lines(fenced(BULK, "")[0]))
    monkeypatch.chdir(tmp_path)
    Path("reviews.csv").write_text(source, encoding="utf-8")
    assert first[:4] == shlex.split("python -m structbert_lite score")
    done = CliRunner().invoke(main, first[3:])
    assert done.exit_code == 0, done.output  # a row has an error
    assert rounded(Path("scored.csv").read_text(encoding="utf-8")) == rounded(shown)


def rounded(table: str) -> list[list[str]]:
    """The last decimals of a score may differ between CPUs."""
    rows = [line.split(",") for line in table.splitlines()]
    return [[str(round(float(cell), 3)) if cell.startswith("0.") else cell for cell in row] for row in rows]
