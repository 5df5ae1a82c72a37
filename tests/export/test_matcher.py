"""The matcher as the server reads it."""

import numpy as np

from export.matcher import FoldedMatcher, pool


def test_padding_is_no_part_of_the_mean():
    tokens = np.array([[[1, 2], [3, 4], [100, np.nan]], [[1, 1], [2, 2], [6, 3]]], np.float32)
    mask = np.array([[1, 1, 0], [1, 1, 1]])
    np.testing.assert_array_equal(pool(tokens, mask), np.array([[2, 3], [3, 2]], np.float32))


def test_the_file_holds_two_float32_arrays_and_no_pickle(tmp_path):
    matcher = FoldedMatcher(np.arange(6, dtype=np.float64).reshape(2, 3), 0.5, ("abs_diff", "product"), True)
    matcher.save(tmp_path / "matcher.npz")
    with np.load(tmp_path / "matcher.npz", allow_pickle=False) as arrays:
        assert {name: (a.shape, a.dtype) for name, a in arrays.items()} == {
            "weight": ((2, 3), np.float32),
            "bias": ((), np.float32),
        }


def test_a_vector_of_zeros_has_a_finite_logit():
    matcher = FoldedMatcher(np.ones((2, 3), np.float32), 0.5, ("abs_diff", "product"), True)
    assert np.isfinite(matcher.logits(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32))).all()
