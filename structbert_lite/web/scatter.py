"""Where sentences stand on a map. static/scatter.js does the same.

Principal components of unit vectors are the eigenvectors of their centred cosines. Across, a place is a share of the
width, which depends on the screen; down, it is pixels. Points that would cover each other are moved apart, reckoned for
the width of a phone; a name stands beside its point where there is room for it on a wide screen.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

MARGIN = 24
LEAST_HEIGHT, MOST_HEIGHT = 280, 520  # pixels
SPREAD = 42  # percent of the width to either side of the middle
PHONE, WIDE = 280, 560  # pixels of width for which points, and names, have room
RADIUS = 10  # pixels of a point, which has a number in it
ROUNDS = 200
NAME = 8  # characters of a sentence on the map
IDEOGRAPH, LETTER, HALF_LINE = 13, 8, 9  # pixels

Side = Literal["right", "left", ""]


@dataclass(frozen=True)
class Point:
    """`x` in percent, `y` in pixels, and on which side of it its name has room."""

    x: float
    y: float
    side: Side


def height_of(count: int) -> int:
    """Pixels of a map of so many points."""
    return min(max(LEAST_HEIGHT, 160 + 12 * count), MOST_HEIGHT)


def short_name(text: str) -> str:
    """What stands on the map for a sentence."""
    return text[:NAME] + "…" * (len(text) > NAME)


def points_of(cosines: NDArray[np.float64], names: Sequence[str]) -> list[Point]:
    """A point for each row of cosines [count, count]; one scale for both axes."""
    height = height_of(len(cosines))
    across, down = _components(cosines)
    scale = max(np.abs([across, down]).max(), 1e-9)
    x = (50 + SPREAD * across / scale) * PHONE / 100
    y = height / 2 + (height / 2 - MARGIN) * down / scale
    places = [(100 * x / PHONE, y) for x, y in _apart(list(zip(x.tolist(), y.tolist(), strict=True)), height)]
    sides = _sides([(WIDE * x / 100, y) for x, y in places], names)
    return [Point(round(x, 2), round(y, 2), side) for (x, y), side in zip(places, sides, strict=True)]


def _components(cosines: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first two, each [count]. A sign is free: the largest number is made positive, as the script does."""
    centre = np.eye(len(cosines)) - 1 / len(cosines)
    values, vectors = np.linalg.eigh(centre @ cosines @ centre)
    found = [vectors[:, i] * np.sqrt(max(values[i], 0)) for i in range(-1, -len(values) - 1, -1)][:2]
    found += [np.zeros(len(cosines))] * (2 - len(found))
    first, second = (one * np.sign(one[np.abs(one).argmax()] or 1) for one in found)
    return first, second


def _apart(places: list[tuple[float, float]], height: float) -> list[tuple[float, float]]:
    """Each two that cover each other give way by half of what is missing, until none do."""
    least = 2 * RADIUS + 2
    for _ in range(ROUNDS):
        moved = False
        for j, i in itertools.combinations(range(len(places)), 2):
            (x1, y1), (x2, y2) = places[i], places[j]
            distance = math.hypot(x1 - x2, y1 - y2)
            if distance > least - 0.01:
                continue
            moved = True
            # The same place: any direction that is another one for each.
            dx, dy = ((x1 - x2) / distance, (y1 - y2) / distance) if distance > 0.01 else (math.cos(i), math.sin(i))
            step = (least - distance) / 2
            places[i] = _inside(x1 + dx * step, y1 + dy * step, height)
            places[j] = _inside(x2 - dx * step, y2 - dy * step, height)
        if not moved:
            break
    return places


def _inside(x: float, y: float, height: float) -> tuple[float, float]:
    return min(max(x, RADIUS), PHONE - RADIUS), min(max(y, RADIUS), height - RADIUS)


def _sides(places: list[tuple[float, float]], names: Sequence[str]) -> list[Side]:
    """For each name a side on which it covers nothing, the one towards the middle first."""
    taken = [(x - RADIUS, x + RADIUS, y - RADIUS, y + RADIUS) for x, y in places]
    sides: list[Side] = []
    for i, ((x, y), name) in enumerate(zip(places, names, strict=True)):
        width = sum(IDEOGRAPH if ord(letter) > 0x1FFF else LETTER for letter in name)
        order: tuple[Side, Side] = ("right", "left") if x <= WIDE / 2 else ("left", "right")
        free: Side = ""
        for side in order:
            start = x + RADIUS + 3 if side == "right" else x - RADIUS - 3 - width
            box = (start, start + width, y - HALF_LINE, y + HALF_LINE)
            others = (other for k, other in enumerate(taken) if k != i)
            if box[0] >= 0 and box[1] <= WIDE and not any(_overlap(box, other) for other in others):
                taken.append(box)
                free = side
                break
        sides.append(free)
    return sides


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
