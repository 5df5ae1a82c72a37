"""All CPUs of this machine, one process: rows are read and written here, threads score the windows between.

While one window is finished and written the next ones are already being scored, so that no CPU waits.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from structbert_lite.bulk.job import Counts, Job, Progress
from structbert_lite.bulk.resumable_output import ResumableOutput, StdoutOutput
from structbert_lite.bulk.scorer import Scorer
from structbert_lite.tables.formats import known_encoding, open_sink, open_source
from structbert_lite.tables.source import Column, InputFile, Sink, Source, UnknownEncoding, Window

WINDOW_INPUTS = 2048  # a row of several model runs counts as so many; no result depends on it
AHEAD = 2  # windows being scored at a time
ERROR = -1  # the place of the error among a row's results


def run(job: Job, progress: Progress) -> Counts:
    """Does the job, or the rest of it. Raises StructBertError, ValueError, OSError; KeyboardInterrupt passes through.

    Whatever it raises, what was written stays and the same job goes on from there.
    """
    origin = InputFile(job.source, job.encoding)
    try:
        source, encoding = open_source(origin, job.source_format, job.quoted)
    except UnknownEncoding as error:
        cure = "Name its --encoding; rows with bytes that cannot be decoded are then marked in the column `error`"
        raise ValueError(f"{error}. {cure}") from None
    check_columns(job, source)
    scorer = Scorer(job)
    try:
        check_names(source.columns or [], scorer.columns)
        written = known_encoding(job.out_encoding or encoding)
        sink = open_sink(job.out_format, source, scorer.columns, written, job.quoted)
        output = _open_output(job, origin)
        try:
            return _score(job, source, scorer, sink, output, progress)
        finally:
            output.close()
    finally:
        scorer.close()


def _score(
    job: Job, source: Source, scorer: Scorer, sink: Sink, output: ResumableOutput | StdoutOutput, progress: Progress
) -> Counts:
    counts = Counts(output.rows, output.errors, output.rows)
    progress.begin(source.total, counts)
    if not output.finished:
        if output.is_new:
            output.append(sink.head())
        try:
            for window, results in map_windows(scorer, source.windows(window_rows(job), output.rows)):
                rows, errors = len(results), sum(found[ERROR] is not None for found in results)
                output.append(sink.rows(window, results), rows, errors)
                counts.rows, counts.errors = output.rows, output.errors
                progress.advance(rows)
        finally:
            progress.end()
    output.finish(sink)
    return counts


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


def _open_output(job: Job, origin: InputFile) -> ResumableOutput | StdoutOutput:
    if job.out is None:
        return StdoutOutput()
    if not job.out.resolve().parent.is_dir():
        raise ValueError(f"the folder {job.out.resolve().parent} does not exist")
    if job.source is not None and job.out.resolve() == job.source.resolve():
        raise ValueError("the output would take the place of the input; give another name")
    return ResumableOutput(job.out.resolve(), job.fingerprint(origin.digest) if origin.digest else None, job.restart)


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
