"""What this process may really use: CPUs, of which onnxruntime itself would count the host's, and memory."""

import ctypes
import gc
import math
import os
import platform
from collections.abc import Iterator
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
CPUS = Path("/proc/cpuinfo")
# Its lines that tell kinds apart; others are of one CPU or change with the clock.
KIND = ("vendor_id", "cpu family", "model", "flags", "CPU implementer", "CPU variant", "CPU part", "Features")


def usable_cpus() -> int:
    """The smaller of the CPU affinity and the cgroup's quota (v2 or v1), rounded up, at least 1."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cpus, *map(math.ceil, read_quotas(MOUNT, OWN))]))


def cpu_facts() -> str:
    """What tells apart CPUs on which a library may take other paths: the kind of the first one and what it can do."""
    try:
        first = CPUS.read_text().partition("\n\n")[0].splitlines()
    except OSError:
        first = []
    return "\n".join([platform.machine(), *(line for line in first if line.startswith(KIND))])


def trim_heap() -> None:
    """Frees what only cycles keep alive, and returns free pages."""
    gc.collect()  # a runner and its batcher know each other, and nothing else would look for them for hours
    return_free_pages()


def return_free_pages() -> None:
    """Hands the heap's free pages back to the system where the C library can: a freed graph leaves many."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc
    if trim is not None:
        trim(0)


def read_quotas(mount: Path, own: Path) -> Iterator[float]:
    """CPUs that the process's cgroup and each one above it may use, where they are limited.

    `own` lists the process's cgroups (cgroups(7)). In a container the path there may be the host's: only the root of
    what is mounted counts then.
    """
    try:
        lines = own.read_text().splitlines()
    except OSError:
        lines = ["0::/"]
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            yield from _quotas_from(mount, path, "cpu.max")
        elif "cpu" in controllers.split(","):
            yield from _quotas_from(mount / "cpu", path, "cpu.cfs_quota_us", "cpu.cfs_period_us")


def _quotas_from(root: Path, path: str, *names: str) -> Iterator[float]:
    """Of the cgroup at `path` below `root`, and of those above it."""
    group = root / path.strip("/")
    for folder in (group, *group.parents):
        try:
            quota, period = " ".join((folder / name).read_text().strip() for name in names).split()
            if quota not in ("max", "-1"):
                yield int(quota) / int(period)
        except (OSError, ValueError):
            pass
        if folder == root:
            return
