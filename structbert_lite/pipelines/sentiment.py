"""Sentiment: which label fits a text, and how surely."""

import numpy as np

from structbert_lite.pipelines.inputs import require_at_most, require_readable
from structbert_lite.pipelines.scores import softmax
from structbert_lite.results import Classification
from structbert_lite.runtime.encoder import Encoder


class SentimentPipeline:
    """Serves a single-text classifier whose labels are those of its manifest."""

    def __init__(self, encoder: Encoder, max_items: int) -> None:
        self.encoder = encoder
        self._max_items = max_items
        self._labels = encoder.manifest.labels

    def predict(self, texts: list[str], deadline: float) -> list[Classification]:
        """One result for each text, in order. Probabilities are the softmax of the logits.

        Raises TooManyItems, and InvalidInput with field `texts[i]`.
        """
        require_at_most(self._max_items, len(texts), "texts", "texts")
        for i, text in enumerate(texts):
            require_readable(text, f"texts[{i}]")
        rows = self.encoder.encode([(text,) for text in texts], deadline)
        return [self._result(text, row.values, row.truncated) for text, row in zip(texts, rows, strict=True)]

    def _result(self, text: str, logits: np.ndarray, truncated: bool) -> Classification:
        scores = dict(zip(self._labels, softmax(logits), strict=True))
        label = max(scores, key=scores.__getitem__)
        return Classification(text, label, scores[label], scores, truncated)
