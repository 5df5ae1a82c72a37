"""Vectors as JSON."""

import base64

import numpy as np

# Finer than a float32 of the size that these have, and half as many bytes as its exact value.
DECIMALS = 9


def as_numbers(vectors: np.ndarray) -> list:
    """Vectors float32 [..., dimensions] as lists of numbers."""
    return np.round(vectors.astype(np.float64), DECIMALS).tolist()


def as_base64(vector: np.ndarray) -> str:
    """A vector's float32 values, exact, in little-endian order."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")
