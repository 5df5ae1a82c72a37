"""Bulk scoring by shards on Ray: what it is given, and what it can read and write."""

import os
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

SHARD_ROWS = 50_000


class Cluster(NamedTuple):
    """`address` None: a Ray of its own on this machine. `actors` None: as many as the cluster has CPUs for."""

    address: str | None = None
    actors: int | None = None
    shard_rows: int = SHARD_ROWS


def choose_ray(cluster: Cluster) -> ModuleType:
    """The executor. Raises ValueError where Ray is not installed."""
    # Ray reads these when it is imported.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if cluster.address is None:
        # Then it listens on loopback alone; 127.0.0.1 as the node's address it would replace by an outer one.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        from structbert_lite.cli.executors import ray
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in {"ray", "pandas", "pyarrow"}:
            raise
        raise ValueError("--executor ray needs Ray: pip install -r requirements-ray.txt") from None
    return ray


def check_files(source: Path | None, out: Path | None, source_format: str | None, cluster: Cluster | None) -> None:
    """Raises ValueError where the executor cannot read `source` or write `out`; None: standard input, output."""
    if cluster is None:
        for path in (source, out):
            if path is not None and path.is_dir():
                raise ValueError(f"{path} is a folder, which only --executor ray reads and writes")
        return
    folder_or_parquet = source is not None and (source.is_dir() or source.suffix.lower() in {".parquet", ".pq"})
    if not folder_or_parquet and source_format != "parquet":
        raise ValueError("--executor ray reads a Parquet file or a folder of them")
    if out is None or (out.exists() and not out.is_dir()):
        raise ValueError("--executor ray writes a folder of Parquet files")
    if not out.resolve().parent.is_dir():
        raise ValueError(f"the folder {out.resolve().parent} does not exist")
    if source is not None and source.resolve() in {out.resolve(), *out.resolve().parents}:
        raise ValueError("the output would be a part of the input; give another name")
