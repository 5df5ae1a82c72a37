"""`python -m benchmarks.baseline --baseline COMMIT`: this tree's server beside another commit's, and beside a bare one.

Each in an environment of its own requirements, never two servers at once, everything in turn in each round; the two
trees serve the other commit's models. The bare server is benchmarks/servers/bare.py. Environments stay in build/.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from os import getloadavg
from pathlib import Path
from statistics import median

import click

from benchmarks.mixed import send_mixed
from benchmarks.tables import markdown
from benchmarks.trees import PLACE, Bare, Tree, checkout, git, python_with
from benchmarks.work import versions_of
from benchmarks.wrk import CLIENT, closed_load, sent_texts
from structbert_lite.bench.benchmark import tokenize_and_run_ms
from structbert_lite.bench.http_client import measure_closed_loop
from structbert_lite.bench.machine import describe_machine
from structbert_lite.bench.overload import measure_server
from structbert_lite.bench.synthetic_texts import make_texts
from structbert_lite.inference.model import Session
from structbert_lite.inference.tokenizer import Tokenizer
from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME, read_manifest
from structbert_lite.settings import PROJECT

CLIENTS = 16
MIXED_CLIENTS = 8
TEXTS = 2000
OVERLOAD = 3.0  # times the peak
CACHED = 200  # texts that the cache answers
WARM_UP_SECONDS = 2.0
WARM_UP, NEW, IDLE = 1_000_000, 2_000_000, 3_000_000  # the first number before the texts of each load of new ones
SENTIMENT = "sentiment"
FILE = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)
OWN_FILE = "this project's own int8 graph, NOT onnxruntime's stock one (--stock)"

Figures = dict[str, float]
ROWS = {  # figure -> its line in the table, decimals
    "cached": (f"/predict from the cache, {CLIENTS} clients, requests/s", 0),
    "new": (f"/predict, all texts new, {CLIENTS} clients, requests/s", 0),
    "idle_ms": ("idle, one client: p50 of /predict, ms", 2),
    "in_process_ms": ("the same texts in process, tokenize and run: p50, ms", 2),
    "overhead_ms": ("the difference, ms", 2),
    "peak": (f"peak by the overload's own client, {CLIENTS} clients, texts/s", 0),
    "overload_p99_ms": ("three times that peak: p99 of the accepted, ms", 0),
    "overload_of_peak": ("three times that peak: answered, of the peak", 2),
    "overload_bad": ("three times that peak: no answer, or a wrong one", 0),
    "pss_1": ("1 worker, memory after traffic, PSS, MB", 0),
    "uss_1": ("1 worker, memory after traffic, USS, MB", 0),
    "pss_2": ("2 workers, memory after traffic, PSS, MB", 0),
    "uss_2": ("2 workers, memory after traffic, USS, MB", 0),
    "start_seconds": ("start to ready, s", 2),
    "failures": ("answers other than 200, broken connections, outside the overload", 0),
}


@click.command(help=__doc__)
@click.option("--baseline", "commit", required=True, metavar="COMMIT", help="What this tree is measured beside.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--seconds", type=click.FloatRange(1), default=20, show_default=True, help="Length of each load.")
@click.option("--overload-seconds", type=click.FloatRange(1), help="Of three times the peak; default: as the others.")
@click.option("--stock", type=FILE, help="The bare server's ONNX file, as benchmarks.stock_int8 writes it.")
@click.option(
    "--requirements",
    type=FILE,
    default=PROJECT / "requirements.txt",
    show_default="requirements.txt",
    help="Of this tree's server: requirements-fast.txt has the parser in C.",
)
@click.option(
    "--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Every round's figures, to a file."
)
def main(
    commit: str,
    rounds: int,
    seconds: float,
    overload_seconds: float | None,
    stock: Path | None,
    requirements: Path,
    out: Path | None,
) -> None:
    try:
        found = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}")
    except RuntimeError:
        raise click.BadParameter(f"{commit} is not a commit of this repository") from None
    load = getloadavg()[0]
    try:
        with checkout(found, PLACE / "tree") as folder:
            models = folder / "models"
            old = Tree(commit, folder, python_with(found[:12], folder / "requirements.txt"), models)
            new = Tree("this tree", PROJECT, python_with(requirements.stem, requirements), models)
            bare = Bare(
                "bare",
                python_with("bare", PROJECT / "benchmarks" / "peers" / "bare.txt"),
                stock or models / SENTIMENT / MODEL_NAME,
                models / SENTIMENT / TOKENIZER_NAME,
                read_manifest(models / SENTIMENT).labels,
            )
            figures = {
                "date": datetime.now(UTC).strftime("%Y-%m-%d"),
                "machine": describe_machine(),
                "load_average_before": load,
                "commits": {commit: found, "this tree": git("describe", "--always", "--dirty", "--exclude", "*")},
                "client": CLIENT,
                "rounds": rounds,
                "seconds": seconds,
                "overload_seconds": overload_seconds or seconds,
                "bare_model": str(stock) if stock else OWN_FILE,
                "versions": {side.title: versions_of(side.python) for side in (old, new, bare)},
                "sides": measure_sides(
                    [old, new, bare], rounds, seconds, overload_seconds or seconds, make_texts(TEXTS, seed=0)
                ),
            }
    except (RuntimeError, OSError) as error:
        raise click.ClickException(str(error)) from None
    if out:
        out.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    click.echo(report(figures))


def measure_sides(
    sides: Sequence[Tree | Bare], rounds: int, seconds: float, overload_seconds: float, texts: list[str]
) -> dict[str, list[Figures]]:
    """Each side's figures of each round. Where a load failed, its figures are missing and the reason is printed."""
    trees = [side for side in sides if isinstance(side, Tree)]
    phases = (
        ("speed", sides, lambda side: _speed(side, seconds, texts)),
        ("1 worker", trees, lambda side: _memory(side, 1, seconds)),
        ("2 workers", trees, lambda side: _memory(side, 2, seconds)),
        ("overload", trees, lambda side: _overload(side, overload_seconds, len(texts))),
    )
    for side in sides:  # a first start compiles Python files and may write what later ones read
        with side.running() as server:
            closed_load(server.port, texts, CLIENTS, 1)
    found: dict[str, list[Figures]] = {side.title: [{} for _ in range(rounds)] for side in sides}
    for number in range(rounds):
        for words, measured, measure in phases:
            for side in measured:
                click.echo(f"round {number + 1} of {rounds}, {words}: {side.title}", err=True)
                try:
                    found[side.title][number] |= measure(side)
                except (RuntimeError, OSError) as error:
                    click.echo(f"{side.title} failed: {error}", err=True)
    return found


def _speed(side: Tree | Bare, seconds: float, texts: list[str]) -> Figures:
    with side.running() as server:
        closed_load(server.port, texts, CLIENTS, min(seconds, WARM_UP_SECONDS), first=WARM_UP)
        new = closed_load(server.port, texts, CLIENTS, seconds, first=NEW)
        figures = {"start_seconds": server.started_in, "new": new.per_second, "failures": new.failures}
        if isinstance(side, Bare):
            return figures | {"pss_1": server.memory_mb(), "uss_1": server.private_mb()}
        measure_closed_loop(server.port, texts[:CACHED], CLIENTS)
        cached = closed_load(server.port, texts[:CACHED], CLIENTS, seconds)
        idle = closed_load(server.port, texts, 1, seconds, first=IDLE)
        in_process = _in_process(side.models / SENTIMENT, list(islice(sent_texts(texts, IDLE), idle.requests)))
    return figures | {
        "cached": cached.per_second,
        "idle_ms": idle.p50_ms,
        "in_process_ms": in_process,
        "overhead_ms": idle.p50_ms - in_process,
        "failures": new.failures + cached.failures + idle.failures,
    }


def _in_process(model: Path, texts: list[str]) -> float:
    manifest = read_manifest(model)
    session = Session(model / MODEL_NAME, manifest.inputs, manifest.pad_id)
    return tokenize_and_run_ms(session, Tokenizer(model / TOKENIZER_NAME, manifest.max_tokens), texts)


def _memory(side: Tree, workers: int, seconds: float) -> Figures:
    """After traffic of all tasks with the cache off: it would hold more the faster the server is."""
    with side.running(workers=workers, cache_mb=0) as server:
        send_mixed(server.port, MIXED_CLIENTS, seconds, seed=0)
        return {f"pss_{workers}": server.memory_mb(), f"uss_{workers}": server.private_mb()}


def _overload(side: Tree, seconds: float, texts: int) -> Figures:
    with side.running(cache_mb=0) as server:
        found = measure_server(server, OVERLOAD, seconds, texts)
    return {
        "peak": found["peak_per_second"],
        "overload_p99_ms": found["overload"]["accepted_p99_ms"],
        "overload_of_peak": found["of_peak"],
        "overload_bad": found["overload"]["not_answered"] + found["overload"]["wrong"],
    }


def report(figures: dict) -> str:
    """Medians over the rounds, each side's ratio to the first one, and the second's to the last; machine, versions."""
    titles = list(figures["sides"])
    medians = [
        {name: median(row[name] for row in rows if name in row) for name in ROWS if any(name in row for row in rows)}
        for rows in figures["sides"].values()
    ]
    lines = []
    for name, (words, decimals) in ROWS.items():
        values = [found.get(name) for found in medians]
        cells = ["–" if value is None else f"{value:.{decimals}f}" for value in values]
        lines.append([words, *cells, *(_ratio(values[1], other) for other in (values[0], *values[2:]))])
    header = ["median", *titles, *(f"{titles[1]} / {other}" for other in (titles[0], *titles[2:]))]
    said = [
        f"{figures['date']}, {figures['machine']}; load average before: {figures['load_average_before']:.1f}",
        f"{figures['rounds']} rounds, {figures['seconds']:g} s a load, {figures['overload_seconds']:g} overload",
        f"client: {figures['client']}",
        f"bare: one model, /predict alone, {figures['bare_model']}",
        *(f"{title} is {commit}" for title, commit in figures["commits"].items()),
        *(f"{title}: {', '.join(found)}" for title, found in figures["versions"].items()),
    ]
    return "\n".join([*said, "", markdown(header, lines)])


def _ratio(value: float | None, other: float | None) -> str:
    return f"{value / other:.2f}" if value is not None and other else "–"


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.baseline")
