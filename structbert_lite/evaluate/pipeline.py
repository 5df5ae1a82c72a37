"""One model's pipeline by itself, as the server would build it, without cache and without a request's limits."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from structbert_lite.cache.memory import MemoryCache
from structbert_lite.cache.tiered import TieredCache
from structbert_lite.errors import ModelRefused
from structbert_lite.inference.cpu import usable_cpus
from structbert_lite.inference.encoder import Encoder, Limits
from structbert_lite.inference.slots import Slots
from structbert_lite.manifest import read_decider, read_manifest
from structbert_lite.model_set import PIPELINES
from structbert_lite.settings import Settings

NO_LIMIT = sys.maxsize


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
