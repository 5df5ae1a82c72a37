"""Token vectors to one vector a text. Pure: the exporter's checks and the training may call it as well."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray


def pool(output: NDArray[np.float32], lengths: list[int], pooling: Literal["mean", "cls"]) -> NDArray[np.float32]:
    """float32 [rows, dimensions] of a graph's float32 [rows, tokens, dimensions].

    "mean": over a row's own `lengths[i]` tokens, special ones included; "cls": its first token. An output that is
    [rows, dimensions] already stays as it is.
    """
    if output.ndim == 2:
        return output
    if pooling == "cls":
        return output[:, 0]
    # Row by row over what is the row's own, so that neither padding nor neighbours can change a bit.
    rows = [vectors[:length].mean(axis=0, dtype=np.float64) for vectors, length in zip(output, lengths, strict=True)]
    return np.array(rows, np.float32)


def unit_length(vector: NDArray[np.floating]) -> NDArray[np.float64]:
    """float64 [dimensions] of Euclidean length 1 in the vector's direction; a vector of zeros stays what it is."""
    wide = vector.astype(np.float64)
    length = float(np.sqrt((wide * wide).sum()))
    return wide / length if length > 0 else wide
