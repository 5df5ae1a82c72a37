"""`python -m benchmarks.scale`: how bulk scoring grows with the actors of a Ray on this machine.

Each run is a process of its own, as a user starts it. Its start, Ray's and the models' loading, is told apart from the
rate between the first finished shards, one of each actor, and the last one. For comparison the local executor does
the same file with as many threads. Texts differ, rounds go through all in turn.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import click
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.tables import markdown
from structbert_lite.bench.machine import describe_machine
from structbert_lite.bench.synthetic_texts import make_texts
from structbert_lite.settings import PROJECT

SHARDS = 20  # of a run with one actor, in which an actor's share must end about when the others' do


@click.command()
@click.option("--actors", "counts", type=click.IntRange(1), multiple=True, default=(1, 2), show_default=True)
@click.option("--texts", "count", type=click.IntRange(1000), default=20_000, show_default=True)
@click.option("--characters", type=click.IntRange(1), default=40, show_default=True, help="Of a text at the most.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(counts: Sequence[int], count: int, characters: int, rounds: int, as_json: bool) -> None:
    """Texts a second with so many actors, and beside them the local executor's with as many threads."""
    texts = [f"{i}{text[: max(0, characters - len(str(i)))]}" for i, text in enumerate(make_texts(count, seed=0))]
    found: dict[int, list[dict[str, float]]] = {actors: [] for actors in counts}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "texts.parquet"
        pq.write_table(pa.table({"id": range(count), "text": texts}), source, row_group_size=count // SHARDS)
        for _ in range(rounds):
            for actors in counts:
                found[actors].append(_ray(source, Path(folder) / "out", count, actors) | _local(source, count, actors))
                click.echo(f"{actors}: {found[actors][-1]}", err=True)
    if as_json:
        click.echo(json.dumps({"machine": describe_machine(), "texts": count, "rounds": found}, indent=2))
        return
    click.echo(f"{describe_machine()}; {count} texts, median of {rounds} rounds\n")
    header = [
        "actors",
        "texts/s",
        "of one actor",
        "s before the first shards",
        "local executor, as many threads: texts/s",
    ]
    rates = {actors: median(row["ray"] for row in rows) for actors, rows in found.items()}
    rows = [
        [
            str(actors),
            f"{rates[actors]:.0f}",
            f"{rates[actors] / rates[min(rates)] * min(rates):.2f}",
            f"{median(row['start'] for row in found[actors]):.1f}",
            f"{median(row['local'] for row in found[actors]):.0f}",
        ]
        for actors in sorted(found)
    ]
    click.echo(markdown(header, rows))


def _ray(source: Path, out: Path, count: int, actors: int) -> dict[str, float]:
    """Texts a second from the moment at which as many shards as actors are there; the seconds before it."""
    began = time.time()
    options = ["--executor", "ray", "--actors", str(actors), "--shard-rows", str(count // SHARDS), "--restart"]
    _score(source, out, *options)
    ends = sorted(path.stat().st_mtime for path in out.glob("part-*.parquet"))
    rows = count - actors * (count // SHARDS)
    return {"ray": rows / (ends[-1] - ends[actors - 1]), "start": ends[actors - 1] - began}


def _local(source: Path, count: int, threads: int) -> dict[str, float]:
    """Texts a second by the command's own word, from the model's being loaded to the finished file."""
    said = _score(source, source.with_name("local.parquet"), "--threads", str(threads), "--restart")
    return {"local": float(said.rpartition(", ")[2].removesuffix(" rows/s"))}


def _score(source: Path, out: Path, *options: str) -> str:
    """The command's last line. Raises CalledProcessError."""
    command = [sys.executable, "-m", "structbert_lite", "score", str(source), "--task", "sentiment", "-o", str(out)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STRUCTBERT_")}
    done = subprocess.run([*command, *options], cwd=PROJECT, env=kept, capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(done.stderr)
    return done.stderr.strip().splitlines()[-1]


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.scale")
