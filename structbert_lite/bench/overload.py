"""`python -m structbert_lite overload`: what a server does when more is asked of it than it can do."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click
import numpy as np

from structbert_lite.bench.http_client import Outcome, closed_loop, open_loop, write_request
from structbert_lite.bench.machine import describe_machine
from structbert_lite.bench.server_process import Server, serve
from structbert_lite.bench.synthetic_texts import make_texts
from structbert_lite.errors import StructBertError
from structbert_lite.manifest import check_files, read_manifest
from structbert_lite.settings import PROJECT

CLIENTS = 16  # that each wait for their answer: they find out the peak
UNLOADED = 0.1  # of the peak
TRIES = 5
SETTLED = 1 / 20  # of the overload, at the beginning, is looked at with the rest and left out once
REST_SECONDS = 2.0  # after the overload, before the server is asked as before


@click.command("overload")
@click.argument(
    "model", type=click.Path(exists=True, file_okay=False, path_type=Path), default=PROJECT / "models" / "sentiment"
)
@click.option("--times", type=click.FloatRange(0.1), default=3.0, show_default=True, help="Times the peak.")
@click.option("--seconds", type=click.FloatRange(1), default=60.0, show_default=True, help="Length of the overload.")
@click.option("--texts", type=click.IntRange(50), default=2000, show_default=True, help="Different texts.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(model: Path, times: float, seconds: float, texts: int, as_json: bool) -> None:
    """Asks the sentiment model in the folder MODEL more than it can answer, over loopback, and reports.

    First the peak, by clients that wait for their answers; then a tenth of it and then TIMES the peak, at random
    instants whatever is answered; at the end the same as at the beginning. The cache is off.
    """
    try:
        figures = measure(model.resolve(), times, seconds, texts)
    except (StructBertError, RuntimeError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(figures, ensure_ascii=False, indent=2) if as_json else _table(figures))


def measure(model: Path, times: float, seconds: float, texts: int) -> dict[str, Any]:
    """All figures of one model folder. Raises InvalidModel, or RuntimeError when the server does not start."""
    manifest = read_manifest(model)
    check_files(model, manifest)
    with serve(model.parent, model.name, cache_mb=0) as server:
        figures = measure_server(server, times, seconds, texts)
    return {"machine": describe_machine(), "model": manifest.name, "digest": manifest.digest} | figures


def measure_server(server: Server, times: float, seconds: float, texts: int) -> dict[str, Any]:
    """The peak of a server whose cache is off, and what it does at `times` the peak.

    Raises RuntimeError when it does not answer clients that wait.
    """
    bodies = [{"text": text} for text in make_texts(texts, seed=0)]
    requests = [write_request(server.port, "/predict", body) for body in bodies]
    _ask(server, bodies[: texts // 4])  # the first requests meet cold caches
    expected, peak = _ask(server, bodies)

    def is_right(i: int, status: int, body: bytes) -> bool:
        return body == expected[i] if status == 200 else b'"error"' in body

    unloaded, _ = open_loop(server.port, requests, UNLOADED * peak, seconds, is_right, seed=1)
    before = server.memory_mb()
    outcomes, took = open_loop(server.port, requests, times * peak, seconds, is_right, seed=2)
    after = server.memory_mb()
    time.sleep(REST_SECONDS)
    again, peak_again = _ask(server, bodies)
    rested = server.memory_mb()
    answered = sum(outcome.status == 200 for outcome in outcomes)
    return {
        "times": times,
        "seconds": seconds,
        "peak_per_second": peak,
        "peak_per_second_afterwards": peak_again,
        "unloaded": _describe(unloaded),
        "overload": _describe(outcomes),
        "overload_settled": _describe([outcome for outcome in outcomes if outcome.at > SETTLED * seconds]),
        "answered_per_second": answered / took,
        "of_peak": answered / took / peak,
        "memory_mb": {"before": before, "after": after, "afterwards": rested},
        "answers_afterwards_differ": sum(one != other for one, other in zip(expected, again, strict=True)),
    }


def _ask(server: Server, bodies: list[dict[str, Any]]) -> tuple[list[bytes], float]:
    """The answers, and how many a second came. On a machine that is busy otherwise some may have to be asked again.

    Raises RuntimeError when one is still not 200 after that.
    """
    found: list[bytes] = [b""] * len(bodies)
    took, missing = 0.0, list(range(len(bodies)))
    for _ in range(TRIES):
        answers, seconds = closed_loop(server.port, "/predict", [bodies[i] for i in missing], CLIENTS)
        took += seconds
        for i, answer in zip(missing, answers, strict=True):
            found[i] = answer.body if answer and answer.good else b""
        missing = [i for i in missing if not found[i]]
        if not missing:
            return found, len(bodies) / took
        time.sleep(REST_SECONDS)
    raise RuntimeError(f"the server does not answer {CLIENTS} clients that wait for their answers")


def _describe(outcomes: list[Outcome]) -> dict[str, Any]:
    accepted = [outcome.seconds * 1000 for outcome in outcomes if outcome.status == 200]
    refused = [outcome.seconds * 1000 for outcome in outcomes if outcome.status in {429, 503}]
    p50, p99 = np.percentile(accepted or [np.nan], [50, 99])
    return {
        "requests": len(outcomes),
        "statuses": dict(sorted(Counter(outcome.status for outcome in outcomes if outcome.status).items())),
        "not_answered": sum(outcome.status == 0 for outcome in outcomes),
        "wrong": sum(outcome.status != 0 and not outcome.right for outcome in outcomes),
        "refused_share": len(refused) / len(outcomes),
        "accepted_p50_ms": float(p50),
        "accepted_p99_ms": float(p99),
        "refused_p50_ms": float(np.median(refused)) if refused else None,
    }


def _table(figures: dict[str, Any]) -> str:
    memory = figures["memory_mb"]
    lines = [
        f"{figures['model']} on {figures['machine']}",
        f"peak, {CLIENTS} clients      {figures['peak_per_second']:8.0f} texts/s",
        f"peak afterwards       {figures['peak_per_second_afterwards']:8.0f} texts/s",
        f"answered under load   {figures['answered_per_second']:8.0f} texts/s, {figures['of_peak']:.2f} of the peak",
        f"memory                {memory['before']:8.0f} MB before, {memory['after']:.0f} after, "
        f"{memory['afterwards']:.0f} after the peak again",
        f"answers that differ afterwards: {figures['answers_afterwards_differ']}",
        "",
        "load                                  requests  p50 ms  p99 ms  refused  not answered  wrong  statuses",
    ]
    times = f"{figures['times']:g} times"
    rows = (("a tenth", "unloaded"), (times, "overload"), (f"{times}, without the first twentieth", "overload_settled"))
    for name, row in ((name, figures[key]) for name, key in rows):
        lines.append(
            f"{name:36s} {row['requests']:9d} {row['accepted_p50_ms']:7.1f} {row['accepted_p99_ms']:7.1f} "
            f"{row['refused_share']:8.2f} {row['not_answered']:13d} {row['wrong']:6d}  {row['statuses']}"
        )
    return "\n".join(lines)
