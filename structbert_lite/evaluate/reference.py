"""The original checkpoint in PyTorch, in a process of its own, in the place of the exported graph."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from structbert_lite.cache.memory import ModelOutput
from structbert_lite.evaluate.model_process import ModelProcess, start_model
from structbert_lite.inference.model import Input
from structbert_lite.inference.resources import usable_cpus
from structbert_lite.inference.tokenizer import Tokenizer
from structbert_lite.manifest import TOKENIZER_NAME, Manifest, read_manifest
from structbert_lite.registry import NO_LIMIT, PIPELINES
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import PROJECT

EXPORT_PYTHON = PROJECT / ".venv-export" / "bin" / "python"
BATCH = 8


def reference_command(checkpoint: str, python: str | None, manifest: Manifest) -> list[str]:
    """What starts the checkpoint, a folder or an id as for `python -m export`, with all CPUs.

    What it may leave open, the exported model's `manifest` says. `python` has PyTorch; None: .venv-export's where there
    is one, else the one that runs this.
    """
    python = python or (str(EXPORT_PYTHON) if EXPORT_PYTHON.exists() else sys.executable)
    if "/" in python:  # the process runs in the project's folder; not resolved, a link says which venv it is
        python = str(Path(python).absolute())
    folder = Path(checkpoint)
    where = str(folder.resolve()) if folder.exists() else checkpoint
    command = [python, "-m", "export.reference", where, str(usable_cpus()), "--task", manifest.task]
    if manifest.kind == "encoder" and manifest.pooling:
        command += ["--pooling", manifest.pooling]
    elif manifest.labels:
        command += ["--labels", json.dumps(manifest.labels)]
    return [*command, "--max-tokens", str(manifest.max_tokens)]


class ReferenceRunner:
    """A ModelRunner with the numbers of `side`; all else is the exported model's."""

    def __init__(self, side: ModelProcess, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self.tokenizer = Tokenizer(folder / TOKENIZER_NAME, manifest.max_tokens)
        self._side = side

    def run(
        self, inputs: Sequence[Input], context: RequestContext, all_layers: bool = False, read_once: bool = False
    ) -> list[ModelOutput]:
        """The rows of `inputs`, in their order; never called truncated. Raises RuntimeError when the process ends."""
        del context, all_layers, read_once  # a study waits as long as it takes, and a checkpoint has no exits
        if not inputs:
            return []
        order = sorted(range(len(inputs)), key=lambda i: sum(map(len, inputs[i])))  # of like length, to pad little
        asked: list[str | Sequence[str]] = [inputs[i] if len(inputs[i]) == 2 else inputs[i][0] for i in order]
        answer = self._side.ask([asked[start : start + BATCH] for start in range(0, len(asked), BATCH)])
        rows = dict(zip(order, answer.logits, strict=True))
        return [ModelOutput(rows[i], False) for i in range(len(inputs))]


@contextmanager
def open_reference(task: str, folder: Path, checkpoint: str, python: str | None) -> Iterator[Any]:
    """The pipeline of the model in `folder` with PyTorch's numbers; raises RuntimeError when it does not start."""
    manifest = read_manifest(folder)
    with start_model(reference_command(checkpoint, python, manifest)) as side:
        if side.facts["labels"] and tuple(side.facts["labels"]) != manifest.labels:
            raise ValueError(f"the checkpoint knows the labels {side.facts['labels']}, the model {manifest.labels}")
        yield PIPELINES[task](ReferenceRunner(side, folder, manifest), NO_LIMIT)
