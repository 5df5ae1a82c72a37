"""Explanation: the words that decided a sentiment, by occlusion.

A word's weight is how far the log-odds of the label fall where the word is left out of the text (Li, Monroe and
Jurafsky, "Understanding Neural Networks through Representation Erasure", 2016; Zeiler and Fergus, 2014, for pictures).
It needs no gradient, so a quantized graph can be asked, and each reading is an input as any other to cache and batcher.
The readings pass all layers: what an early exit's head says of one text and the last layer of another differ by more
than a word.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from structbert_lite.inference.runner import ModelRunner
from structbert_lite.inference.tokenizer import Tokenizer
from structbert_lite.request_context import RequestContext
from structbert_lite.results import Explanation, WeightedWord
from structbert_lite.tasks.inputs import is_blank
from structbert_lite.tasks.scores import DECIMALS
from structbert_lite.tasks.sentiment import SentimentPipeline

MAX_RUNS = 64  # of the model for one text
MAX_TOKENS = 4096  # that these runs read together: of a long text fewer and longer spans are left out
MAX_CHARACTERS = 1 << 18  # likewise: to read a text with hardly a token in it takes time, too
MARKS = re.compile(r"[\s!-/:-@\[-`{-~\u2000-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]*")
LETTERS = re.compile(r"[0-9A-Za-z\u00c0-\u052f\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]*")  # that have no words in a row
Span = tuple[int, int]


class ExplainPipeline:
    """Serves the sentiment model, with reasons."""

    def __init__(self, sentiment: SentimentPipeline) -> None:
        self.runner: ModelRunner = sentiment.runner
        self._sentiment = sentiment

    def predict(self, texts: list[str], context: RequestContext, *, neutral: bool | None = None) -> list[Explanation]:
        """One result for each text, in order: what the sentiment task answers, and the words with their weights.

        Of a text with more than MAX_RUNS words, neighbours are left out together; punctuation has no weight. `neutral`
        and errors are as in the sentiment task.
        """
        answers = self._sentiment.predict(texts, context, neutral=neutral)
        labels = self.runner.manifest.labels
        found = []
        for text, answer in zip(texts, answers, strict=True):
            read, spans = split_spans(self.runner.tokenizer, text)
            rows = self.runner.run([(read,), *((read[:a] + read[b:],) for a, b in spans)], context, all_layers=True)
            places = [labels.index(label) for label in answer.probabilities]
            odds = [_log_odds(row.values[places], list(answer.probabilities).index(answer.label)) for row in rows]
            words = tuple(
                WeightedWord(text[a:b], a, b, round(odds[0] - left, DECIMALS))
                for (a, b), left in zip(spans, odds[1:], strict=True)
            )
            found.append(Explanation(answer, words))
        return found


def split_spans(tokenizer: Tokenizer, text: str) -> tuple[str, list[Span]]:
    """The beginning of `text` that the model reads, and the spans of it to be left out one at a time."""
    (piece, *_), _ = tokenizer.split(text, tokenizer.max_tokens - 2, 0, 1)
    read = text[: text.index(piece) + len(piece)]
    tokens = tokenizer.token_spans(read)
    words = merge_words(read, tokens)
    runs = max(1, min(MAX_RUNS, MAX_TOKENS // max(1, len(tokens)), MAX_CHARACTERS // max(1, len(read))))
    size = max(1, -(-len(words) // runs))
    return read, [(words[i][0], words[min(i + size, len(words)) - 1][1]) for i in range(0, len(words), size)]


def merge_words(text: str, tokens: Sequence[Span]) -> list[Span]:
    """The tokens of a text as words: those that overlap and runs of other letters and digits than Han are one."""
    words: list[Span] = []
    for start, end in tokens:
        if MARKS.fullmatch(text[start:end]) or is_blank(text[start:end]):
            continue
        begin, last = words[-1] if words else (0, 0)
        if start < last or (words and start == last and LETTERS.fullmatch(text[start - 1 : start + 1])):
            words[-1] = begin, max(end, last)
        else:
            words.append((start, end))
    return words


def _log_odds(logits: NDArray[np.float32], place: int) -> float:
    """Of one label against the others together."""
    own = np.float64(logits[place])
    return float(own - np.logaddexp.reduce(np.delete(logits.astype(np.float64), place)))
