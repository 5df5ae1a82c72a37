"""What a figure was measured on, and the memory of other processes, from /proc (Linux)."""

import os
import platform
from pathlib import Path

from structbert_lite.inference.resources import usable_cpus


def describe_machine() -> str:
    """The CPU's name, the CPUs that this process may use, Python's version."""
    return f"{_cpu_name()}, {usable_cpus()} CPUs, Python {platform.python_version()}"


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def proportional_mb(pid: int) -> float:
    """Resident memory in MB, each page divided by the number of processes that share it (PSS)."""
    return _field(Path(f"/proc/{pid}/smaps_rollup"), "Pss:") / 1024


def private_mb(pid: int) -> float:
    """Resident memory in MB that no other process has (USS): what would be free without this one."""
    file = Path(f"/proc/{pid}/smaps_rollup")
    return (_field(file, "Private_Clean:") + _field(file, "Private_Dirty:")) / 1024


def forget_peak(pid: int) -> None:
    """From now on `peak_mb` counts anew (proc(5): 5 written to clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_mb(pid: int) -> float:
    """The most resident memory in MB since the start or since `forget_peak`."""
    return _field(Path(f"/proc/{pid}/status"), "VmHWM:") / 1024


def cpu_seconds(pid: int) -> float:
    """CPU time that all threads of the process have used since its start, its own and the kernel's for it (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _field(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise RuntimeError(f"{path} has no line {name}")
