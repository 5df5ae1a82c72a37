"""`python -m benchmarks.bulk`: what bulk scoring adds to the bare kernel, both in turn in one run.

The bare kernel is session.run on all texts tokenized beforehand, sorted by length and cut as bulk scoring cuts its
windows, from one thread a CPU. Bulk scoring is the whole of `python -m structbert_lite score` from the first row to the
finished file, without the loading of the model.
"""

import csv
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import click

from structbert_lite.bench.http_client import run_in_threads
from structbert_lite.bench.machine import describe_machine
from structbert_lite.bench.synthetic_texts import make_texts
from structbert_lite.bulk import local
from structbert_lite.bulk.job import Counts, Job, Progress
from structbert_lite.inference.bulk_runner import cut_batches
from structbert_lite.inference.model import Session
from structbert_lite.inference.resources import usable_cpus
from structbert_lite.inference.tokenizer import Encoding, Tokenizer
from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME, read_manifest
from structbert_lite.settings import PROJECT


class _Watch(Progress):
    """Keeps the moment at which the model was loaded."""

    def begin(self, total: int | None, counts: Counts) -> None:
        super().begin(total, counts)
        self.loaded = time.perf_counter()
        self.cpu = time.process_time()


@click.command()
@click.option("--model", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A sentiment model.")
@click.option("--texts", "count", type=click.IntRange(100), default=20_000, show_default=True)
@click.option("--characters", type=click.IntRange(1), default=40, show_default=True, help="Of a text at the most.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(model: Path | None, count: int, characters: int, rounds: int, as_json: bool) -> None:
    """Texts a second of the bare kernel and of bulk scoring, and the ratio."""
    figures = measure((model or PROJECT / "models" / "sentiment").resolve(), count, characters, rounds)
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False, indent=2))
        return
    click.echo(f"{figures['model']} on {figures['machine']}, {count} texts of {figures['tokens_per_text']:.1f} tokens")
    for row in figures["rounds"]:
        click.echo(
            f"bare kernel {row['bare_per_second']:7.0f} texts/s, {row['bare_cpu_us']:6.0f} us of CPU a text; "
            f"bulk {row['bulk_per_second']:7.0f} texts/s, {row['bulk_cpu_us']:6.0f} us; "
            f"ratio {row['ratio']:.3f}, of CPU {row['cpu_ratio']:.3f}"
        )
    click.echo(f"median ratio {figures['ratio']:.3f}, peak memory {figures['peak_memory_mb']:.0f} MB")


def measure(model: Path, count: int, characters: int, rounds: int) -> dict:
    """All figures; each round runs the bare kernel and then bulk scoring."""
    manifest = read_manifest(model)
    tokenizer = Tokenizer(model / TOKENIZER_NAME, manifest.max_tokens)
    session = Session(model / MODEL_NAME, manifest.inputs, manifest.pad_id)
    # The number at the end makes each different; equal texts would be computed once.
    texts = [f"{i}{text[: max(0, characters - len(str(i)))]}" for i, text in enumerate(make_texts(count, seed=0))]
    encodings = tokenizer.encode(texts)
    lengths = [len(encoding) for encoding in encodings]
    batches = [[encodings[i] for i in places] for places in cut_batches(lengths)]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "texts.csv"
        with source.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["id", "text"], *enumerate(texts)])
        _bare(session, batches[-50:])  # the first runs meet cold caches
        for _ in range(rounds):
            bare, bare_cpu = _bare(session, batches)
            bulk, bulk_cpu = _bulk(model, source, Path(folder) / "scored.csv")
            found.append(
                {
                    "bare_per_second": count / bare,
                    "bulk_per_second": count / bulk,
                    "bare_cpu_us": bare_cpu / count * 1e6,
                    "bulk_cpu_us": bulk_cpu / count * 1e6,
                    "ratio": bare / bulk,
                    "cpu_ratio": bare_cpu / bulk_cpu,
                }
            )
    return {
        "machine": describe_machine(),
        "model": manifest.name,
        "digest": manifest.digest,
        "texts": count,
        "tokens_per_text": sum(lengths) / count,
        "rounds": found,
        "ratio": median(row["ratio"] for row in found),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _bare(session: Session, batches: list[list[Encoding]]) -> tuple[float, float]:
    """Seconds, and seconds of CPU."""

    def loop(taken: Iterator[list[Encoding]]) -> None:
        for batch in taken:
            session.run(batch)

    began = time.process_time()
    seconds = run_in_threads(batches, usable_cpus(), loop)
    return seconds, time.process_time() - began


def _bulk(model: Path, source: Path, out: Path) -> tuple[float, float]:
    job = Job(
        task="sentiment",
        model=model,
        source=source,
        out=out,
        source_format="csv",
        out_format="csv",
        columns=("text",),
        options={},
        restart=True,
        threads=usable_cpus(),
    )
    watch = _Watch(quiet=True)
    counts = local.run(job, watch)
    seconds, cpu = time.perf_counter() - watch.loaded, time.process_time() - watch.cpu
    with source.open(encoding="utf-8", newline="") as file:
        rows = sum(1 for _ in csv.reader(file)) - 1
    if counts.done != (rows, 0, 0, 0):
        raise RuntimeError(f"{counts.done.rows} of {rows} rows were written, {counts.done.errors} with an error")
    return seconds, cpu


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.bulk")
