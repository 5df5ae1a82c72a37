"""CTranslate2's encoder. FOLDER: holds the converted model and head.npz.

CTranslate2 converts the encoder and the pooler, not the classification head: its one small product is made here.
"""

from pathlib import Path

import ctranslate2
import numpy as np

from benchmarks.kernels.worker import Run, answer


def load(folder: Path, threads: int, callers: int) -> Run:
    encoder = ctranslate2.Encoder(str(folder), compute_type="int8", inter_threads=callers, intra_threads=threads)
    head = np.load(folder / "head.npz")

    def run(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        lengths = ctranslate2.StorageView.from_array(mask.sum(axis=1).astype(np.int32))
        found = encoder.forward_batch(ctranslate2.StorageView.from_array(ids.astype(np.int32)), lengths)
        return np.array(found.pooler_output) @ head["weight"].T + head["bias"]

    return run


if __name__ == "__main__":
    answer(load)
