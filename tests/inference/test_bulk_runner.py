"""Whole windows at a time: the same rows as one by one, in order, few padded tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from structbert_lite.engine import Engine
from structbert_lite.errors import InferenceFailed
from structbert_lite.inference.bulk_runner import BATCH_TOKENS, MAX_BATCH, BulkEncoder, cut_batches
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
    encoder = engine.encoders["sentiment"]
    bulk = BulkEncoder(encoder, 2)
    inputs = [(("好坏快慢" * 40)[: 1 + (7 * i) % 97],) for i in range(120)]
    try:
        rows = bulk.encode([*inputs, ("好" * 3000,)], RequestContext())
    finally:
        bulk.close()
    alone = [encoder.encode([fields], RequestContext())[0] for fields in inputs[:20]]
    for row, other in zip(rows, alone, strict=False):
        assert np.array_equal(row.values, other.values)
        assert not row.truncated
    assert rows[-1].truncated


def test_no_inputs_and_a_failure(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    bulk = BulkEncoder(engine.encoders["sentiment"], 1)
    assert bulk.encode([], RequestContext()) == []
    monkeypatch.setattr(bulk, "_infer", lambda encodings: np.full((len(encodings), 2), np.nan, np.float32))
    with pytest.raises(InferenceFailed, match="not finite"):
        bulk.encode([("好",)], RequestContext())
    bulk.close()
