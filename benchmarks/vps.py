"""`python -m benchmarks.vps`: all models of models/ on a machine as small as a cheap VPS, for ten minutes."""

import json
import os
import sys
from collections.abc import Sequence

import click
import numpy as np
from tqdm import trange

from benchmarks.cage import make_cage
from benchmarks.mixed import INPUTS, Served, send_mixed
from structbert_lite.bench.machine import describe_machine
from structbert_lite.bench.server_process import free_port, run_server
from structbert_lite.settings import PREFIX

MINUTE = 60.0
SERVE = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]


@click.command()
@click.option("--cpus", type=click.FloatRange(0.1), default=1.0, show_default=True, help="CPU time a second.")
@click.option("--memory-mb", type=click.IntRange(64), default=1024, show_default=True)
@click.option("--minutes", type=click.IntRange(1), default=10, show_default=True)
@click.option("--clients", type=click.IntRange(1), default=4, show_default=True, help="Each waits for its answer.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the server: WORKERS=2.")
def main(cpus: float, memory_mb: int, minutes: int, clients: int, settings: tuple[str, ...]) -> None:
    """Start, memory, latency and texts a second of the server inside a control group; prints JSON.

    Needs root. The load runs outside the group, on the same machine.
    """
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    ours = {"PORT": str(port)} | dict(setting.split("=", 1) for setting in settings)
    environment = kept | {PREFIX + name: value for name, value in ours.items()}
    rounds: list[dict] = []
    everything: list[Served] = []
    with make_cage(cpus, memory_mb) as cage, run_server(cage.enter + SERVE, port, "/readyz", environment) as server:
        started_in, at_start = server.started_in, server.memory_mb()
        alone = send_mixed(port, clients=1, seconds=MINUTE / 2, seed=0)
        for minute in trange(minutes, unit="min"):
            served = send_mixed(port, clients, MINUTE, seed=minute + 1)
            everything += served
            rounds.append({"requests": len(served), "server_mb": server.memory_mb(), "group_mb": cage.used_mb()})
        peak = cage.peak_mb()
    click.echo(
        json.dumps(
            {
                "machine": describe_machine(),
                "limits": {"cpus": cpus, "memory_mb": memory_mb},
                "settings": list(settings),
                "start_seconds": started_in,
                "memory_mb_at_start": at_start,
                "group_peak_mb": peak,
                "minutes": rounds,
                "failures": sum(not one.good for one in alone + everything),
                "requests_per_second": len(everything) / (minutes * MINUTE),
                "inputs_per_second": sum(INPUTS[one.route] for one in everything) / (minutes * MINUTE),
                "one_client": _latencies(alone),
                f"{clients}_clients": _latencies(everything),
            },
            ensure_ascii=False,
            indent=2,
        )
    )


def _latencies(served: Sequence[Served]) -> dict[str, dict[str, float]]:
    """Requests, and milliseconds at the 50th, 95th and 99th percentile, of each route."""
    figures = {}
    for route in INPUTS:
        times = np.array([one.seconds for one in served if one.route == route and one.good] or [np.nan]) * 1000
        p50, p95, p99 = np.percentile(times, [50, 95, 99]).round(1).tolist()
        figures[route] = {"requests": len(times), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}
    return figures


if __name__ == "__main__":
    main()
