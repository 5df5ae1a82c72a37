"""A limit on the CPU time and memory of one process, as a small VPS has it, by Linux's control groups.

Needs root and a cgroup file system that can be written to; both versions of it are known.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
NAME = "structbert-lite-benchmark"
PERIOD = 100_000  # microseconds


@dataclass(frozen=True, slots=True)
class Cage:
    """`enter` comes before a command to run it inside; the files hold bytes that are in use and were at the most."""

    enter: list[str]
    used: Path
    peak: Path

    def used_mb(self) -> float:
        """Memory in use, what the kernel caches of files included."""
        return int(self.used.read_text()) / 2**20

    def peak_mb(self) -> float:
        """The most memory that was in use."""
        return int(self.peak.read_text()) / 2**20


@contextmanager
def make_cage(cpus: float, memory_mb: int) -> Iterator[Cage]:
    """Raises OSError where control groups cannot be made."""
    quota, most = str(int(cpus * PERIOD)), str(memory_mb << 20)
    if (MOUNT / "cgroup.controllers").exists():
        memory = MOUNT / NAME
        folders, names = [memory], ("memory.current", "memory.peak")
        limits = {memory / "cpu.max": f"{quota} {PERIOD}", memory / "memory.max": most}
        (MOUNT / "cgroup.subtree_control").write_text("+cpu +memory")
    else:
        memory, cpu = MOUNT / "memory" / NAME, MOUNT / "cpu" / NAME
        folders, names = [memory, cpu], ("memory.usage_in_bytes", "memory.max_usage_in_bytes")
        limits = {cpu / "cpu.cfs_period_us": str(PERIOD), cpu / "cpu.cfs_quota_us": quota}
        limits |= {memory / "memory.limit_in_bytes": most}
    try:
        for folder in folders:
            folder.mkdir(exist_ok=True)
        for file, text in limits.items():
            file.write_text(text)
        move = "; ".join(f"echo $$ > {folder}/cgroup.procs" for folder in folders)
        yield Cage(["sh", "-ec", f'{move}; exec "$@"', "sh"], *(memory / name for name in names))
    finally:
        for folder in folders:
            if folder.exists():
                folder.rmdir()
