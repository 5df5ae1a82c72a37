"""The text of /metrics: of this process, or of all that share a folder, whichever of them is asked."""

import os
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from structbert_lite.telemetry.multiprocess import FOLDER

__all__ = ["CONTENT_TYPE_LATEST", "expose"]


def expose(registry: CollectorRegistry) -> bytes:
    """Prometheus text of `registry`, or of the shared folder where there is one, and of the processes behind it."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return generate_latest(registry) + generate_latest(_processes([os.getpid()]))
    shared = CollectorRegistry()
    MultiProcessCollector(shared, folder)
    # A live gauge's file goes when its process does, so these are the processes that serve.
    live = {int(file.stem.rpartition("_")[2]) for file in Path(folder).glob("gauge_live*.db")}
    return generate_latest(shared) + generate_latest(_processes(sorted(live)))


def _processes(pids: list[int]) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Processes(pids))
    return registry


class _Processes(Collector):
    """The client library's process metrics, added up: it has none for several processes."""

    def __init__(self, pids: list[int]) -> None:
        self._collectors = list(map(_collector, pids))

    def collect(self) -> Iterator[Metric]:
        found: dict[str, list[Metric]] = {}
        for collector in self._collectors:
            for metric in collector.collect():
                found.setdefault(metric.name, []).append(metric)
        for name, metrics in found.items():
            values = [sample.value for metric in metrics for sample in metric.samples]
            together = min if name in ("process_start_time_seconds", "process_max_fds") else sum
            (sample,) = metrics[0].samples
            metrics[0].samples = [sample._replace(value=together(values))]
            yield metrics[0]


def _collector(pid: int) -> ProcessCollector:
    return ProcessCollector(pid=lambda: pid, registry=None)
