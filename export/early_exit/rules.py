"""Which answers logits decide, and the room there is around each: how far the logits may move before one changes.

A label changes where two logits meet. A sentiment model that knows Neutral answers more: the better of the two
opinions, the best of the three labels, and whether to rely on it (structbert_lite/tasks/sentiment.py). With d the
difference of the opinions' logits and z the logits, its `uncertain` is

    p(Neutral) >= neutral     <=>  n = z[Neutral] - ln(e^z[Negative] + e^z[Positive]) >= ln(neutral / (1 - neutral))
    |p2 - p1| < margin        <=>  |d| < 2 artanh(margin)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from structbert_lite.manifest import THREE_WAY, Manifest, Uncertainty

LARGEST = 1 - 1e-6  # of a probability whose logit is taken


@dataclass(frozen=True, slots=True)
class ThreeWay:
    """`places`: of Negative, Neutral and Positive; `neutral` and `margin`: where n and |d| change the verdict."""

    places: tuple[int, int, int]
    neutral: float
    margin: float


@dataclass(frozen=True, slots=True)
class Room:
    """How much is asked for, in units of the logits: of the best label above the next; of d; of n."""

    label: float
    opinion: float = 0.0
    neutral: float = 0.0

    def times(self, factor: float) -> "Room":
        return Room(self.label * factor, self.opinion * factor, self.neutral * factor)


def three_way_of(manifest: Manifest) -> ThreeWay | None:
    """None for a model whose answer is its best label and nothing else."""
    if not manifest.has_neutral:
        return None
    rule = manifest.uncertainty or Uncertainty()
    neutral, margin = (min(max(p, 1 - LARGEST), LARGEST) for p in (rule.neutral, rule.margin))
    negative, none, positive = map(manifest.labels.index, THREE_WAY)
    return ThreeWay((negative, none, positive), float(np.log(neutral / (1 - neutral))), float(2 * np.arctanh(margin)))


def answers(logits: NDArray[np.float64], rule: ThreeWay | None) -> NDArray[np.int64]:
    """int64 [rows, answers]: everything that `logits` [rows, labels] decide."""
    best: NDArray[np.int64] = logits.argmax(axis=1)
    if rule is None:
        return best[:, None]
    d, n = _opinion_and_neutral(logits, rule)
    uncertain = (n >= rule.neutral) | (np.abs(d) < rule.margin)
    found: NDArray[np.int64] = np.stack([best, d > 0, uncertain], axis=1).astype(np.int64)
    return found


def spread(found: NDArray[np.float64], wanted: NDArray[np.float64], rule: ThreeWay | None) -> Room:
    """The standard deviation of what `found` [rows, labels] gets wrong of `wanted`: a unit for each kind of room."""
    error = found - wanted
    pairs = error[:, :, None] - error[:, None, :]
    label = float(np.sqrt(np.square(pairs).sum(axis=(1, 2)).mean() / (pairs.shape[1] * (pairs.shape[1] - 1))))
    if rule is None:
        return Room(label)
    d, n = (a - b for a, b in zip(_opinion_and_neutral(found, rule), _opinion_and_neutral(wanted, rule), strict=True))
    return Room(label, *(float(np.sqrt(np.square(x).mean())) for x in (d, n)))


def clearance(logits: NDArray[np.float64], unit: Room, rule: ThreeWay | None) -> NDArray[np.float64]:
    """float64 [rows]: the largest f for which every answer of a row has the room `unit.times(f)`."""
    ranked = np.sort(logits, axis=1)
    label = (ranked[:, -1] - ranked[:, -2]) / unit.label
    if rule is None:
        return label
    d, n = _opinion_and_neutral(logits, rule)
    apart, none = (np.abs(d) - rule.margin) / unit.opinion, (n - rule.neutral) / unit.neutral
    # Certain needs both, uncertain one of the two.
    verdict = np.maximum(np.minimum(apart, -none), np.maximum(-apart, none))
    return np.minimum(np.minimum(label, np.abs(d) / unit.opinion), verdict)


def _opinion_and_neutral(
    logits: NDArray[np.float64], rule: ThreeWay
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    against, none, for_it = (logits[:, place] for place in rule.places)
    return for_it - against, none - np.logaddexp(against, for_it)
