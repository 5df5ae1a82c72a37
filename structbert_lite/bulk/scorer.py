"""One model that scores windows of rows; a row that cannot be scored says why and harms no other."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from structbert_lite.bulk.job import Job
from structbert_lite.errors import StructBertError
from structbert_lite.inference.model import Model
from structbert_lite.registry import open_pipeline
from structbert_lite.request_context import RequestContext
from structbert_lite.results import ZeroShot
from structbert_lite.tables.source import Column, Record, Source, Window
from structbert_lite.tasks.inputs import is_blank
from structbert_lite.tasks.scores import DECIMALS

WINDOW_INPUTS = 2048  # a row of several model runs counts as so many; no result depends on it
AHEAD = 2  # windows being scored at a time
ToRow = Callable[[Any], tuple[Any, ...]]  # a result as values of its columns
TRUNCATED, ERROR = Column("truncated", "bool"), Column("error", "text")


@dataclass(frozen=True, slots=True)
class ResultColumns:
    """`columns` of a result; `ask(inputs)` gives results in order, `to_row(result)` one value for each column."""

    columns: list[Column]
    ask: Callable[[list[Any]], list[Any]]
    to_row: ToRow


def result_columns(task: str, pipeline: Any, options: Mapping[str, Any]) -> ResultColumns:
    """How the pipeline of `task` is asked. Raises InvalidInput for options that its `predict` refuses."""
    if task == "rerank":
        return ResultColumns(
            [Column("score", "float")], lambda pairs: pipeline.score(pairs, RequestContext()), lambda r: (r.score,)
        )
    pipeline.predict([], RequestContext(), **options)  # refuses what cannot be asked before a row is read
    columns, to_row = _COLUMNS[task](pipeline, options)
    return ResultColumns(columns, lambda inputs: pipeline.predict(inputs, RequestContext(), **options), to_row)


def _sentiment(pipeline: Any, options: Mapping[str, Any]) -> tuple[list[Column], ToRow]:
    manifest = pipeline.runner.manifest
    labels = manifest.answered_labels(options.get("neutral", False))
    columns = [Column("label", "text"), Column("score", "float")]
    columns += [Column(f"probability_{label}", "float") for label in labels]
    if not manifest.has_neutral:
        return columns, lambda r: (r.label, r.score, *map(r.probabilities.__getitem__, labels))
    columns += [Column("neutral", "float"), Column("uncertain", "bool")]
    return columns, lambda r: (r.label, r.score, *map(r.probabilities.__getitem__, labels), r.neutral, r.uncertain)


def _similarity(_: Any, __: Mapping[str, Any]) -> tuple[list[Column], ToRow]:
    return [Column("score", "float"), Column("level", "text")], lambda r: (r.score, r.level)


def _embedding(_: Any, __: Mapping[str, Any]) -> tuple[list[Column], ToRow]:
    return [Column("embedding", "vector")], lambda r: (np.round(r.vector.astype(np.float64), DECIMALS).tolist(),)


def _zero_shot(_: Any, options: Mapping[str, Any]) -> tuple[list[Column], ToRow]:
    labels = options["labels"]
    columns = [Column("label", "text"), Column("score", "float")]
    columns += [Column(f"score_{label}", "float") for label in labels]

    def to_row(result: ZeroShot) -> tuple[Any, ...]:
        scores = dict(zip(result.labels, result.scores, strict=True))
        return result.labels[0], result.scores[0], *map(scores.__getitem__, labels)

    return columns, to_row


_COLUMNS = {"sentiment": _sentiment, "similarity": _similarity, "embedding": _embedding, "zero-shot": _zero_shot}


class Scorer:
    """Loads the job's model. Several threads may call `score`; they share `threads` inferences at a time."""

    def __init__(self, job: Job) -> None:
        """Raises InvalidModel, and InvalidInput for options that the task refuses."""
        self._asked = job.columns
        load_model = partial(Model.load, early_exit=job.early_exit)
        with ExitStack() as stack:
            pipeline = stack.enter_context(open_pipeline(job.task, job.model, job.threads, load_model))
            self._results = result_columns(job.task, pipeline, job.options)
            self._open = stack.pop_all()
        found = [*self._results.columns, TRUNCATED, ERROR]
        self.columns = [Column(job.prefix + name, kind) for name, kind in found]

    def score(self, records: list[Record]) -> list[tuple[Any, ...]]:
        """One value for each of `columns`, for each record, in order; all but the error are None where it has one."""
        fields = list(map(self._fields, records))
        readable = [given for given in fields if not isinstance(given, str)]
        results = iter(self._ask(readable))
        return [self._failed(given) if isinstance(given, str) else next(results) for given in fields]

    def close(self) -> None:
        """Drops what has not begun."""
        self._open.close()

    def _fields(self, record: Record) -> tuple[str, ...] | str:
        """What the task reads of a row, or why it cannot."""
        if record.fault:
            return record.fault
        given: tuple[Any, ...] = tuple(map(record.values.get, self._asked))
        for column, value in zip(self._asked, given, strict=True):
            if fault := _fault(column, value):
                return fault
        return given

    def _ask(self, fields: list[tuple[str, ...]]) -> list[tuple[Any, ...]]:
        try:
            results = self._results.ask([given if len(given) > 1 else given[0] for given in fields])
        except StructBertError as error:
            if len(fields) == 1:
                return [self._failed(str(error))]
            middle = len(fields) // 2  # only the one at fault may fail
            return self._ask(fields[:middle]) + self._ask(fields[middle:])
        return [(*self._results.to_row(result), result.truncated, None) for result in results]

    def _failed(self, reason: str) -> tuple[Any, ...]:
        return (*[None] * (len(self.columns) - 1), reason)


def _fault(column: str, value: Any) -> str:
    if value is None or value == "":
        return f"{column} is empty"
    if not isinstance(value, str):
        return f"{column} is not text but {type(value).__name__}"
    try:
        value.encode()
    except UnicodeEncodeError:
        return f"{column} has bytes that are no text in this encoding"
    return f"{column} has no readable characters" if is_blank(value) else ""


def window_rows(job: Job) -> int:
    """Rows of a window."""
    return max(1, WINDOW_INPUTS // (len(job.options.get("labels", ())) or 1))


def map_windows(scorer: Scorer, windows: Iterator[Window]) -> Iterator[tuple[Window, list[tuple[Any, ...]]]]:
    """Each window with its results, in order."""
    waiting: deque[tuple[Window, Future[list[tuple[Any, ...]]]]] = deque()
    pool = ThreadPoolExecutor(AHEAD, "window")
    try:
        for window in windows:
            waiting.append((window, pool.submit(scorer.score, window.records)))
            if len(waiting) > AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # the scorer's close ends those that run


def count_errors(results: list[tuple[Any, ...]]) -> int:
    """How many of a window's rows could not be scored: the error is the last column."""
    return sum(values[-1] is not None for values in results)


def check_columns(job: Job, source: Source) -> None:
    """Raises ValueError where the source has not what the task reads."""
    if source.columns is None:
        return
    names = [column.name for column in source.columns]
    if absent := [name for name in job.columns if name not in names]:
        raise ValueError(f"there is no column {' and no column '.join(absent)}; there are: {', '.join(names)}")


def check_names(columns: list[Column], results: list[Column]) -> None:
    """Raises ValueError where a result would be named as a column that is there."""
    names = {column.name for column in columns}
    if both := [column.name for column in results if column.name in names]:
        raise ValueError(f"the input has columns named {', '.join(both)} already; give a --prefix for the new ones")
