import os
from pathlib import Path

import pytest

from training.finetune.refusal import FinetuneRefused
from training.finetune.state import State, forget


def note(state: State, *figures: tuple[float, float]) -> State:
    for epoch, (macro_f1, loss) in enumerate(figures, 1):
        state.note({"epoch": epoch, "macro_f1": macro_f1, "loss": loss})
    return state


def test_the_best_epoch_and_when_to_stop() -> None:
    assert State({}).best == 0
    assert not State({}).has_lost(1)
    assert note(State({}), (0.5, 1), (0.7, 1), (0.6, 1)).best == 2
    assert note(State({}), (0.5, 1), (0.7, 1), (0.7, 0.5), (0.7, 0.5)).best == 3
    assert note(State({}), (0.7, 1), (0.6, 1), (0.6, 1)).has_lost(2)
    assert not note(State({}), (0.7, 1), (0.6, 1), (0.8, 1)).has_lost(2)


def test_a_resumed_run_measures_its_last_epoch_again() -> None:
    state = note(State({}), (0.5, 1), (0.7, 1))
    state.note({"epoch": 2, "macro_f1": 0.9, "loss": 1})
    assert [one["macro_f1"] for one in state.epochs] == [0.5, 0.9]


def test_it_is_found_again(tmp_path: Path) -> None:
    setup = {"labels": ("甲", "乙"), "recipe": {"epochs": 3}}
    state = note(State.open(tmp_path, setup), (0.5, 1))
    state.save(tmp_path)
    assert State.open(tmp_path, setup) == state
    with pytest.raises(
        FinetuneRefused, match="holds a run with another labels, recipe; give another folder with --run"
    ):
        State.open(tmp_path, {"labels": ("甲", "丙"), "recipe": {"epochs": 4}})


def test_forgetting_leaves_other_files_alone(tmp_path: Path) -> None:
    (tmp_path / "resume.pt").write_bytes(b"of another command")
    forget(tmp_path)
    with pytest.raises(FinetuneRefused, match="holds a run of another command"):
        State.open(tmp_path, {})
    State({}).save(tmp_path)
    (tmp_path / "epoch-3").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    forget(tmp_path)
    assert os.listdir(tmp_path) == ["notes.txt"]
