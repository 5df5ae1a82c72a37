"""The servers side by side: how each is started, asked and read, and the settings that are tried."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.medians import Scores
from benchmarks.work import Pair, environment, python_of
from structbert_lite.inference.resources import usable_cpus


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to run a server: what it says about itself, its command for a port, its environment."""

    words: str
    command: Callable[[Pair, int], list[str]]
    environment: Callable[[Pair], dict[str, str]] = lambda pair: {}


@dataclass(frozen=True, slots=True)
class System:
    """A server. `body_of` makes the JSON for several texts, `scores_of` reads the answer to it.

    The routes for one text and for several may differ; `batch_path` is None where there is no route for several.
    """

    title: str
    settings: tuple[Setting, ...]
    path: str = "/predict"
    one: Callable[[str], Any] = lambda text: {"text": text}
    read_one: Callable[[Any], dict[str, float]] = lambda answer: answer["probabilities"]
    batch_path: str | None = "/predict_batch"
    several: Callable[[list[str]], Any] = lambda texts: {"texts": texts}
    read_several: Callable[[Any], Scores] = lambda answer: [row["probabilities"] for row in answer]
    ready: str = "/health"
    needs: str = field(default="")  # a folder below Pair.made; empty: only the model folder or the checkpoint


def stock_file() -> str:
    """The folder of optimum's int8 file for this CPU."""
    return "onnx/avx512_vnni" if "avx512_vnni" in Path("/proc/cpuinfo").read_text() else "onnx/avx2"


def _ours(pair: Pair) -> dict[str, str]:
    models = {"MODELS": pair.model.parent, "SENTIMENT_MODEL": pair.model.name, "CACHE_MB": 0, "HOST": "127.0.0.1"}
    return {f"STRUCTBERT_{name}": str(value) for name, value in models.items()}


OURS = System(
    title="StructBERT Lite",
    settings=(
        Setting(
            "make serve's command, its default settings, the cache off",
            lambda pair, port: [
                "env",
                f"STRUCTBERT_PORT={port}",
                sys.executable,
                "-m",
                "gunicorn",
                "-c",
                "gunicorn.conf.py",
            ],
            _ours,
        ),
    ),
    ready="/readyz",
)


def _infinity_command(folder: str) -> Callable[[Pair, int], list[str]]:
    def command(pair: Pair, port: int) -> list[str]:
        # It writes the graph that it optimizes into the folder and takes that one the next time.
        own = pair.made / folder
        if not own.exists():
            shutil.copytree(pair.made / stock_file(), own)
        return [
            *(python_of("infinity").removesuffix("python") + "infinity_emb", "v2", "--engine", "optimum"),
            *("--device", "cpu", "--model-id", str(own), "--served-model-name", "m"),
            *("--host", "127.0.0.1", "--port", str(port), "--no-vector-disk-cache"),
            "--no-model-warmup",  # it sends a text of more than 512 tokens, and nothing truncates it
        ]

    return command


INFINITY = System(
    title="infinity",
    settings=(
        Setting("engine optimum, the stock int8 file, its own graph optimization", _infinity_command("infinity")),
        Setting(
            "engine optimum, the stock int8 file, INFINITY_ONNX_DISABLE_OPTIMIZE=1",
            _infinity_command("infinity-plain"),
            lambda pair: {"INFINITY_ONNX_DISABLE_OPTIMIZE": "1"},
        ),
    ),
    path="/classify",
    one=lambda text: {"model": "m", "input": [text]},
    read_one=lambda answer: {found["label"]: found["score"] for found in answer["data"][0]},
    batch_path="/classify",
    several=lambda texts: {"model": "m", "input": texts},
    read_several=lambda answer: [{found["label"]: found["score"] for found in row} for row in answer["data"]],
    needs="onnx",
)


def _gunicorn(words: str, workers: int, requests: int, threads: int) -> Setting:
    """`requests` at once in each of `workers` processes, each inference on `threads` threads."""
    # It would read our own gunicorn.conf.py, which is in the same folder.
    gunicorn = ["-m", "gunicorn", "--config", "/dev/null", "benchmarks.servers.sentence_transformers_flask:app"]
    gunicorn += ["--worker-class", "gthread", "--workers", str(workers), "--keep-alive", "75"]
    return Setting(
        f"{words} (gunicorn, stock int8 file)",
        lambda pair, port: [
            *(python_of("sentence_transformers"), *gunicorn),
            *("--threads", str(requests), "--bind", f"127.0.0.1:{port}", "--timeout", "120"),
        ],
        lambda pair: {"FOLDER": str(pair.made / stock_file()), "THREADS": str(threads)},
    )


SENTENCE_TRANSFORMERS = System(
    title="sentence-transformers, ONNX",
    settings=(
        _gunicorn("1 process, 1 request at a time, all CPUs in it", 1, 1, usable_cpus()),
        _gunicorn("1 process, as many requests at once as CPUs, 1 thread each", 1, usable_cpus(), 1),
        _gunicorn("a process for each CPU, 1 request at a time, 1 thread each", usable_cpus(), 1, 1),
    ),
    needs="onnx",
)

PYTORCH = System(
    title="Flask and PyTorch fp32",
    settings=(
        Setting(
            "app.run(), PyTorch's default threads",
            lambda pair, port: [
                *(python_of("pytorch"), "-m", "benchmarks.servers.pytorch_flask"),
                *(str(pair.made / "checkpoint"), str(port)),
            ],
        ),
    ),
    batch_path=None,
)

SYSTEMS = (OURS, INFINITY, SENTENCE_TRANSFORMERS, PYTORCH)


def environment_of(setting: Setting, pair: Pair) -> dict[str, str]:
    return environment() | setting.environment(pair)


def read_json(body: bytes) -> Any:
    """The JSON of an answer. Raises ValueError when it is none."""
    return json.loads(body)
