"""What a figure of speed was measured on."""

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
