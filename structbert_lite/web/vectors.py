"""Vectors as JSON."""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Finer than a float32 of the size that these have, and half as many bytes as its exact value.
DECIMALS = 9


def as_numbers(vectors: NDArray[np.floating]) -> list[Any]:
    """Vectors float32 [..., dimensions] as lists of numbers."""
    numbers: list[Any] = np.round(vectors.astype(np.float64), DECIMALS).tolist()
    return numbers


def as_base64(vector: NDArray[np.float32]) -> str:
    """A vector's float32 values, exact, in little-endian order."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
