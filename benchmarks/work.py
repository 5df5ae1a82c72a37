"""The files that the systems read, made once from a checkpoint and a model folder, and the environments they run in."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import click

from structbert_lite.manifest import TOKENIZER_NAME, check_files, read_manifest
from structbert_lite.settings import PROJECT

VENVS = PROJECT / ".venv-bench"
MADE = PROJECT / ".cache" / "benchmarks"
PREPARE_SECONDS = 1800
WEIGHTS = "model.safetensors"
SHOWN = re.compile(
    r"(torch|transformers|onnxruntime|optimum|optimum-onnx|sentence-transformers|infinity.emb|optimum-intel|openvino|nncf"
    r"|ctranslate2|torchao|zentorch|xllamacpp|flask|granian|gunicorn|gunicorn.h1c|uvicorn|uvloop|tokenizers)==",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One set of weights: its Hugging Face folder and the model folder exported from it."""

    name: str
    checkpoint: Path
    model: Path

    @property
    def made(self) -> Path:
        """Where the other systems' files of these weights are."""
        return MADE / f"{self.name}-{read_manifest(self.model).digest[:12]}"


def python_of(venv: str) -> str:
    return str(VENVS / venv / "bin" / "python")


def versions_of(python: str) -> list[str]:
    """The packages that matter in the environment of `python`; empty when it is broken."""
    command = [python, "-m", "pip", "freeze", "--disable-pip-version-check"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.replace("==", " ") for line in done.stdout.splitlines() if SHOWN.match(line)]


def environment() -> dict[str, str]:
    """For a subprocess of another system: nothing of ours, no network, no telemetry."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STRUCTBERT_")}
    return kept | {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "TOKENIZERS_PARALLELISM": "false"}


def prepare(pair: Pair) -> dict[str, str]:
    """Makes what is not there yet; returns why for each preparation that failed, by its name.

    Raises InvalidModel for a damaged model folder and ValueError when it was made from other weights.
    """
    manifest = read_manifest(pair.model)
    check_files(pair.model, manifest)
    weights = pair.checkpoint / WEIGHTS
    if not weights.is_file():
        raise ValueError(f"{pair.checkpoint} has no {WEIGHTS}")
    if hashlib.sha256(weights.read_bytes()).hexdigest() != manifest.source.weights_sha256:
        raise ValueError(f"{pair.model} was not made from {weights}")
    checkpoint = pair.made / "checkpoint"
    checkpoint.mkdir(parents=True, exist_ok=True)
    for file in (pair.checkpoint / "config.json", weights, pair.model / TOKENIZER_NAME):
        shutil.copy(file, checkpoint)
    # The same tokenizer for all: the class that adds nothing to tokenizer.json.
    special = {f"{name.lower()}_token": f"[{name}]" for name in ("CLS", "SEP", "PAD", "UNK", "MASK")}
    config = special | {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": manifest.max_tokens}
    (checkpoint / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    steps = {
        "onnx": ("optimum", "stock", checkpoint),
        "openvino": ("openvino", "openvino_int8", pair.made / "onnx" / "fp32"),
        "ctranslate2": ("ctranslate2", "ctranslate2_int8", checkpoint),
        "sentence_transformers": ("sentence_transformers_openvino", "sentence_transformers_openvino", checkpoint),
    }
    return {name: why for name, step in steps.items() if (why := _run(pair.made / name, *step))}


def _run(out: Path, venv: str, module: str, source: Path) -> str | None:
    """Runs one preparation into `out`, put in place only when it is whole. The reason when it failed."""
    if out.exists():
        return None
    click.echo(f"making {out} ...", err=True)
    draft = out.with_name(out.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    command = [python_of(venv), "-m", f"benchmarks.prepare.{module}", str(source), str(draft)]
    try:
        subprocess.run(
            command,
            cwd=PROJECT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=PREPARE_SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        return last_line(error.stderr)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    draft.rename(out)
    return None


def last_line(log: str) -> str:
    """What a trace says: its last line that is not empty."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
