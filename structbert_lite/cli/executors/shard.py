"""One shard from its first row to its name: what every executor that works by shards does in each of its workers."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from structbert_lite.cli.executors.local import ERROR, check_columns, check_names, map_windows, window_rows
from structbert_lite.cli.score.job import Job
from structbert_lite.cli.score.scorer import Scorer
from structbert_lite.cli.score.shards import Shard, cut_shards, make_shard
from structbert_lite.cli.tables.formats import open_parquet, open_sink


class Plan(NamedTuple):
    """The shards of a job, and what identifies its input: each file's name, size, time of change and rows."""

    shards: list[Shard]
    identity: list[list]


def plan_shards(job: Job, scorer: Scorer, size: int) -> Plan:
    """Raises ValueError for files that do not fit each other or the job; OSError."""
    paths = sorted(job.source.glob("*.parquet")) if job.source.is_dir() else [job.source]
    if not paths:
        raise ValueError(f"there is no *.parquet in {job.source}")
    sources = [open_parquet(path) for path in paths]
    for path, source in zip(paths, sources, strict=True):
        if not source.schema.equals(sources[0].schema):
            raise ValueError(f"{path} has other columns or types than {paths[0]}")
    check_columns(job, sources[0])
    check_names(sources[0].columns, scorer.columns)
    rows = [source.total for source in sources]
    stats = [path.stat() for path in paths]
    identity = [[p.name, s.st_size, s.st_mtime_ns, n] for p, s, n in zip(paths, stats, rows, strict=True)]
    return Plan(cut_shards(list(zip(paths, rows, strict=True)), size), identity)


def score_shard(job: Job, load: Callable[[], Scorer], shard: Shard, folder: Path) -> int:
    """Makes the shard in `folder`; how many of its rows have an error.

    Raises ValueError and OSError, and leaves nothing behind then; StructBertError, also where it has ended several
    processes before.
    """
    errors = 0
    with make_shard(folder, shard) as attempt:
        scorer, source = load(), open_parquet(shard.source)
        sink = open_sink("parquet", source, scorer.columns, "utf-8", False)
        with attempt.open("rb+") as file:
            file.write(sink.head())
            windows = source.windows(window_rows(job), shard.first, shard.first + shard.rows)
            for window, results in map_windows(scorer, windows):
                errors += sum(found[ERROR] is not None for found in results)
                file.write(sink.rows(window, results))
        os.replace(sink.finish(str(attempt)), attempt)
    return errors


def errors_in(job: Job, shard: Shard, folder: Path) -> int:
    """How many rows of a finished shard have an error. Raises ValueError where it is not what it should be."""
    source = open_parquet(folder / shard.name)
    if source.total != shard.rows:
        raise ValueError(f"{folder / shard.name} has {source.total} rows, not {shard.rows}; remove it")
    return source.count(f"{job.prefix}error")
