"""Several machines: Ray actors that hold the model, each working on one shard at a time.

Only the numbers of shards go through Ray: an actor reads its rows from the input and writes the shard's file by itself.
"""

import os
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray.exceptions import RayError, RayTaskError

from structbert_lite.cli.executors.shard import errors_in, plan_shards, score_shard
from structbert_lite.cli.score.cluster import Cluster
from structbert_lite.cli.score.job import Job, Tally
from structbert_lite.cli.score.progress import Progress
from structbert_lite.cli.score.scorer import Scorer
from structbert_lite.cli.score.shards import Shard, ShardFolder
from structbert_lite.errors import StructBertError
from structbert_lite.runtime.cpu import usable_cpus

ATTEMPTS = 3  # that a shard may end its actor, before it is the shard's own fault
STORE_BYTES = 100 << 20  # of a local Ray's object store, which holds next to nothing


def run(job: Job, progress: Progress, cluster: Cluster) -> Tally:
    """Does the job, or its shards that are not there yet. Raises StructBertError, ValueError, OSError.

    KeyboardInterrupt passes through. Whatever it raises, finished shards stay and the same job goes on from there.
    """
    scorer = Scorer(job)  # here only for its word on the job, before anything is started
    try:
        plan = plan_shards(job, scorer, cluster.shard_rows)
    finally:
        scorer.close()
    fingerprint = job.fingerprint("") | {"input": plan.identity, "shard rows": cluster.shard_rows}
    folder = ShardFolder(job.out.resolve(), fingerprint, job.restart)
    try:
        kept = [shard for shard in plan.shards if folder.has(shard)]
        tally = Tally(sum(shard.rows for shard in kept), sum(errors_in(job, shard, folder.path) for shard in kept))
        tally.before = tally.rows
        waiting = [shard for shard in plan.shards if not folder.has(shard)]
        if waiting:
            _score(job, folder.path, waiting, cluster, tally, progress)
        else:
            progress.begin(tally.rows, tally)
        folder.finish()
    finally:
        folder.close()
    return tally


def _score(job: Job, folder: Path, waiting: list[Shard], cluster: Cluster, tally: Tally, progress: Progress) -> None:
    try:
        _connect(job, cluster)
        count = cluster.actors or int(ray.cluster_resources().get("CPU", 0)) // job.threads or 1
        progress.begin(tally.rows + sum(shard.rows for shard in waiting), tally)
        try:
            for shard, errors in _spread(_Pool(job, folder), waiting, min(count, len(waiting))):
                tally.rows, tally.errors = tally.rows + shard.rows, tally.errors + errors
                progress.advance(shard.rows)
        finally:
            progress.end()
    finally:
        ray.shutdown()  # actors end with the job, a local Ray as well


def _connect(job: Job, cluster: Cluster) -> None:
    quiet = {"log_to_driver": False, "configure_logging": False}
    if cluster.address:
        try:
            ray.init(cluster.address, **quiet)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise StructBertError(f"no Ray answers at {cluster.address}: {error}") from None
        return
    try:
        ray.init(
            "local",
            num_cpus=max(usable_cpus(), (cluster.actors or 1) * job.threads),
            num_gpus=0,
            include_dashboard=False,
            object_store_memory=STORE_BYTES,
            _node_ip_address="127.0.0.1",
            **quiet,
        )
    except Exception as error:  # it raises no narrower one when its processes take too long
        raise StructBertError(f"Ray does not start on this machine: {error}") from None


class _Worker:
    """Lives in a process of its own, anywhere in the cluster."""

    def __init__(self, job: Job, folder: Path) -> None:
        self._job, self._folder = job, folder

    def load(self) -> None:
        self._scorer = Scorer(self._job)

    def score(self, shard: Shard) -> int:
        return score_shard(self._job, self._scorer, shard, self._folder)


class _Pool:
    """Starts actors, each with as many CPUs of the cluster as it has threads."""

    def __init__(self, job: Job, folder: Path) -> None:
        self._given = job, folder
        # Ray itself neither restarts an actor nor tries again: who counts can tell a shard's own fault.
        self._actor = ray.remote(_Worker).options(num_cpus=job.threads, max_restarts=0)

    def start(self) -> tuple[Any, Any]:
        """A new actor, and what tells that its model is loaded."""
        actor = self._actor.remote(*self._given)
        return actor, actor.load.remote()


def _spread(pool: _Pool, shards: list[Shard], count: int) -> Iterator[tuple[Shard, int]]:
    """Each shard, when it is there, with the number of its rows that have an error.

    A shard is given only to an actor that has loaded its model: one for which the cluster has no room holds nothing up.
    """
    waiting, left, failures = deque(shards), len(shards), Counter()
    running: dict[Any, tuple[Any, Shard | None]] = {}
    idle: list[Any] = []

    def start() -> None:
        actor, loaded = pool.start()
        running[loaded] = actor, None

    for _ in range(count):
        start()
    while left:
        (done,), _ = ray.wait(list(running), num_returns=1)
        actor, shard = running.pop(done)
        try:
            errors = ray.get(done)
        except RayTaskError as error:  # the actor's own words: no other would do better
            raise error.cause if isinstance(error.cause, StructBertError | ValueError | OSError) else error from None
        except RayError as error:  # the actor is gone, or out of reach
            ray.kill(actor)
            failures[shard] += 1
            if failures[shard] == ATTEMPTS:
                raise StructBertError(f"{_where(shard)} has ended {ATTEMPTS} actors; the last: {error}") from None
            if shard is not None:
                waiting.appendleft(shard)
            start()
            continue
        if shard is None:
            failures[None] = 0
        else:
            left -= 1
            yield shard, errors
        idle.append(actor)
        while waiting and idle:
            shard = waiting.popleft()
            actor = idle.pop()
            running[actor.score.remote(shard)] = actor, shard


def _where(shard: Shard | None) -> str:
    if shard is None:
        return "loading the model"
    return f"{shard.name} (rows {shard.first} to {shard.first + shard.rows} of {shard.source})"
