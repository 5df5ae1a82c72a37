"""The bare loops: each engine on shapes of equal length, in turn, each with its best setting."""

import json
import selectors
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import click
import numpy as np

from benchmarks.medians import Scores, best_setting, largest_change
from benchmarks.work import Pair, environment, last_line, python_of
from structbert_lite.bench.machine import proportional_mb
from structbert_lite.inference.resources import usable_cpus
from structbert_lite.inference.tokenizer import Tokenizer
from structbert_lite.manifest import TOKENIZER_NAME, read_manifest
from structbert_lite.settings import PROJECT

SHAPES = ((1, 32), (1, 128), (8, 32), (8, 128))
START_SECONDS = 400.0  # compilers take minutes the first time
ANSWER_SECONDS = 120.0
SIDE_BY_SIDE, ALL_CPUS = "side by side, 1 thread each", "one run on all CPUs"


@dataclass(frozen=True, slots=True)
class Kernel:
    """An engine with a file. `made`: where its file is below Pair.made; empty: the model folder itself."""

    title: str
    venv: str
    module: str
    made: str


OURS = Kernel("ours, int8", "ours", "ours", "")
REFERENCE = Kernel("PyTorch fp32", "pytorch", "pytorch", "checkpoint")
KERNELS = (
    OURS,
    REFERENCE,
    Kernel("onnxruntime fp32", "optimum", "onnx_file", "onnx/fp32"),
    Kernel("onnxruntime int8, optimum avx2", "optimum", "onnx_file", "onnx/avx2"),
    Kernel("onnxruntime int8, optimum avx512_vnni", "optimum", "onnx_file", "onnx/avx512_vnni"),
    Kernel("OpenVINO int8 post-training", "openvino", "openvino_int8", "openvino"),
    Kernel("CTranslate2 int8 (head in numpy)", "ctranslate2", "ctranslate2_int8", "ctranslate2"),
    Kernel("PyTorch, torchao int8 per row, compiled", "torchao", "torchao_int8", "checkpoint"),
    Kernel("PyTorch, torchao int8 per row, zentorch", "zentorch", "torchao_int8", "checkpoint"),
)


class EngineFailed(Exception):
    """An engine did not start, stopped or did not answer in time; says why."""


class _Engine:
    """A running worker (benchmarks/kernels/worker.py)."""

    def __init__(self, process: subprocess.Popen, log: Any) -> None:
        self._process, self._log = process, log
        began = time.perf_counter()
        self._receive(START_SECONDS)
        self.started_in = time.perf_counter() - began

    def memory_mb(self) -> float:
        return proportional_mb(self._process.pid)

    def ask(self, question: dict) -> Any:
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has stopped: what it said is the reason
        return self._receive(ANSWER_SECONDS)

    def _receive(self, seconds: float) -> Any:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._process.stdout, selectors.EVENT_READ)
            if not waiting.select(seconds):
                raise EngineFailed(f"no answer within {seconds:.0f} s")
        if line := self._process.stdout.readline():
            return json.loads(line)
        self._log.seek(0)
        raise EngineFailed(last_line(self._log.read()))


@contextmanager
def running_engine(kernel: Kernel, pair: Pair, threads: int, callers: int) -> Iterator[_Engine]:
    """A loaded engine until the block ends. Raises EngineFailed when it does not start."""
    folder = pair.made / kernel.made if kernel.made else pair.model
    command = [python_of(kernel.venv), "-m", f"benchmarks.kernels.{kernel.module}", folder, str(threads), str(callers)]
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        try:
            process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        except OSError as error:
            raise EngineFailed(str(error)) from None
        try:
            yield _Engine(process, log)
        finally:
            process.kill()
            process.communicate()


def measure_kernels(pair: Pair, texts: list[str], rounds: int, seconds: float) -> list[dict]:
    """One row for each kernel: texts a second by shape with its best setting, memory, how far its scores move.

    `seconds` is the time of one loop. A kernel that fails has the reason in its row under "failed".
    """
    cpus = usable_cpus()
    rows = [{"title": kernel.title} for kernel in KERNELS]
    with ExitStack() as running:
        engines: dict[int, dict[str, _Engine]] = {}
        for i, kernel in enumerate(KERNELS):
            ways = {SIDE_BY_SIDE: (1, cpus)} | ({} if kernel is OURS else {ALL_CPUS: (cpus, 1)})
            try:
                engines[i] = {
                    way: running.enter_context(running_engine(kernel, pair, *setting)) for way, setting in ways.items()
                }
            except EngineFailed as error:
                rows[i]["failed"] = str(error)
        found: dict[int, dict[tuple[str, str], list[float]]] = {i: {} for i in engines}
        for number in range(rounds):
            for batch, tokens in SHAPES:
                click.echo(f"{pair.name}: kernels, round {number + 1} of {rounds}, {batch}x{tokens}", err=True)
                question = {"batch": batch, "tokens": tokens, "seconds": seconds}
                for i in [i for i in engines if "failed" not in rows[i]]:
                    try:
                        for way, engine in engines[i].items():
                            found[i].setdefault((f"{batch}x{tokens}", way), []).append(engine.ask(question))
                    except EngineFailed as error:
                        rows[i]["failed"] = str(error)
        for i in [i for i in engines if "failed" not in rows[i]]:
            rows[i]["shapes"] = _best(found[i])
            alone = engines[i][SIDE_BY_SIDE]
            rows[i] |= {"start_seconds": alone.started_in, "memory_mb": alone.memory_mb()}
        _add_changes(rows, engines, pair, texts)
    return rows


def _best(found: dict[tuple[str, str], list[float]]) -> dict[str, dict]:
    shapes: dict[str, dict[str, float]] = {}
    for (shape, way), figures in found.items():
        shapes.setdefault(shape, {})[way] = median(figures)
    return {
        shape: {"per_second": ways[best], "setting": best, "all": ways}
        for shape, ways in shapes.items()
        if (best := best_setting(ways))
    }


def _add_changes(rows: list[dict], engines: dict, pair: Pair, texts: list[str]) -> None:
    """Adds how far each kernel's probabilities are from PyTorch's, and how far a batch of 16 moves them."""
    encodings = Tokenizer(pair.model / TOKENIZER_NAME, read_manifest(pair.model).max_tokens).encode(texts)
    ids = [encoding.ids for encoding in encodings]
    alone: dict[int, Scores] = {}
    for i in [i for i in engines if "failed" not in rows[i]]:
        engine = next(iter(engines[i].values()))
        try:
            alone[i] = _probabilities([engine.ask({"ids": [row]})[0] for row in ids])
            batches = [engine.ask({"ids": ids[start : start + 16]}) for start in range(0, len(ids), 16)]
        except EngineFailed as error:
            rows[i]["failed"] = str(error)
            continue
        batched = _probabilities([row for batch in batches for row in batch])
        rows[i]["change_in_batch"] = largest_change(alone[i], batched)
    reference = alone.get(KERNELS.index(REFERENCE))
    for i, scores in alone.items():
        if reference:
            rows[i]["change_from_fp32"] = largest_change(reference, scores)


def _probabilities(logits: list[list[float]]) -> Scores:
    exponents = np.exp(np.array(logits, np.float64) - np.max(logits, axis=1, keepdims=True))
    return [{str(i): float(p) for i, p in enumerate(row / row.sum())} for row in exponents]
