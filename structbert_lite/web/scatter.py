"""Where sentences stand on a map. static/scatter.js does the same.

Principal components of unit vectors are the eigenvectors of their centred cosines. Across, a place is a share of the
width, which depends on the screen; down, it is pixels, so that labels can be kept apart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LINE = 20  # pixels that a label needs
MARGIN = 24
LEAST_HEIGHT = 280
SPREAD = 42  # percent of the width to either side of the middle


@dataclass(frozen=True)
class Point:
    """`x` in percent; `y` and the label's own `label_y` in pixels."""

    x: float
    y: float
    label_y: float


def height_of(count: int) -> int:
    """Pixels of a map on which so many labels can stand one below the other."""
    return max(LEAST_HEIGHT, LINE * count + 2 * MARGIN)


def points_of(cosines: NDArray[np.float64]) -> list[Point]:
    """A point for each row of cosines [count, count]; one scale for both axes."""
    height = height_of(len(cosines))
    across, down = _components(cosines)
    scale = max(np.abs([across, down]).max(), 1e-9)
    x = 50 + SPREAD * across / scale
    y = height / 2 + (height / 2 - MARGIN) * down / scale
    return [
        Point(*(round(float(number), 2) for number in place)) for place in zip(x, y, _apart(y, height), strict=True)
    ]


def _components(cosines: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first two, each [count]. A sign is free: the largest number is made positive, as the script does."""
    centre = np.eye(len(cosines)) - 1 / len(cosines)
    values, vectors = np.linalg.eigh(centre @ cosines @ centre)
    found = [vectors[:, i] * np.sqrt(max(values[i], 0)) for i in range(-1, -len(values) - 1, -1)][:2]
    found += [np.zeros(len(cosines))] * (2 - len(found))
    first, second = (one * np.sign(one[np.abs(one).argmax()] or 1) for one in found)
    return first, second


def _apart(y: NDArray[np.float64], height: float) -> NDArray[np.float64]:
    """Label places [count] at least a line from each other, in the order of `y`."""
    order = np.argsort(y, kind="stable")
    places = y[order]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + LINE)
    lowest = height - MARGIN
    for i in reversed(range(len(places))):
        places[i] = min(places[i], lowest)
        lowest = places[i] - LINE
    placed = np.empty_like(places)
    placed[order] = places
    return placed
