"""The figures of one data set for several systems that answer the same questions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from structbert_lite.evaluate.figures_labels import confusion
from structbert_lite.evaluate.figures_retrieval import retrieval_figures
from structbert_lite.evaluate.quality_collection import (
    CANDIDATES,
    rank_by_vectors,
    rank_by_words,
    rerank_by_model,
)
from structbert_lite.evaluate.quality_tasks import Rows, RowTask
from structbert_lite.evaluate.retrieval import Collection

Pipelines = Mapping[str, Any]  # by the system's name in the report


@dataclass(frozen=True, slots=True)
class Result:
    """Figures by system. `about` says what they are of; `confusion[system][truth][label]` counts rows."""

    name: str
    about: str
    figures: dict[str, dict[str, float]]
    confusion: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)


def study_rows(
    task: RowTask, pipelines: Pipelines, title: str, expected: np.ndarray, rows: Rows, group: str | None
) -> list[Result]:
    """The figures of all rows and, with `group`, of the rows with each value of that column."""
    found = {name: task.ask(pipeline, rows, f"{title}, {name}") for name, pipeline in pipelines.items()}
    highest = int(expected.max())
    results = [_of_rows(task, title, found, expected, rows, highest)]
    if not group:
        return results
    for value in dict.fromkeys(row[group] for row in rows):
        own = [i for i, row in enumerate(rows) if row[group] == value]
        part = {name: numbers[own] for name, numbers in found.items()}
        name = f"{title}, {group} {value}"
        results.append(_of_rows(task, name, part, expected[own], [rows[i] for i in own], highest))
    return results


def study_collection(task: str, pipelines: Pipelines, name: str, collection: Collection) -> Result:
    """Rankings of the whole corpus by vectors, or of BM25's best documents by a reranker, beside BM25's own."""
    baseline = rank_by_words(collection)
    rankings = {"BM25": baseline}
    for system, pipeline in pipelines.items():
        title = f"{name}, {system}"
        if task == "rerank":
            rankings[system] = rerank_by_model(pipeline, collection, baseline, title)
        else:
            rankings[system] = rank_by_vectors(pipeline, collection, title)
    about = f"{len(collection.queries)} queries, {len(collection.documents)} documents"
    if task == "rerank":
        about += f", the first {CANDIDATES} of BM25 reranked"
    figures = {system: retrieval_figures(ranked, collection.judgements) for system, ranked in rankings.items()}
    return Result(name, about, figures)


def _of_rows(
    task: RowTask, name: str, found: Mapping[str, np.ndarray], expected: np.ndarray, rows: Rows, highest: int
) -> Result:
    figures = {system: task.figures(numbers, expected, rows, highest) for system, numbers in found.items()}
    counts = {}
    if task.labels:
        for system, numbers in found.items():
            table = confusion(numbers.argmax(1).tolist(), expected.tolist(), range(len(task.labels)))
            counts[system] = {
                truth: dict(zip(task.labels, row, strict=True))
                for truth, row in zip(task.labels, table.tolist(), strict=True)
            }
    return Result(name, f"{len(rows)} rows", figures, counts)
