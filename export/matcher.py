"""The matcher of a Siamese model as the server has it: numpy on two vectors."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FoldedMatcher:
    """One linear layer on features of u and v. `weight`: float32 [features, dimensions]."""

    weight: NDArray[np.float32]
    bias: float
    features: tuple[str, ...]
    normalize: bool

    def logits(self, u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [pairs] for vectors float32 [pairs, dimensions]."""
        if self.normalize:
            u, v = (x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12) for x in (u, v))
        parts = {"u": u, "v": v, "abs_diff": np.abs(u - v), "product": u * v}
        terms = [(parts[name] * row).sum(axis=-1) for name, row in zip(self.features, self.weight, strict=True)]
        found: NDArray[np.float32] = (np.sum(terms, axis=0) + self.bias).astype(np.float32)
        return found

    def save(self, path: Path) -> None:
        """Writes the arrays `weight` [features, dimensions] and `bias` [] as float32, without any pickle."""
        with path.open("wb") as file:
            np.savez(file, weight=self.weight.astype(np.float32), bias=np.float32(self.bias))


def pool(tokens: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    """The mean of each row's unpadded tokens: float32 [batch, tokens, width], [batch, tokens] -> [batch, width]."""
    counts = np.maximum(mask.sum(axis=1, keepdims=True), 1)
    means: NDArray[np.float32] = (np.where(mask[..., None] > 0, tokens, 0).sum(axis=1) / counts).astype(np.float32)
    return means
