"""Sentiment: which label fits a text, and how surely."""

import math

import numpy as np

from structbert_lite.errors import InvalidInput
from structbert_lite.results import Classification
from structbert_lite.runtime.encoder import Encoder

# Six decimals are what a reader can use; two probabilities so rounded still sum to 1.
DECIMALS = 6


class SentimentPipeline:
    """Serves a single-text classifier whose labels are those of its manifest."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._labels = encoder.manifest.labels

    def predict(self, texts: list[str], deadline: float) -> list[Classification]:
        """One result for each text, in order. Probabilities are the softmax of the logits.

        Raises InvalidInput, with field `texts[i]`, for a text with nothing to read in it.
        """
        for i, text in enumerate(texts):
            if is_blank(text):
                raise InvalidInput("the text has no readable characters", f"texts[{i}]")
        rows = self.encoder.encode(texts, deadline)
        return [self._result(text, row.values, row.truncated) for text, row in zip(texts, rows, strict=True)]

    def _result(self, text: str, logits: np.ndarray, truncated: bool) -> Classification:
        scores = dict(zip(self._labels, softmax(logits), strict=True))
        label = max(scores, key=scores.__getitem__)
        return Classification(text, label, scores[label], scores, truncated)


def is_blank(text: str) -> bool:
    """Whether a text holds nothing but white space and characters that cannot be seen."""
    return not any(character.isprintable() and not character.isspace() for character in text)


def softmax(logits: np.ndarray) -> list[float]:
    """exp(z_i) / sum exp(z), in float64, rounded."""
    highest = float(logits.max())
    powers = [math.exp(float(z) - highest) for z in logits]
    total = sum(powers)
    return [round(power / total, DECIMALS) for power in powers]
