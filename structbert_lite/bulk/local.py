"""All CPUs of this machine, one process: rows are read and written here, threads score the windows between.

While one window is finished and written the next ones are already being scored, so that no CPU waits.
"""

from structbert_lite.bulk.job import Counts, Job, Progress
from structbert_lite.bulk.resumable_output import ResumableOutput, StdoutOutput
from structbert_lite.bulk.scorer import Scorer, check_names, choose_columns, count, map_windows, window_rows
from structbert_lite.tables.delimited import DELIMITERS
from structbert_lite.tables.encoding import NAMES
from structbert_lite.tables.formats import KEPT_ENCODINGS, WHOLE_FILES, open_sink, open_source
from structbert_lite.tables.source import InputFile, Sink, Source, UnknownEncoding, known_encoding


def run(job: Job, progress: Progress) -> Counts:
    """Does the job, or the rest of it. Raises StructBertError, ValueError, OSError; KeyboardInterrupt passes through.

    Whatever it raises, what was written stays and the same job goes on from there.
    """
    origin = InputFile(job.source, job.encoding)
    try:
        source, encoding = open_source(origin, job.source_format, job.table)
    except UnknownEncoding as error:
        cure = "Name its --encoding; rows with bytes that cannot be decoded are then marked in the column `error`"
        raise ValueError(f"{error}. {cure}") from None
    asked, job = job.columns, choose_columns(job, source)
    if job.columns != asked:
        progress.tell([f"the texts are read from the column {job.columns[0]}"])
    scorer = Scorer(job)
    try:
        check_names(source.columns or [], scorer.columns)
        written = known_encoding(job.out_encoding or encoding)
        sink = open_sink(job.out_format, source, scorer.columns, written, job.quoted)
        progress.tell([*_of_encodings(job, origin, written), *source.notices])
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
    counts = Counts(output.done, output.done.rows)
    progress.begin(source.total, counts)
    if not output.finished:
        if output.is_new:
            output.append(sink.head())
        try:
            for window, results in map_windows(scorer, source.windows(window_rows(job), output.done.rows)):
                output.append(sink.rows(window, results), count(results))
                counts.done = output.done
                progress.advance(len(results))
        finally:
            progress.end()
    output.finish(sink)
    counts.left_out = source.left_out
    progress.tell([*source.notices, *sink.notices])
    return counts


def _of_encodings(job: Job, origin: InputFile, written: str) -> list[str]:
    """What was guessed, and that text is written in another encoding than it came in."""
    if job.source_format in WHOLE_FILES:
        return []
    found = origin.encoding.name
    notices = [origin.encoding_notice]
    if job.out_encoding is None and job.out_format in DELIMITERS and found not in KEPT_ENCODINGS:
        name = NAMES.get(found, found.upper())
        notices.append(f"{origin.name} is {name}, the output is UTF-8; --out-encoding {found} keeps {name}")
    return notices


def _open_output(job: Job, origin: InputFile) -> ResumableOutput | StdoutOutput:
    if job.out is None:
        return StdoutOutput()
    if not job.out.resolve().parent.is_dir():
        raise ValueError(f"the folder {job.out.resolve().parent} does not exist")
    if job.source is not None and job.out.resolve() == job.source.resolve():
        raise ValueError("the output would take the place of the input; give another name")
    return ResumableOutput(job.out.resolve(), job.fingerprint(origin.digest) if origin.digest else None, job.restart)
