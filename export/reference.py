"""The original checkpoint in PyTorch, answering over JSON lines, so that torch stays in a process of its own.

    python -m export.reference CHECKPOINT [THREADS]

CHECKPOINT is a folder or an id, as for `python -m export`, and is loaded as strictly. It is what `python -m
structbert_lite evaluate compare` starts; structbert_lite/evaluation/lines.py has the protocol.
"""

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from export.environment import check_requirements
from export.refusal import ExportRefused
from structbert_lite.errors import StructBertError
from structbert_lite.evaluation.lines import Run, serve_lines

if TYPE_CHECKING:
    import numpy as np

MODULES = ("torch", "transformers", "tokenizers", "safetensors", "yaml", "numpy", "pydantic")


def load_reference(checkpoint: str, threads: int) -> tuple[dict[str, Any], Run]:
    """(facts, run): labels, bytes on disk and layout, and texts -> logits of one padded batch on `threads` threads.

    Raises ExportRefused when a package is missing, or the checkpoint is not to be had or no sentiment model.
    """
    try:
        check_requirements(MODULES)  # before the first import of any of them
    except ExportRefused as error:
        raise ExportRefused(f"{sys.executable} cannot run the reference: {error}") from None
    import torch

    from export.checkpoint import load_checkpoint
    from export.encoding import LONGEST, encode, load_tokenizer
    from export.source import find_source
    from export.texts import PARITY_TEXTS
    from export.tokenizer import pad_id, write_tokenizer
    from export.weights import find_weights

    torch.set_num_threads(threads)
    source = find_source(checkpoint)
    loaded = load_checkpoint(source.folder)
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "tokenizer.json"
        write_tokenizer(source.folder, path, loaded.config.vocab_size, PARITY_TEXTS)
        tokenizer = load_tokenizer(path, min(LONGEST, loaded.config.max_position_embeddings), pad_id(path))
        size = sum(file.stat().st_size for file in find_weights(source.folder)) + path.stat().st_size

    def run(texts: list[str]) -> "np.ndarray":
        inputs = {name: torch.from_numpy(array) for name, array in encode(tokenizer, texts).items()}
        with torch.inference_mode():
            return loaded.model(**inputs).logits.numpy()

    return {"labels": loaded.labels, "bytes": size, "layout": loaded.layout}, run


if __name__ == "__main__":
    where, threads = (*sys.argv[1:], "1")[:2]
    serve_lines(lambda: load_reference(where, int(threads)), (StructBertError,))
