"""What the tasks return. Scores are rounded; whoever formats them need not round again."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Level = Literal["high", "medium", "low"]
# What gave the score of a pair: two vectors, or a model that read both texts at once.
Kind = Literal["encoder", "cross-encoder"]
Polarity = Literal["positive", "negative", "mixed"]


@dataclass(frozen=True, slots=True)
class Classification:
    """The label of one text. `probabilities` sum to 1; `score` is the label's own.

    `neutral`: the probability that there is no opinion in the text; `uncertain`: not to be relied on. Both are None
    for a model that knows no Neutral, whose probabilities are in the order of its labels.
    """

    text: str
    label: str
    score: float
    probabilities: dict[str, float]
    truncated: bool
    neutral: float | None = None
    uncertain: bool | None = None


@dataclass(frozen=True, slots=True)
class Similarity:
    """How alike two texts are, 0..1, the same in both orders; `level` by the model's own thresholds."""

    text_a: str
    text_b: str
    score: float
    level: Level
    truncated: bool
    decided_by: Kind


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A text's vector, float32 [dimensions], of length 1 unless asked for as the model gives it."""

    vector: NDArray[np.float32]
    truncated: bool


@dataclass(frozen=True, slots=True)
class ZeroShot:
    """The caller's labels for one text, best first, and the score of each, 0..1.

    `none`: the probability that no label fits; None where nobody asked.
    """

    text: str
    labels: tuple[str, ...]
    scores: tuple[float, ...]
    truncated: bool
    none: float | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A document by its place in the request, and how relevant it is, 0..1. `truncated`: not all of it was read."""

    index: int
    score: float
    truncated: bool


@dataclass(frozen=True, slots=True)
class AspectOpinion:
    """How a text speaks of an aspect that it names; `score`: the probability that this is so, 0..1."""

    aspect: str
    polarity: Polarity
    score: float


@dataclass(frozen=True, slots=True)
class AspectOpinions:
    """The aspects that one text names, in the order in which they were asked for."""

    text: str
    aspects: tuple[AspectOpinion, ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class WeightedWord:
    """Characters `start` to `end` of a text, and how far they move the log-odds of its label; below 0: away from it."""

    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """A sentiment and the words that decided it, in the text's order."""

    answer: Classification
    words: tuple[WeightedWord, ...]

    @property
    def truncated(self) -> bool:
        return self.answer.truncated
