"""Our own session, with the settings that the server runs it with, early exit off. FOLDER: a model folder."""

from pathlib import Path

import numpy as np

from benchmarks.kernels.worker import Run, answer
from structbert_lite.inference.model import Session
from structbert_lite.inference.tokenizer import Encoding
from structbert_lite.manifest import MODEL_NAME, read_manifest


def load(folder: Path, threads: int, callers: int) -> Run:
    manifest = read_manifest(folder)
    session = Session(folder / MODEL_NAME, manifest.inputs, manifest.pad_id, early_exit=False)

    def run(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        lengths = mask.sum(axis=1)
        return session.run([Encoding(row[:n], [0] * n, False) for row, n in zip(ids, lengths, strict=True)])

    return run


if __name__ == "__main__":
    answer(load)
