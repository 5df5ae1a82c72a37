"""A task's results as columns of a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from structbert_lite.request_context import RequestContext
from structbert_lite.results import ZeroShot
from structbert_lite.tables.window import Column
from structbert_lite.tasks.scores import DECIMALS

Cells = Callable[[Any], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Answers:
    """`columns` of a result; `ask(inputs)` gives results in order, `cells(result)` one value for each column."""

    columns: list[Column]
    ask: Callable[[list[Any]], list[Any]]
    cells: Cells


def answers_of(task: str, pipeline: Any, options: Mapping[str, Any]) -> Answers:
    """How the pipeline of `task` is asked. Raises InvalidInput for options that its `predict` refuses."""
    if task == "rerank":
        return Answers(
            [Column("score", "float")], lambda pairs: pipeline.score(pairs, RequestContext()), lambda r: (r.score,)
        )
    pipeline.predict([], RequestContext(), **options)  # refuses what cannot be asked before a row is read
    columns, cells = _CELLS[task](pipeline, options)
    return Answers(columns, lambda inputs: pipeline.predict(inputs, RequestContext(), **options), cells)


def _sentiment(pipeline: Any, options: Mapping[str, Any]) -> tuple[list[Column], Cells]:
    manifest = pipeline.runner.manifest
    labels = manifest.answered_labels(options.get("neutral", False))
    columns = [Column("label", "text"), Column("score", "float")]
    columns += [Column(f"probability_{label}", "float") for label in labels]
    if not manifest.has_neutral:
        return columns, lambda r: (r.label, r.score, *map(r.probabilities.__getitem__, labels))
    columns += [Column("neutral", "float"), Column("uncertain", "bool")]
    return columns, lambda r: (r.label, r.score, *map(r.probabilities.__getitem__, labels), r.neutral, r.uncertain)


def _similarity(_: Any, __: Mapping[str, Any]) -> tuple[list[Column], Cells]:
    return [Column("score", "float"), Column("level", "text")], lambda r: (r.score, r.level)


def _embedding(_: Any, __: Mapping[str, Any]) -> tuple[list[Column], Cells]:
    return [Column("embedding", "vector")], lambda r: (np.round(r.vector.astype(np.float64), DECIMALS).tolist(),)


def _zero_shot(_: Any, options: Mapping[str, Any]) -> tuple[list[Column], Cells]:
    labels = options["labels"]
    columns = [Column("label", "text"), Column("score", "float")]
    columns += [Column(f"score_{label}", "float") for label in labels]

    def cells(result: ZeroShot) -> tuple[Any, ...]:
        scores = dict(zip(result.labels, result.scores, strict=True))
        return result.labels[0], result.scores[0], *map(scores.__getitem__, labels)

    return columns, cells


_CELLS = {"sentiment": _sentiment, "similarity": _similarity, "embedding": _embedding, "zero-shot": _zero_shot}
