"""Embedding: a text's vector."""

import numpy as np

from structbert_lite.inference.model import unit_length
from structbert_lite.inference.runner import ModelRunner
from structbert_lite.request_context import RequestContext
from structbert_lite.results import Embedding
from structbert_lite.tasks.inputs import is_blank, require_texts


class EmbeddingPipeline:
    """Serves an encoder. What its manifest has for a prompt stands before every text."""

    def __init__(self, runner: ModelRunner, max_items: int) -> None:
        self.runner = runner
        self._prompt = runner.manifest.prompt
        self._max_items = max_items

    def predict(
        self, texts: list[str], context: RequestContext, *, normalize: bool = True, blank: bool = False
    ) -> list[Embedding]:
        """One vector for each text, in order, brought to unit length unless `normalize` is false.

        With `blank` a text without anything to read gets the vector of an empty input.
        Raises TooManyItems, and InvalidInput with field `texts[i]`.
        """
        require_texts(self._max_items, texts, self.runner.tokenizer, blank)
        if blank:
            texts = ["" if is_blank(text) else text for text in texts]
        rows = self.runner.run([(self._prompt + text,) for text in texts], context)
        return [
            Embedding(unit_length(row.values).astype(np.float32) if normalize else row.values, row.truncated)
            for row in rows
        ]

    def count_tokens(self, texts: list[str]) -> int:
        """How many tokens of these texts the model reads, its special ones included."""
        return sum(map(len, self.runner.tokenizer.encode([self._prompt + text for text in texts])))
