"""Questions to a pipeline, many at once with a progress bar: numbers come back in the order of the rows.

A text that the pipeline refuses (nothing readable in it) is an error of the file, and raised as InvalidInput.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
import numpy as np

from structbert_lite.request_context import RequestContext

CHUNK = 64  # inputs of the model asked for at once; no answer depends on it


def ask_labels(pipeline: Any, texts: Sequence[str], labels: Sequence[str], neutral: bool, title: str) -> np.ndarray:
    """float64 [texts, labels]: the probabilities of `labels`; `neutral` as of the pipeline's `predict`."""

    def ask(chunk: Sequence[str]) -> list[list[float]]:
        results = pipeline.predict(chunk, RequestContext(), neutral=neutral)
        return [[result.probabilities[label] for label in labels] for result in results]

    return _in_chunks(ask, texts, title)


def ask_pairs(pipeline: Any, pairs: Sequence[tuple[str, str]], title: str) -> np.ndarray:
    """float64 [pairs]: the similarity scores."""
    return _in_chunks(lambda chunk: [r.score for r in pipeline.predict(chunk, RequestContext())], pairs, title)


def ask_vectors(pipeline: Any, texts: Sequence[str], title: str) -> np.ndarray:
    """float32 [texts, dimensions], of length 1; equal texts are asked once."""
    known = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    vectors = _in_chunks(
        lambda chunk: [r.vector for r in pipeline.predict(chunk, RequestContext())], list(known), title
    )
    return vectors[[known[text] for text in texts]]


def ask_own_labels(pipeline: Any, texts: Sequence[str], labels: Sequence[str], template: str, title: str) -> np.ndarray:
    """float64 [texts, labels]: zero-shot scores in the order of `labels`."""

    def ask(chunk: Sequence[str]) -> list[list[float]]:
        found = pipeline.predict(chunk, RequestContext(), labels=labels, hypothesis_template=template)
        scores = [dict(zip(result.labels, result.scores, strict=True)) for result in found]
        return [[by_label[label] for label in labels] for by_label in scores]

    return _in_chunks(ask, texts, title, max(1, CHUNK // len(labels)))


def ask_rankings(
    pipeline: Any, questions: Sequence[tuple[str, Sequence[str]]], title: str
) -> list[tuple[list[int], list[float]]]:
    """For each query with its documents: their places, best first, and the score at each of these places."""
    found = []
    with click.progressbar(questions, label=title, file=sys.stderr) as bar:
        for query, texts in bar:
            results = pipeline.predict(list(texts), RequestContext(), query=query)
            found.append(([r.index for r in results], [r.score for r in results]))
    return found


def _in_chunks(
    ask: Callable[[list[Any]], Sequence[Any]], items: Sequence[Any], title: str, size: int = CHUNK
) -> np.ndarray:
    rows: list[Any] = []
    with click.progressbar(length=len(items), label=title, file=sys.stderr) as bar:
        for start in range(0, len(items), size):
            chunk = list(items[start : start + size])
            rows += ask(chunk)
            bar.update(len(chunk))
    return np.array(rows)
