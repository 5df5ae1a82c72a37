"""Logits to numbers that people read, in float64."""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Logits: TypeAlias = Sequence[float] | NDArray[np.float32]

# Six decimals are what a reader can use; two probabilities so rounded still sum to 1.
DECIMALS = 6


def softmax(logits: Logits) -> list[float]:
    """exp(z_i) / sum exp(z), rounded."""
    return [round(share, DECIMALS) for share in _shares(logits)]


def whole_softmax(logits: Logits) -> list[float]:
    """exp(z_i) / sum exp(z), so rounded that they sum to 1: what is missing goes where most was cut off.

    Of two that were cut alike the higher logit gets it, so that none comes out above a higher one.
    """
    whole = 10**DECIMALS
    exact = [share * whole for share in _shares(logits)]
    units = [math.floor(share) for share in exact]
    by_rest = sorted(range(len(units)), key=lambda i: (units[i] - exact[i], -logits[i]))
    for i in by_rest[: whole - sum(units)]:
        units[i] += 1
    return [unit / whole for unit in units]


def sigmoid(z: float) -> float:
    """1 / (1 + exp(-z)), rounded; no z overflows."""
    power = math.exp(-abs(z))
    return round((1.0 if z >= 0 else power) / (1.0 + power), DECIMALS)


def same_logit(logits: Logits, labels: Sequence[str]) -> float:
    """A cross-encoder's one number for "these two say the same": of entailment against all else, where it has that."""
    if "entailment" not in labels:
        return pair_logit(logits)
    place = labels.index("entailment")
    others = [float(z) for i, z in enumerate(logits) if i != place]
    highest = max(others)
    return float(logits[place]) - highest - math.log(sum(math.exp(z - highest) for z in others))


def pair_logit(logits: Logits) -> float:
    """A cross-encoder's one number for a pair: its single logit, or how far "yes" (the second) is above "no"."""
    return float(logits[0]) if len(logits) == 1 else float(logits[1]) - float(logits[0])


def _shares(logits: Logits) -> list[float]:
    highest = float(max(logits))
    powers = [math.exp(float(z) - highest) for z in logits]
    total = sum(powers)
    return [power / total for power in powers]
