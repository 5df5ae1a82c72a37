"""`python -m structbert_lite benchmark`: what a model costs on this machine."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np

from structbert_lite.bench.http_client import measure_closed_loop, run_in_threads
from structbert_lite.bench.machine import describe_machine
from structbert_lite.bench.server_process import serve
from structbert_lite.bench.synthetic_texts import make_texts
from structbert_lite.errors import StructBertError
from structbert_lite.inference.model import Session
from structbert_lite.inference.resources import usable_cpus
from structbert_lite.inference.tokenizer import Encoding, Tokenizer
from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME, check_files, read_manifest
from structbert_lite.settings import PROJECT
from structbert_lite.tables.source import read_text

CLIENTS = (1, 4, 16, 64)
LINES = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


@click.command("benchmark")
@click.argument(
    "model", type=click.Path(exists=True, file_okay=False, path_type=Path), default=PROJECT / "models" / "sentiment"
)
@click.option("--texts", type=LINES, metavar="FILENAME", help="Texts to send, one a line; default: made-up ones.")
@click.option("--requests", type=click.IntRange(50), default=2000, show_default=True, help="Requests in each load.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Bare loop and server in turn.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(model: Path, texts: Path | None, requests: int, rounds: int, as_json: bool) -> None:
    """Start-up, memory, latency and throughput of the model in the folder MODEL.

    Everything runs on this machine, over loopback. The load shares the CPUs with the server.
    """
    try:
        lines = _read_lines(texts) if texts else make_texts(requests, seed=0)
        figures = measure(model.resolve(), lines, requests, rounds)
    except (StructBertError, RuntimeError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(figures, ensure_ascii=False, indent=2) if as_json else _table(figures))


def _read_lines(path: Path) -> list[str]:
    text, _ = read_text(None if str(path) == "-" else path)
    if not (lines := list(filter(None, map(str.strip, text.split("\n"))))):
        raise ValueError(f"{path} has no text in it")
    return lines


def measure(model: Path, texts: list[str], requests: int, rounds: int) -> dict[str, Any]:
    """All figures of one model folder. Raises InvalidModel, or RuntimeError when the server does not start."""
    manifest = read_manifest(model)
    check_files(model, manifest)
    sent = [texts[i % len(texts)] for i in range(requests)]
    with serve(model.parent, model.name, cache_mb=0) as server:
        started_in, at_start = server.started_in, server.memory_mb()
        tokenizer = Tokenizer(model / TOKENIZER_NAME, manifest.max_tokens)
        session = Session(model / MODEL_NAME, manifest.inputs, manifest.pad_id)
        measure_closed_loop(server.port, sent[:50], clients=4)  # the first requests meet cold caches
        loads, bare_one, bare_all, alone = [], [], [], []
        encodings = tokenizer.encode(sent)
        for _ in range(rounds):  # in turn, so that a noisy moment hits both
            bare_one.append(_bare_loop(session, encodings, threads=1))
            bare_all.append(_bare_loop(session, encodings, threads=usable_cpus()))
            alone.append(tokenize_and_run_ms(session, tokenizer, sent[:500]))
            loads.append([measure_closed_loop(server.port, sent, clients) for clients in CLIENTS])
        after = server.memory_mb()
    with serve(model.parent, model.name, cache_mb=32) as server:
        measure_closed_loop(server.port, sent, clients=16)
        cached = measure_closed_loop(server.port, sent, clients=16)

    bare = float(np.median(bare_all))
    http = [_median([asdict(load[i]) for load in loads]) for i in range(len(CLIENTS))]
    for row in http:
        row["of_bare_loop"] = row["per_second"] / bare
    return {
        "machine": describe_machine(),
        "model": manifest.name,
        "digest": manifest.digest,
        "start_seconds": started_in,
        "memory_mb_at_start": at_start,
        "memory_mb_after_requests": after,
        "requests": rounds * requests * len(CLIENTS),
        "bare_loop_per_second": {"one_thread": float(np.median(bare_one)), "all_cpus": bare},
        "tokenize_and_run_p50_ms": float(np.median(alone)),
        "http_overhead_p50_ms": http[0]["p50_ms"] - float(np.median(alone)),
        "http": http,
        "http_cached": asdict(cached),
    }


def _bare_loop(session: Session, encodings: list[Encoding], threads: int) -> float:
    """Texts a second of session.run on one text at a time, from `threads` threads."""

    def loop(taken: Iterator[Encoding]) -> None:
        for encoding in taken:
            session.run([encoding])

    return len(encodings) / run_in_threads(encodings, threads, loop)


def tokenize_and_run_ms(session: Session, tokenizer: Tokenizer, texts: list[str]) -> float:
    """Median milliseconds of tokenization and session.run for one text, in this process."""
    times = []
    for text in texts:
        began = time.perf_counter()
        session.run(tokenizer.encode([text]))
        times.append(time.perf_counter() - began)
    return float(np.median(times)) * 1000


def _median(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: type(rows[0][name])(np.median([row[name] for row in rows])) for name in rows[0]}


def _table(figures: dict[str, Any]) -> str:
    bare = figures["bare_loop_per_second"]
    lines = [
        f"{figures['model']} on {figures['machine']}",
        f"start to first 200 on /readyz   {figures['start_seconds']:8.2f} s",
        f"memory at the start             {figures['memory_mb_at_start']:8.0f} MB",
        f"memory after {figures['requests']:6d} requests    {figures['memory_mb_after_requests']:8.0f} MB",
        f"tokenize and session.run, p50   {figures['tokenize_and_run_p50_ms']:8.2f} ms",
        f"HTTP overhead, idle, p50        {figures['http_overhead_p50_ms']:8.2f} ms",
        f"bare loop, one thread           {bare['one_thread']:8.0f} texts/s",
        f"bare loop, all CPUs             {bare['all_cpus']:8.0f} texts/s",
        "",
        "clients  texts/s  of bare loop   p50 ms   p95 ms   p99 ms  failures",
    ]
    for row in figures["http"]:
        lines.append(
            f"{row['clients']:7d} {row['per_second']:8.0f} {row['of_bare_loop']:13.2f} {row['p50_ms']:8.2f} "
            f"{row['p95_ms']:8.2f} {row['p99_ms']:8.2f} {row['failures']:9d}"
        )
    row = figures["http_cached"]
    lines.append(
        f"{row['clients']:7d} {row['per_second']:8.0f}        cached {row['p50_ms']:8.2f} "
        f"{row['p95_ms']:8.2f} {row['p99_ms']:8.2f} {row['failures']:9d}"
    )
    return "\n".join(lines)
