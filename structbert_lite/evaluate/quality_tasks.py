"""What `evaluate quality` asks of a judged row, of each task, and which figures come of the answers."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from structbert_lite.evaluate.figures import accuracy, macro_f1, pair_figures, retrieval_figures, roc_auc
from structbert_lite.evaluate.rows import judged_labels, label_numbers
from structbert_lite.manifest import Manifest
from structbert_lite.request_context import RequestContext

Rows = Sequence[dict[str, str]]
COLUMNS = {
    "sentiment": ("label", "text"),
    "similarity": ("text_a", "text_b", "label"),
    "embedding": ("text_a", "text_b", "label"),
    "zero-shot": ("label", "text"),
    "rerank": ("query", "text", "label"),
}
CHUNK = 64  # inputs of the model asked for at once; no answer depends on it


@dataclass(frozen=True, slots=True)
class RowTask:
    """One task on rows.

    `expect`: the rows' labels as numbers. `ask`: the model's numbers for the rows. `figures`: of any part of the rows,
    from what was asked, what was expected, the rows themselves and the highest number that is expected anywhere in the
    file. `labels`: what the numbers are called, if anything.
    """

    expect: Callable[[Path, Rows], np.ndarray]
    ask: Callable[[Any, Rows, str], np.ndarray]
    figures: Callable[[np.ndarray, np.ndarray, Rows, int], dict[str, float]]
    labels: Sequence[str] = ()


def sentiment(manifest: Manifest, rows: Rows) -> RowTask:
    """Texts with one of the model's own labels, by name or number; `rows` tell whether Neutral is among them."""
    labels = judged_labels(manifest, rows)
    neutral = labels != manifest.answered_labels(neutral=False)
    return RowTask(
        lambda file, rows: np.array(label_numbers(file, rows, labels)),
        lambda pipeline, rows, title: ask_labels(pipeline, [row["text"] for row in rows], labels, neutral, title),
        lambda found, expected, rows, highest: _label_figures(found, expected),
        labels,
    )


def zero_shot(labels: Sequence[str], names: Sequence[str], template: str) -> RowTask:
    """Texts with one of `labels`, which the model is asked about by `names`."""
    return RowTask(
        lambda file, rows: _places(file, rows, labels),
        lambda pipeline, rows, title: ask_own_labels(pipeline, [row["text"] for row in rows], names, template, title),
        lambda found, expected, rows, highest: _choice_figures(found, expected),
        labels,
    )


def _label_figures(found: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    figures = _choice_figures(found, expected)
    return figures | {"AUC": roc_auc(found[:, 1], expected == 1)} if found.shape[1] == 2 else figures


def _choice_figures(found: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    chosen, truth = found.argmax(1).tolist(), expected.tolist()
    return {"accuracy": accuracy(chosen, truth), "macro-F1": macro_f1(chosen, truth)}


def _places(file: Path, rows: Rows, labels: Sequence[str]) -> np.ndarray:
    known = {label: place for place, label in enumerate(labels)}
    for number, row in enumerate(rows, start=1):
        if row["label"] not in known:
            raise ValueError(f"row {number} of {file} has the label {row['label']!r}, which is not among --labels")
    return np.array([known[row["label"]] for row in rows])


def _grades(file: Path, rows: Rows) -> np.ndarray:
    for number, row in enumerate(rows, start=1):
        if not row["label"].isdecimal():
            raise ValueError(f"row {number} of {file} has the label {row['label']!r}, not a whole number from 0 on")
    return np.array([int(row["label"]) for row in rows])


def _ask_similarity(pipeline: Any, rows: Rows, title: str) -> np.ndarray:
    return ask_pairs(pipeline, [(row["text_a"], row["text_b"]) for row in rows], title)


def _ask_cosines(pipeline: Any, rows: Rows, title: str) -> np.ndarray:
    vectors = ask_vectors(pipeline, [row[side] for side in ("text_a", "text_b") for row in rows], title)
    a, b = np.split(vectors.astype(np.float64), 2)
    cosines: np.ndarray = (a * b).sum(1)
    return cosines


def _ask_relevance(pipeline: Any, rows: Rows, title: str) -> np.ndarray:
    places = _by_query(rows)
    questions = [(query, [rows[i]["text"] for i in own]) for query, own in places.items()]
    found = np.empty(len(rows))
    for own, (order, scores) in zip(places.values(), ask_rankings(pipeline, questions, title), strict=True):
        found[[own[i] for i in order]] = scores
    return found


def _relevance_figures(found: np.ndarray, expected: np.ndarray, rows: Rows, highest: int) -> dict[str, float]:
    figures = pair_figures(found, expected, highest, 0.5)
    several = {query: own for query, own in _by_query(rows).items() if len(own) > 1 and expected[own].any()}
    if not several:
        return figures
    rankings = {query: [str(i) for i in sorted(own, key=lambda i: -found[i])] for query, own in several.items()}
    judgements = {query: {str(i): float(expected[i]) for i in own} for query, own in several.items()}
    return retrieval_figures(rankings, judgements) | figures


def _by_query(rows: Rows) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        places.setdefault(row["query"], []).append(i)
    return places


def _pair_figures(found: np.ndarray, expected: np.ndarray, rows: Rows, highest: int) -> dict[str, float]:
    return pair_figures(found, expected, highest, 0.5)


def _cosine_figures(found: np.ndarray, expected: np.ndarray, rows: Rows, highest: int) -> dict[str, float]:
    return pair_figures(found, expected, highest, None)  # a cosine has no threshold of its own


# Labels are 0 and 1, or grades.
GRADED = {
    "similarity": RowTask(_grades, _ask_similarity, _pair_figures),
    "embedding": RowTask(_grades, _ask_cosines, _cosine_figures),
    "rerank": RowTask(_grades, _ask_relevance, _relevance_figures),
}


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
