"""The head of a Siamese model: two vectors to one logit, the same in both orders."""

import zipfile
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from structbert_lite.errors import InvalidModel
from structbert_lite.inference.model import unit_length
from structbert_lite.manifest import MANIFEST_NAME, MATCHER_NAME, Manifest

FEATURES = {
    "u": lambda u, v: u,
    "v": lambda u, v: v,
    "abs_diff": lambda u, v: np.abs(u - v),
    "product": lambda u, v: u * v,
}


class PairMatcher:
    """logit(u, v) = sum over features and dimensions of weight * feature, plus bias, in float64."""

    def __init__(self, weight: NDArray[np.float32], bias: float, features: tuple[str, ...], normalize: bool) -> None:
        """`weight` is [features, dimensions]; `normalize`: u and v are brought to unit length first."""
        self._weight = weight.astype(np.float64)
        self._bias = float(bias)
        self._features = features
        self._normalize = normalize
        self._sees_the_order = not {"u", "v"}.isdisjoint(features)

    @classmethod
    def load(cls, folder: Path, manifest: Manifest) -> Self:
        """The matcher of the model in `folder`. Raises InvalidModel with the file's name."""
        path, facts = folder / MATCHER_NAME, manifest.matcher
        if facts is None:
            raise InvalidModel(f"{folder / MANIFEST_NAME} has no matcher")
        try:
            with np.load(path, allow_pickle=False) as arrays:
                weight, bias = arrays["weight"], arrays["bias"]
        except (OSError, KeyError, ValueError, AttributeError, EOFError, zipfile.BadZipFile) as error:
            raise InvalidModel(f"{path} is not a matcher: {error}") from None
        expected = (len(facts.features), manifest.dimensions)
        if weight.shape != expected or bias.shape != () or {weight.dtype, bias.dtype} != {np.dtype(np.float32)}:
            raise InvalidModel(
                f"{path} holds weight {weight.dtype} {list(weight.shape)} and bias {bias.dtype} {list(bias.shape)}, "
                f"its manifest says float32 {list(expected)} and float32 []"
            )
        if not (np.isfinite(weight).all() and np.isfinite(bias)):
            raise InvalidModel(f"{path} holds a number that is not finite")
        return cls(weight, float(bias), facts.features, facts.normalize)

    def logit(self, u: NDArray[np.floating], v: NDArray[np.floating]) -> float:
        """The logit of two vectors [dimensions]; it has the same bits in both orders."""
        if self._normalize:
            u, v = unit_length(u), unit_length(v)
        a, b = u.astype(np.float64), v.astype(np.float64)
        if not self._sees_the_order:
            return self._one_way(a, b)
        # A float sum of two is the same in both orders, which a sum over all four features would not be.
        return (self._one_way(a, b) + self._one_way(b, a)) / 2

    def _one_way(self, u: NDArray[np.float64], v: NDArray[np.float64]) -> float:
        seen = np.stack([FEATURES[name](u, v) for name in self._features])
        return float((self._weight * seen).sum()) + self._bias
