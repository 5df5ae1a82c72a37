"""PyTorch with torchao's dynamic int8, a scale for each row, compiled. FOLDER: the checkpoint.

The compiler is AMD's zentorch where that is installed, else PyTorch's own, inductor.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torchao.quantization import Int8DynamicActivationInt8WeightConfig, quantize_
from transformers import BertForSequenceClassification

from benchmarks.kernels.worker import Run, answer

COMPILED = ((1, 16), (1, 32), (8, 32), (16, 64))  # batch, tokens: after these both may be any number


def load(folder: Path, threads: int, callers: int) -> Run:
    torch.set_num_threads(threads)
    backend = "zentorch" if find_spec("zentorch") else "inductor"
    if backend == "zentorch":
        import zentorch  # noqa: F401 (it makes the compiler known)
    model = BertForSequenceClassification.from_pretrained(folder).eval()
    quantize_(model, Int8DynamicActivationInt8WeightConfig())
    compiled = torch.compile(model, backend=backend, dynamic=True)

    def run(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return compiled(torch.from_numpy(ids), torch.from_numpy(mask)).logits.numpy()

    for shape in COMPILED:  # before several threads ask for it at once
        run(np.full(shape, 700), np.ones(shape, np.int64))
    return run


if __name__ == "__main__":
    answer(load)
