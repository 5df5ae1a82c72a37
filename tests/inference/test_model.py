import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from structbert_lite.inference.pooling import pool, unit_length


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 20), st.integers(0, 2**32))
def test_neither_padding_nor_neighbours_change_a_bit(lengths: list[int], padding: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    output = rng.normal(size=(len(lengths), max(lengths) + padding, 5)).astype(np.float32)
    together = pool(output, lengths, "mean")
    alone = [pool(output[i : i + 1, :length], [length], "mean")[0] for i, length in enumerate(lengths)]
    assert together.dtype == np.float32
    assert together.tobytes() == np.array(alone).tobytes()


def test_mean_and_cls_of_known_vectors() -> None:
    output = np.array([[[1, 2], [3, 6], [100, 100]]], np.float32)
    assert pool(output, [2], "mean").tolist() == [[2, 4]]
    assert pool(output, [2], "cls").tolist() == [[1, 2]]
    assert pool(output[:, 0], [2], "mean").tolist() == [[1, 2]]  # the graph has pooled already


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_unit_length(scale: float) -> None:
    assert np.linalg.norm(unit_length(np.array([3, 4, 12], np.float32) * np.float32(scale))) == pytest.approx(1)


def test_zeros_have_no_direction() -> None:
    assert unit_length(np.zeros(3, np.float32)).tolist() == [0, 0, 0]
