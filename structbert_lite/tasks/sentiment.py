"""Sentiment: which label fits a text, and how surely."""

import numpy as np
from numpy.typing import NDArray

from structbert_lite.errors import InvalidInput
from structbert_lite.inference.runner import ModelRunner
from structbert_lite.manifest import THREE_WAY, Uncertainty
from structbert_lite.request_context import RequestContext
from structbert_lite.results import Classification
from structbert_lite.tasks.inputs import require_texts
from structbert_lite.tasks.scores import DECIMALS, sigmoid, softmax, whole_softmax


class SentimentPipeline:
    """Serves a single-text classifier whose labels are those of its manifest."""

    def __init__(self, runner: ModelRunner, max_items: int, neutral: bool = False) -> None:
        """`neutral`: the label may be Neutral where a call does not say and the model knows it."""
        self.runner = runner
        self.max_items = max_items
        self._neutral = neutral
        self._manifest = runner.manifest
        self._uncertainty = self._manifest.uncertainty or Uncertainty()

    def predict(
        self, texts: list[str], context: RequestContext, *, neutral: bool | None = None
    ) -> list[Classification]:
        """One result for each text, in order. Probabilities are the softmax of the logits; where any number of labels
        may fit, each is the sigmoid of its own.

        A model that knows Neutral answers with one of the two opinions, by their two logits, unless `neutral`.
        Raises TooManyItems, and InvalidInput with field `texts[i]`, or `neutral` where the model does not know it.
        """
        if neutral and not self._manifest.has_neutral:
            raise InvalidInput("the label cannot be Neutral: this model has no such class", "neutral")
        may_be_neutral = self._neutral if neutral is None else neutral
        require_texts(self.max_items, texts, self.runner.tokenizer)
        rows = self.runner.run([(text,) for text in texts], context)
        result = self._result_of_three if self._manifest.has_neutral else self._result
        return [result(text, row.values, row.truncated, may_be_neutral) for text, row in zip(texts, rows, strict=True)]

    def _result(self, text: str, logits: NDArray[np.float32], truncated: bool, _: bool) -> Classification:
        scores = [sigmoid(float(z)) for z in logits] if self._manifest.multi_label else softmax(logits)
        return Classification(text, *_best(self._manifest.labels, scores), truncated)

    def _result_of_three(
        self, text: str, logits: NDArray[np.float32], truncated: bool, neutral: bool
    ) -> Classification:
        against, none, for_it = (float(logits[self._manifest.labels.index(label)]) for label in THREE_WAY)
        two, three = softmax([against, for_it]), whole_softmax([against, none, for_it])
        # Rounded as they are shown: whoever reads the answer comes to the same verdict.
        margin = round(abs(two[1] - two[0]), DECIMALS)
        uncertain = three[1] >= self._uncertainty.neutral or margin < self._uncertainty.margin
        best = _best(self._manifest.answered_labels(neutral), three if neutral else two)
        return Classification(text, *best, truncated, three[1], uncertain)


def _best(labels: tuple[str, ...], scores: list[float]) -> tuple[str, float, dict[str, float]]:
    """(label, its score, the score of each label)."""
    by_label = dict(zip(labels, scores, strict=True))
    label = max(by_label, key=by_label.__getitem__)
    return label, by_label[label], by_label
