"""One model that scores windows of rows; a row that cannot be scored says why and harms no other."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from structbert_lite.bulk.empty_reviews import BLANK, DEFAULT, class_of_empty
from structbert_lite.bulk.job import Counted, Job
from structbert_lite.errors import StructBertError
from structbert_lite.inference.model import Model
from structbert_lite.registry import open_pipeline
from structbert_lite.request_context import RequestContext
from structbert_lite.results import AspectOpinions, ZeroShot
from structbert_lite.tables.header import guess_column, same_column
from structbert_lite.tables.source import Cell, Column, Record, Source, Window
from structbert_lite.tasks.inputs import is_blank
from structbert_lite.tasks.scores import DECIMALS

WINDOW_INPUTS = 2048  # a row of several model runs counts as so many; no result depends on it
AHEAD = 2  # windows being scored at a time
ToRow = Callable[[Any], tuple[Any, ...]]  # a result as values of its columns
IS_EMPTY, IS_UNREADABLE = " is empty", " has no readable characters"  # errors that are no fault of the file
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


def _aspects(_: Any, options: Mapping[str, Any]) -> tuple[list[Column], ToRow]:
    """Of each aspect how the text speaks of it, and the score; both are empty where it does not name it."""
    names = options["aspects"]
    columns = [c for name in names for c in (Column(f"aspect_{name}", "text"), Column(f"score_{name}", "float"))]

    def to_row(result: AspectOpinions) -> tuple[Any, ...]:
        found = {one.aspect: (one.polarity, one.score) for one in result.aspects}
        return tuple(value for name in names for value in found.get(name, (None, None)))

    return columns, to_row


_COLUMNS = {
    "sentiment": _sentiment,
    "similarity": _similarity,
    "embedding": _embedding,
    "zero-shot": _zero_shot,
    "aspects": _aspects,
}


class _Unscored(NamedTuple):
    """A row that the model is not asked about: what stands in `label`, or in `error`."""

    label: str | None = None
    error: str | None = None


class Scorer:
    """Loads the job's model. Several threads may call `score`; they share `threads` inferences at a time."""

    def __init__(self, job: Job) -> None:
        """Raises InvalidModel, and InvalidInput for options that the task refuses."""
        self._asked = job.columns
        self._has_classes = job.task == "sentiment"
        load_model = partial(Model.load, early_exit=job.early_exit, prefix_bytes=job.prefix_bytes)
        with ExitStack() as stack:
            pipeline = stack.enter_context(open_pipeline(job.task, job.model, job.threads, load_model, job.others))
            self._results = result_columns(job.task, pipeline, job.options)
            self._open = stack.pop_all()
        found = [*self._results.columns, TRUNCATED, ERROR]
        self.columns = [Column(job.prefix + name, kind) for name, kind in found]

    def score(self, records: list[Record]) -> list[tuple[Any, ...]]:
        """One value for each of `columns`, for each record, in order; all but the error are None where it has one.

        Of a review in which nothing is said there is only the label, `blank` or `default`.
        """
        fields = list(map(self._fields, records))
        readable = [given for given in fields if not isinstance(given, _Unscored)]
        results = iter(self._ask(readable))
        return [self._unscored(given) if isinstance(given, _Unscored) else next(results) for given in fields]

    def close(self) -> None:
        """Drops what has not begun."""
        self._open.close()

    def _fields(self, record: Record) -> tuple[str, ...] | _Unscored:
        """What the task reads of a row, or why it cannot."""
        if record.fault:
            return _Unscored(error=record.fault)
        given: tuple[Any, ...] = tuple(_said(record.values.get(name)) for name in self._asked)
        for column, value in zip(self._asked, given, strict=True):
            fault = _fault(column, value)
            may_be_empty = self._has_classes and (not fault or fault.endswith((IS_EMPTY, IS_UNREADABLE)))
            if may_be_empty and (label := class_of_empty(value)):
                return _Unscored(label)
            if fault:
                return _Unscored(error=fault)
        return given

    def _ask(self, fields: list[tuple[str, ...]]) -> list[tuple[Any, ...]]:
        try:
            results = self._results.ask([given if len(given) > 1 else given[0] for given in fields])
        except StructBertError as error:
            if len(fields) == 1:
                return [self._unscored(_Unscored(error=str(error)))]
            middle = len(fields) // 2  # only the one at fault may fail
            return self._ask(fields[:middle]) + self._ask(fields[middle:])
        return [(*self._results.to_row(result), result.truncated, None) for result in results]

    def _unscored(self, why: _Unscored) -> tuple[Any, ...]:
        return (why.label, *[None] * (len(self.columns) - 2), why.error)


def _said(value: Any) -> Any:
    """A cell's error, such as #N/A, is nothing that anybody has said."""
    return None if isinstance(value, Cell) and value.value is None else value


def _fault(column: str, value: Any) -> str:
    if value is None or value == "":
        return f"{column}{IS_EMPTY}"
    if not isinstance(value, str):
        return f"{column} is not text but {type(value).__name__}"
    try:
        value.encode()
    except UnicodeEncodeError:
        return f"{column} has bytes that are no text in this encoding"
    return f"{column}{IS_UNREADABLE}" if is_blank(value) else ""


def window_rows(job: Job) -> int:
    """Rows of a window."""
    return max(1, WINDOW_INPUTS // (len(job.options.get("labels", job.options.get("aspects", ()))) or 1))


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


def count(results: Iterable[tuple[Any, ...]]) -> Counted:
    """Of rows as `score` gives them: the label is the first value, the error the last."""
    rows = errors = blank = wrong = 0
    for values in results:
        rows += 1
        if (error := values[-1]) is None:
            blank += values[1] is None and values[0] in {BLANK, DEFAULT}  # a score is None of no other row
            continue
        errors += 1
        is_empty = error.endswith((IS_EMPTY, IS_UNREADABLE))
        blank, wrong = blank + is_empty, wrong + (not is_empty)
    return Counted(rows, errors, blank, wrong)


def choose_columns(job: Job, source: Source) -> Job:
    """The job with the source's own names of its columns: one that was not named may be guessed.

    Raises ValueError where the source has not what the task reads.
    """
    if source.columns is None:
        return job
    names = [column.name for column in source.columns]
    asked = tuple(same_column(name, names) for name in job.columns)
    if job.guess and asked[0] not in names:
        sample = source.sample()
        cells = {name: [str(r.values.get(name) or "") for r in sample] for name in names}
        asked = (guess_column(cells) or asked[0],)
    job = replace(job, columns=asked)
    check_columns(job, source)
    return job


def check_columns(job: Job, source: Source) -> None:
    """Raises ValueError where the source has not what the task reads."""
    if source.columns is None:
        return
    names = [column.name for column in source.columns]
    if absent := [name for name in job.columns if name not in names]:
        options = "--column" if len(job.columns) == 1 else "the options that --help lists"
        raise ValueError(
            f"there is no column {' and no column '.join(absent)}; there are: {', '.join(names)}. "
            f"Name the right one with {options}"
        )


def check_names(columns: list[Column], results: list[Column]) -> None:
    """Raises ValueError where a result would be named as a column that is there."""
    names = {column.name for column in columns}
    if both := [column.name for column in results if column.name in names]:
        raise ValueError(f"the input has columns named {', '.join(both)} already; give a --prefix for the new ones")
