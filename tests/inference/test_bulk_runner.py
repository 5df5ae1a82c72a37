"""Whole windows at a time: the same rows as one by one, in order, few padded tokens."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from structbert_lite.engine import Engine
from structbert_lite.errors import InferenceFailed
from structbert_lite.inference.bulk_runner import BATCH_TOKENS, MAX_BATCH, BulkRunner, cut_batches
from structbert_lite.inference.model import Model
from structbert_lite.request_context import RequestContext


@given(st.lists(st.integers(2, 600), max_size=300))
def test_every_input_is_in_one_batch_of_its_length(lengths: list[int]) -> None:
    batches = cut_batches(lengths)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    order = [lengths[i] for batch in batches for i in batch]
    assert order == sorted(lengths, reverse=True)
    for batch in batches:
        assert 1 <= len(batch) <= MAX_BATCH
        assert len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= BATCH_TOKENS


def test_rows_are_those_of_the_server_to_the_last_bit(engine: Engine) -> None:
    serving = engine.runners["sentiment"]
    bulk = BulkRunner(serving.model, 2)
    inputs = [(("好坏快慢" * 40)[: 1 + (7 * i) % 97],) for i in range(120)]
    try:
        rows = bulk.run([*inputs, ("好" * 3000,)], RequestContext())
    finally:
        bulk.close()
    alone = [serving.run([fields], RequestContext())[0] for fields in inputs[:20]]
    for row, other in zip(rows, alone, strict=False):
        assert np.array_equal(row.values, other.values)
        assert not row.truncated
    assert rows[-1].truncated


class Broken(Model):
    """Runs once, when it is loaded."""

    ran = False

    def infer(self, encodings: list) -> np.ndarray:
        if self.ran:
            raise MemoryError
        self.ran = True
        return super().infer(encodings)


class NoNumbers(Model):
    """Gives what is no number."""

    def infer(self, encodings: list) -> np.ndarray:
        return np.full_like(super().infer(encodings), np.nan)


@pytest.mark.parametrize(("kind", "reason"), [(Broken, "MemoryError"), (NoNumbers, "its output is not finite")])
def test_no_inputs_and_a_failure(model_folder: Path, kind: type[Model], reason: str) -> None:
    bulk = BulkRunner(kind.load(model_folder), 1)
    assert bulk.run([], RequestContext()) == []
    with pytest.raises(InferenceFailed, match=reason):
        bulk.run([("好",)], RequestContext())
    bulk.close()
