"""PyTorch in float32, as transformers gives it. FOLDER: the checkpoint."""

from pathlib import Path

import numpy as np
import torch
from transformers import BertForSequenceClassification

from benchmarks.kernels.worker import Run, answer


def load(folder: Path, threads: int, callers: int) -> Run:
    torch.set_num_threads(threads)
    model = BertForSequenceClassification.from_pretrained(folder).eval()

    def run(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return model(torch.from_numpy(ids), torch.from_numpy(mask)).logits.numpy()

    return run


if __name__ == "__main__":
    answer(load)
