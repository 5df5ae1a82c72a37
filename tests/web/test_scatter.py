"""The map against what its definition says: distances, signs, room for labels."""

import itertools

import numpy as np
import pytest

from structbert_lite.web.scatter import LINE, MARGIN, height_of, points_of


def cosines_of(count: int, dimensions: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dimensions))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors @ vectors.T


def test_vectors_of_two_dimensions_keep_their_distances() -> None:
    cosines = cosines_of(6, 2)
    points = points_of(cosines)
    height = height_of(6)
    # Undo the picture: across in shares of the half width, down in shares of the half height.
    flat = np.array([[(p.x - 50) / 42, (p.y - height / 2) / (height / 2 - MARGIN)] for p in points])
    drawn = np.linalg.norm(flat[:, None] - flat[None], axis=2)
    true = np.sqrt(np.maximum(2 - 2 * cosines, 0))
    assert drawn / drawn.max() == pytest.approx(true / true.max(), abs=0.001)


@pytest.mark.parametrize("count", [1, 2, 3, 30])
def test_every_point_is_on_the_map_and_labels_have_room(count: int) -> None:
    points = points_of(cosines_of(count, 16))
    height = height_of(count)
    assert all(0 <= point.x <= 100 and 0 <= point.y <= height for point in points)
    labels = sorted(point.label_y for point in points)
    assert all(lower - upper >= LINE - 0.01 for upper, lower in itertools.pairwise(labels))
    assert labels[0] >= 0
    assert labels[-1] <= height


def test_one_text_over_and_over_is_one_point_in_the_middle() -> None:
    points = points_of(np.ones((3, 3)))
    assert {(point.x, point.y) for point in points} == {(50, height_of(3) / 2)}
