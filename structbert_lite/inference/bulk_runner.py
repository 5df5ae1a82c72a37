"""A model run over many inputs at a time: sorted by length, on every CPU, without queue, deadline or cache."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from structbert_lite.cache.memory import ModelOutput
from structbert_lite.errors import InferenceFailed
from structbert_lite.inference.model import Input, Model
from structbert_lite.inference.tokenizer import Encoding
from structbert_lite.request_context import RequestContext

# In a sorted window a batch has next to no padding, so that it may be larger than a server's micro-batch, which pays
# for every neighbour that is longer. Beyond 512 tokens nothing more is gained, docs/bulk.md has the figures.
BATCH_TOKENS = 512
MAX_BATCH = 64


class BulkRunner:
    """The ModelRunner of jobs and studies. Several threads may call `run`: their batches share `threads` CPUs."""

    def __init__(self, model: Model, threads: int) -> None:
        self.folder, self.manifest, self.tokenizer = model.folder, model.manifest, model.tokenizer
        self._model = model
        self._pool = ThreadPoolExecutor(threads, "bulk")

    def run(
        self, inputs: Sequence[Input], context: RequestContext, all_layers: bool = False, read_once: bool = False
    ) -> list[ModelOutput]:
        """As ModelRunner's, bit by bit ServingRunner's; equal inputs are computed once.

        `context` is not looked at: a job takes as long as it takes. Raises InferenceFailed when the model fails on any
        of them.
        """
        distinct = {fields: i for i, fields in enumerate(dict.fromkeys(inputs))}
        encodings = self._model.tokenize(list(distinct), all_layers, read_once)
        rows: dict[int, ModelOutput] = {}  # by the place of the encoding
        running: list[Future[None]] = []
        try:
            for group in _by_prefix(encodings):
                for places in cut_batches([len(encodings[i]) for i in group]):
                    running.append(self._pool.submit(self._fill, rows, encodings, [group[i] for i in places]))
            for future in running:
                future.result()
        finally:
            for future in running:
                future.cancel()
        return [rows[distinct[fields]] for fields in inputs]

    def close(self) -> None:
        """Drops what has not begun, and waits for the rest."""
        self._pool.shutdown(cancel_futures=True)

    def _fill(self, rows: dict[int, ModelOutput], encodings: list[Encoding], places: list[int]) -> None:
        try:
            output = self._model.infer([encodings[i] for i in places])
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise InferenceFailed(f"the model failed on this input: {type(error).__name__}") from None
        if not np.isfinite(output).all():
            raise InferenceFailed("the model failed on this input: its output is not finite")
        for i, values in zip(places, output, strict=True):
            rows[i] = ModelOutput(values, encodings[i].truncated)


def _by_prefix(encodings: Sequence[Encoding]) -> list[list[int]]:
    """Indexes of encodings that one run can take."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for i, encoding in enumerate(encodings):
        groups.setdefault(encoding.prefix, []).append(i)
    return list(groups.values())


def cut_batches(lengths: list[int]) -> list[list[int]]:
    """Indexes of inputs of `lengths` tokens in batches of similar length, the longest first."""
    batches: list[list[int]] = []
    longest = 0
    for i in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        room = batches and len(batches[-1]) < MAX_BATCH and longest * (len(batches[-1]) + 1) <= BATCH_TOKENS
        if not room:
            batches.append([])
            longest = lengths[i]
        batches[-1].append(i)
    return batches
