import numpy as np
import pytest

pytest.importorskip("tokenizers")

from training.examples import Example, batches, hold_out, read_labelled


def test_quotes_and_empty_lines_are_ordinary(tmp_path) -> None:
    path = tmp_path / "data.tsv"
    path.write_text('label\tsource\ttext\n1\ta\t"好\n0\tb\t坏"', encoding="utf-8")
    assert read_labelled(path) == [Example('"好', 1.0, "a"), Example('坏"', 0.0, "b")]


def test_batches_hold_every_row_once_under_the_budget() -> None:
    lengths = np.random.default_rng(1).integers(1, 200, 500).tolist()
    for rng in (None, np.random.default_rng(2)):
        groups = list(batches(lengths, 1000, rng))
        assert sorted(i for group in groups for i in group) == list(range(500))
        assert all(max(lengths[i] for i in group) * len(group) <= 1000 for group in groups)


def test_a_row_over_the_budget_has_a_batch_of_its_own() -> None:
    assert [group.tolist() for group in batches([5, 50], 10, None)] == [[0], [1]]


def test_hold_out_takes_what_is_asked_of_each_source() -> None:
    examples = [Example(str(n), 1.0, "ab"[n % 2]) for n in range(100)]
    kept, held = hold_out(examples, {"a": 10}, seed=3)
    assert [e.source for e in held] == ["a"] * 10
    assert {e.text for e in kept}.isdisjoint(e.text for e in held)
    assert len(kept) == 90
    assert hold_out(examples, {"a": 10}, seed=3) == (kept, held)
