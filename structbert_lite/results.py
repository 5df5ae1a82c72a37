"""What the tasks return, and the JSON that the server and the command line make of it.

Scores are rounded; whoever formats them need not round again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Level = Literal["high", "medium", "low"]
# What gave the score of a pair: two vectors, or a model that read both texts at once.
Kind = Literal["encoder", "cross-encoder"]
# Finer than a float32 of the size that vectors have, and half as many bytes as its exact value.
VECTOR_DECIMALS = 9
Polarity = Literal["positive", "negative", "mixed"]


@dataclass(frozen=True, slots=True)
class Classification:
    """The label of one text. `probabilities` sum to 1, unless any number of labels may fit; `score` is the label's own.

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

    def answer(self) -> dict[str, Any]:
        """For JSON."""
        own = {} if self.neutral is None else {"neutral": self.neutral, "uncertain": self.uncertain}
        return {
            "text": self.text,
            "label": self.label,
            "score": self.score,
            "probabilities": self.probabilities,
            "truncated": self.truncated,
            **own,
        }


@dataclass(frozen=True, slots=True)
class Similarity:
    """How alike two texts are, 0..1, the same in both orders; `level` by the model's own thresholds."""

    text_a: str
    text_b: str
    score: float
    level: Level
    truncated: bool
    decided_by: Kind

    def answer(self, details: bool = False) -> dict[str, Any]:
        """For JSON; `details`: also which model decided."""
        return {
            "text_a": self.text_a,
            "text_b": self.text_b,
            "score": self.score,
            "level": self.level,
            "truncated": self.truncated,
            **({"decided_by": self.decided_by} if details else {}),
        }


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

    def answer(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "text": self.text,
            "labels": list(self.labels),
            "scores": list(self.scores),
            **({} if self.none is None else {"none": self.none}),
            "truncated": self.truncated,
        }


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

    def answer(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "text": self.text,
            "aspects": [{"aspect": o.aspect, "polarity": o.polarity, "score": o.score} for o in self.aspects],
            "truncated": self.truncated,
        }


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

    sentiment: Classification
    words: tuple[WeightedWord, ...]

    @property
    def truncated(self) -> bool:
        return self.sentiment.truncated

    def answer(self) -> dict[str, Any]:
        """For JSON."""
        words = [{"text": w.text, "start": w.start, "end": w.end, "weight": w.weight} for w in self.words]
        return {**self.sentiment.answer(), "words": words}


def answer_embeddings(results: Sequence[Embedding]) -> dict[str, Any]:
    """For JSON, of one text or more."""
    vectors = np.stack([result.vector for result in results])
    return {
        "embeddings": as_numbers(vectors),
        "dimensions": vectors.shape[1],
        "truncated": [result.truncated for result in results],
    }


def answer_ranking(ranking: Sequence[Ranked], documents: Sequence[str] | None = None) -> dict[str, Any]:
    """For JSON; `documents`: all of the request's, where each result is to hold its own."""
    return {
        "results": [
            {
                "index": ranked.index,
                "relevance_score": ranked.score,
                **({} if documents is None else {"document": {"text": documents[ranked.index]}}),
                "truncated": ranked.truncated,
            }
            for ranked in ranking
        ]
    }


def as_numbers(vectors: NDArray[np.floating]) -> list[Any]:
    """Vectors float32 [..., dimensions] as lists of numbers."""
    numbers: list[Any] = np.round(vectors.astype(np.float64), VECTOR_DECIMALS).tolist()
    return numbers
