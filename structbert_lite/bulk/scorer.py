"""One model that scores windows of rows; a row that cannot be scored says why and harms no other."""

from contextlib import ExitStack
from typing import Any

from structbert_lite.bulk.answers import answers_of
from structbert_lite.bulk.job import Job
from structbert_lite.errors import StructBertError
from structbert_lite.registry import open_pipeline
from structbert_lite.tables.window import Column, Record
from structbert_lite.tasks.inputs import is_blank

TRUNCATED, ERROR = Column("truncated", "bool"), Column("error", "text")


class Scorer:
    """Loads the job's model. Several threads may call `score`; they share `threads` inferences at a time."""

    def __init__(self, job: Job) -> None:
        """Raises InvalidModel, and InvalidInput for options that the task refuses."""
        self._asked = job.columns
        with ExitStack() as stack:
            pipeline = stack.enter_context(open_pipeline(job.task, job.model, job.threads))
            self._answers = answers_of(job.task, pipeline, job.options)
            self._open = stack.pop_all()
        found = [*self._answers.columns, TRUNCATED, ERROR]
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
            results = self._answers.ask([given if len(given) > 1 else given[0] for given in fields])
        except StructBertError as error:
            if len(fields) == 1:
                return [self._failed(str(error))]
            middle = len(fields) // 2  # only the one at fault may fail
            return self._ask(fields[:middle]) + self._ask(fields[middle:])
        return [(*self._answers.cells(result), result.truncated, None) for result in results]

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
