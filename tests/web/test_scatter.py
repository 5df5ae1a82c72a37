"""The map against what its definition says: distances, signs, room for points and names."""

import itertools
import math

import numpy as np
import pytest

from structbert_lite.web.scatter import IDEOGRAPH, MARGIN, PHONE, RADIUS, WIDE, height_of, points_of, short_name


def cosines_of(count: int, dimensions: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dimensions))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors @ vectors.T


def test_vectors_of_two_dimensions_keep_their_distances() -> None:
    cosines = cosines_of(6, 2)
    points = points_of(cosines, ["句"] * 6)
    height = height_of(6)
    # Undo the picture: across in shares of the half width, down in shares of the half height.
    flat = np.array([[(p.x - 50) / 42, (p.y - height / 2) / (height / 2 - MARGIN)] for p in points])
    drawn = np.linalg.norm(flat[:, None] - flat[None], axis=2)
    true = np.sqrt(np.maximum(2 - 2 * cosines, 0))
    assert drawn / drawn.max() == pytest.approx(true / true.max(), abs=0.001)


@pytest.mark.parametrize("dimensions", [1, 2, 16])
@pytest.mark.parametrize("count", [1, 2, 3, 30])
def test_every_point_is_on_the_map_and_covers_no_other(count: int, dimensions: int) -> None:
    points = points_of(cosines_of(count, dimensions), ["句"] * count)
    for one in points:
        assert 0 <= one.x <= 100
        assert RADIUS - 0.01 <= one.y <= height_of(count) - RADIUS + 0.01
    for one, other in itertools.combinations(points, 2):
        assert math.hypot((one.x - other.x) / 100 * PHONE, one.y - other.y) >= 2 * RADIUS


@pytest.mark.parametrize("seed", range(5))
def test_names_stand_where_they_cover_nothing(seed: int) -> None:
    name = "一二三四五六七八…"
    points = points_of(cosines_of(30, 16, seed), [name] * 30)
    boxes = [(WIDE * p.x / 100 - RADIUS, WIDE * p.x / 100 + RADIUS, p.y - RADIUS, p.y + RADIUS) for p in points]
    names = []
    for point in points:
        if point.side:
            edge = WIDE * point.x / 100 + (RADIUS + 3) * (1 if point.side == "right" else -1)
            ends = sorted((edge, edge + len(name) * IDEOGRAPH * (1 if point.side == "right" else -1)))
            names.append((*ends, point.y - 9, point.y + 9))
    assert len(names) >= 8
    assert all(box[0] >= 0 and box[1] <= WIDE for box in names)
    # A name stands three pixels from its own point.
    for one, other in [*itertools.combinations(names, 2), *itertools.product(names, boxes)]:
        assert one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]


def test_the_same_text_over_and_over_is_a_heap_in_the_middle() -> None:
    height = height_of(3)
    for point in points_of(np.ones((3, 3)), ["句"] * 3):
        assert math.hypot((point.x - 50) / 100 * PHONE, point.y - height / 2) < 2 * (2 * RADIUS + 2)


def test_a_name_is_the_beginning_of_a_sentence() -> None:
    assert short_name("今天天气很好") == "今天天气很好"
    assert short_name("今天天气很好，外面") == "今天天气很好，外…"
