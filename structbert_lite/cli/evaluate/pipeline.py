"""One model's pipeline by itself, as the server would build it, without cache and without a request's limits."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from structbert_lite.errors import ModelRefused
from structbert_lite.manifest import read_manifest
from structbert_lite.model_set import PIPELINES
from structbert_lite.runtime.cache import Cache
from structbert_lite.runtime.cpu import usable_cpus
from structbert_lite.runtime.encoder import Encoder, Limits
from structbert_lite.runtime.slots import Slots
from structbert_lite.runtime.tiers import Tiers
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
    encoder = Encoder(folder, manifest, limits, Tiers(Cache(0)), Slots(limits.threads))
    try:
        yield PIPELINES[task](encoder, NO_LIMIT)
    finally:
        encoder.close()
