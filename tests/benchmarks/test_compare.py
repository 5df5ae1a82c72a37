from pathlib import Path

import click
import pytest

from benchmarks.compare import pair_from
from benchmarks.systems import INFINITY, OURS
from benchmarks.work import Pair, last_line, prepare


def test_a_pair_is_a_name_and_two_folders(tmp_path: Path) -> None:
    pair = pair_from(f"base={tmp_path}:models/sentiment")
    assert pair.name == "base"
    assert pair.checkpoint == tmp_path
    assert pair.model == Path("models/sentiment").resolve()


@pytest.mark.parametrize("text", ["models/sentiment", "a=models", "a=models:nowhere", "a b=models:models", "a=b:c:d"])
def test_what_is_no_pair_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        pair_from(text)


def test_other_weights_than_the_models_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ValueError, match="was not made from"):
        prepare(Pair("default", tmp_path, Path("models/sentiment").resolve()))


def test_answers_are_read_as_each_server_gives_them() -> None:
    assert OURS.read_one({"label": "A", "probabilities": {"A": 0.75, "B": 0.25}}) == {"A": 0.75, "B": 0.25}
    row = [{"label": "A", "score": 0.75}, {"label": "B", "score": 0.25}]
    assert INFINITY.read_one({"data": [row]}) == {"A": 0.75, "B": 0.25}
    assert INFINITY.read_several({"data": [row, row]}) == [{"A": 0.75, "B": 0.25}] * 2


def test_a_reason_is_the_last_line_of_a_trace() -> None:
    assert last_line("Traceback\n  File\nImportError: no x\n\n") == "ImportError: no x"
    assert last_line("") == "it said nothing"
