"""What an export needs and what it ran on."""

import importlib.util
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from export.refusal import ExportRefused

PACKAGES = ("torch", "transformers", "optimum", "optimum-onnx", "onnx", "onnxruntime", "tokenizers")
MODULES = (
    "torch",
    "transformers",
    "optimum.exporters.onnx",
    "onnx",
    "onnxruntime",
    "tokenizers",
    "safetensors",
    "yaml",
    "tqdm",
)
# The CPU features that decide which integer kernels run.
FEATURES = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")


def check_requirements(modules: Sequence[str] = MODULES, file: str = "requirements-export.txt") -> None:
    """Raises ExportRefused, with the command that helps, when one of `modules` is missing. Imports none of them.

    `file`: the one that lists them.
    """
    for name in modules:
        if not _is_installed(name):
            raise ExportRefused(f"{name} is not installed; run: pip install -r {file}")


def describe_tools() -> dict[str, str]:
    """Versions of the packages and of Python, and the CPU's architecture and integer features."""
    tools = {name: version(name) for name in PACKAGES}
    return tools | {"python": platform.python_version(), "cpu": _describe_cpu()}


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # the package around it is missing
        return False


def _describe_cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    flags = next((set(line.split()) for line in lines if line.startswith(("flags", "Features"))), set())
    return " ".join([platform.machine(), *(feature for feature in FEATURES if feature in flags)])
