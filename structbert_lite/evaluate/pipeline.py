"""One model's pipeline by itself: as the server would build it, without cache and limits, or with PyTorch's numbers."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from structbert_lite.cache.memory import MemoryCache, ModelOutput
from structbert_lite.cache.tiered import TieredCache
from structbert_lite.errors import ModelRefused
from structbert_lite.evaluate.model_process import ModelProcess, start_model
from structbert_lite.inference.cpu import usable_cpus
from structbert_lite.inference.encoder import Encoder, Input, Limits
from structbert_lite.inference.slots import Slots
from structbert_lite.inference.tokenizer import Tokenizer
from structbert_lite.manifest import TOKENIZER_NAME, Manifest, read_decider, read_manifest
from structbert_lite.model_set import PIPELINES
from structbert_lite.settings import PROJECT, Settings

NO_LIMIT = sys.maxsize
EXPORT_PYTHON = PROJECT / ".venv-export" / "bin" / "python"
BATCH = 8


@contextmanager
def open_pipeline(task: str, folder: Path) -> Iterator[Any]:
    """The pipeline that serves `task` with the model in `folder`. Raises ModelRefused when it has another task."""
    manifest = read_manifest(folder)
    if task not in manifest.tasks:
        raise ModelRefused(f"{folder} is a {' and '.join(manifest.tasks)} model, not one for {task}")
    usual = Settings()
    limits = Limits(usable_cpus(), usual.max_batch, usual.batch_tokens, NO_LIMIT)
    decider = read_decider(folder, manifest) if task == "similarity" else None
    tiers, slots = TieredCache(MemoryCache(0)), Slots(limits.threads)
    encoders = [Encoder(*read, limits, tiers, slots) for read in ((folder, manifest), decider) if read]
    try:
        yield PIPELINES[task](encoders[0], NO_LIMIT, *encoders[1:])
    finally:
        for encoder in encoders:
            encoder.close()


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
        command += ["--labels", ",".join(manifest.labels)]
    return [*command, "--max-tokens", str(manifest.max_tokens)]


class ReferenceEncoder:
    """What a pipeline needs of an encoder, with the numbers of `side`; all else is the exported model's."""

    def __init__(self, side: ModelProcess, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self.tokenizer = Tokenizer(folder / TOKENIZER_NAME, manifest.max_tokens)
        self._side = side

    def encode(self, inputs: Sequence[Input], deadline: float) -> list[ModelOutput]:
        """The rows of `inputs`, in their order; never called truncated. Raises RuntimeError when the process ends."""
        del deadline  # a study waits as long as it takes
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
        yield PIPELINES[task](ReferenceEncoder(side, folder, manifest), NO_LIMIT)
