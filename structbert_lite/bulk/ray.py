"""Several machines: Ray Data over the list of shards, with a pool of actors that hold the model.

A row of the data set is a shard: an actor reads the shard's rows from the input and writes the shard's file by itself.
"""

import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import ray
import ray.data
from ray.exceptions import RayError, RayTaskError

from structbert_lite.bulk.job import Counted, Counts, Job, Progress, RayOptions
from structbert_lite.bulk.scorer import Scorer
from structbert_lite.bulk.shards import Shard, ShardFolder, count_shard, plan_shards, score_shard
from structbert_lite.errors import StructBertError
from structbert_lite.inference.resources import usable_cpus

PATIENCE_S = 10  # with a cluster that may not be there
STORE_BYTES = 100 << 20  # of a local Ray's object store, which holds next to nothing


def run(job: Job, progress: Progress, cluster: RayOptions) -> Counts:
    """Does the job, or its shards that are not there yet. Raises StructBertError, ValueError, OSError.

    KeyboardInterrupt passes through. Whatever it raises, finished shards stay and the same job goes on from there.
    """
    scorer = Scorer(job)  # here only for its word on the job, before anything is started
    try:
        plan = plan_shards(job, scorer, cluster.shard_rows)
    finally:
        scorer.close()
    if plan.columns != job.columns:
        progress.tell([f"the texts are read from the column {plan.columns[0]}"])
        job = replace(job, columns=plan.columns)
    fingerprint = job.fingerprint("") | {"input": plan.identity, "shard rows": cluster.shard_rows}
    if job.out is None:
        raise ValueError("--executor ray writes a folder, not standard output")
    folder = ShardFolder(job.out.resolve(), fingerprint, job.restart)
    try:
        kept = [shard for shard in plan.shards if folder.has(shard)]
        counts = Counts()
        for shard in kept:
            counts.done = counts.done.plus(count_shard(job, shard, folder.path))
        counts.before = counts.done.rows
        waiting = [shard for shard in plan.shards if not folder.has(shard)]
        if waiting:
            _score(job, folder.path, waiting, cluster, counts, progress)
        else:
            progress.begin(counts.done.rows, counts)
        folder.finish()
    finally:
        folder.close()
    return counts


def _score(
    job: Job, folder: Path, waiting: list[Shard], cluster: RayOptions, counts: Counts, progress: Progress
) -> None:
    try:
        _connect(job, cluster)
        count = cluster.actors or int(ray.cluster_resources().get("CPU", 0)) // job.threads or 1
        progress.begin(counts.done.rows + sum(shard.rows for shard in waiting), counts)
        try:
            for done in _spread(job, folder, waiting, min(count, len(waiting))):
                counts.done = counts.done.plus(Counted(**done))
                progress.advance(done["rows"])
        finally:
            progress.end()
    finally:
        ray.shutdown()  # actors end with the job, a local Ray as well


@contextmanager
def _discard_stderr() -> Iterator[None]:
    """Sends file descriptor 2 to nowhere: Ray's C++ writes to it by itself, whatever Python's logging is told."""
    sys.stderr.flush()
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


@_discard_stderr()
def _connect(job: Job, cluster: RayOptions) -> None:
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what goes wrong is said once, by the command
    quiet = {"log_to_driver": False, "configure_logging": False}
    if cluster.address:
        try:
            _knock(cluster.address)
            ray.init(cluster.address, **quiet)
        except (OSError, RuntimeError, ValueError) as error:
            raise StructBertError(f"no Ray answers at {cluster.address}: {error}") from None
        return
    try:
        ray.init(
            "local",
            num_cpus=max(usable_cpus(), (cluster.actors or 1) * job.threads),
            num_gpus=0,
            include_dashboard=False,
            object_store_memory=STORE_BYTES,
            **quiet,
        )
    except Exception as error:  # it raises no narrower one when its processes take too long
        raise StructBertError(f"Ray does not start on this machine: {error}") from None


def _knock(address: str) -> None:
    """Raises OSError where nothing listens at HOST:PORT, which takes Ray minutes to find out."""
    host, _, port = address.rpartition(":")
    if host and "/" not in host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE_S).close()


class _Actor:
    """Lives in a process of its own, anywhere in the cluster, and loads the model once, for its first shard."""

    def __init__(self, job: Job, folder: Path) -> None:
        self._job, self._folder = job, folder
        self._load = cache(partial(Scorer, job))

    def __call__(self, row: dict[str, Any]) -> dict[str, int]:
        shard = Shard(**row | {"source": Path(row["source"])})
        return score_shard(self._job, self._load, shard, self._folder)._asdict()


def _spread(job: Job, folder: Path, shards: list[Shard], count: int) -> Iterator[dict[str, int]]:
    """The number of rows, and of those with an error, of each shard when it is there.

    Ray starts an actor anew when it is gone, and gives its shard out again, however often.
    """
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    context.raise_original_map_exception = True
    rows = [shard._asdict() | {"source": str(shard.source)} for shard in shards]
    # A block and a task for each shard, and one task at a time for each actor: none waits behind another's.
    scored = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
        _Actor,
        fn_constructor_args=(job, folder),
        compute=ray.data.ActorPoolStrategy(size=count, max_tasks_in_flight_per_actor=1),
        num_cpus=job.threads,
    )
    try:
        yield from scored.iter_rows()
    except RayTaskError as error:  # an actor's own words, behind a page of Ray's
        raise error.cause if isinstance(error.cause, StructBertError | ValueError | OSError) else error from None
    except RayError as error:
        raise StructBertError(f"Ray gave up: {error}") from None
