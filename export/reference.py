"""The original checkpoint in PyTorch, answering over JSON lines, so that torch stays in a process of its own.

    python -m export.reference CHECKPOINT [THREADS] [--task TASK] [--labels A,B] [--pooling mean|cls] [--max-tokens N]

CHECKPOINT is a folder or an id, as for `python -m export`, and is loaded as strictly; the options are the exporter's.
`python -m structbert_lite evaluate compare` and `evaluate quality --reference` start it; the protocol is in
structbert_lite/evaluate/model_process.py. An encoder answers with pooled vectors in place of logits.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from export.environment import check_requirements
from export.refusal import ExportRefused
from structbert_lite.errors import StructBertError
from structbert_lite.evaluate.model_process import Run, serve_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MODULES = ("torch", "transformers", "tokenizers", "safetensors", "yaml", "numpy", "pydantic")


def load_reference(
    checkpoint: str,
    threads: int,
    task: str = "sentiment",
    labels: str | None = None,
    pooling: str | None = None,
    max_tokens: int | None = None,
) -> tuple[dict[str, Any], Run]:
    """(facts, run): labels, bytes on disk and layout, and inputs -> logits, or pooled vectors, of one padded batch.

    Runs on `threads` threads; `labels` are written as for the exporter's --labels. Raises ExportRefused when a package
    is missing, or the checkpoint is not to be had or none for `task`.
    """
    try:
        check_requirements(MODULES)  # before the first import of any of them
    except ExportRefused as error:
        raise ExportRefused(f"{sys.executable} cannot run the reference: {error}") from None
    import torch

    from export.checkpoint import load_checkpoint
    from export.config import longest_input
    from export.encoding import LONGEST, encode, load_tokenizer
    from export.matcher import pool
    from export.source import find_source
    from export.span.prompt import join_apart
    from export.tasks import Head
    from export.texts import PARITY_TEXTS
    from export.tokenizer import pad_id, write_tokenizer
    from export.weights import find_weights
    from structbert_lite.manifest import split_labels

    torch.set_num_threads(threads)
    source = find_source(checkpoint)
    loaded = load_checkpoint(source.folder, task, split_labels(labels) if labels else None, pooling)
    architecture = loaded.architecture
    longest = max_tokens or min(LONGEST, longest_input(loaded.config, architecture))
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "tokenizer.json"
        write_tokenizer(source.folder, path, loaded.config.vocab_size, PARITY_TEXTS, architecture, loaded.reads_pairs)
        if loaded.head is Head.SPAN:
            join_apart(path)  # the pipeline that asks has put each pair into its question already
        tokenizer = load_tokenizer(path, longest, pad_id(path, architecture))
        size = sum(file.stat().st_size for file in find_weights(source.folder)) + path.stat().st_size

    model: torch.nn.Module = loaded.reference or loaded.model

    def run(inputs: list[Any]) -> "NDArray[np.float32]":
        items = [given if isinstance(given, str) else tuple(given) for given in inputs]
        arrays = encode(tokenizer, items, architecture.inputs)
        with torch.inference_mode():
            output = model(**{name: torch.from_numpy(array) for name, array in arrays.items()})
        if loaded.pooling is None:
            logits: NDArray[np.float32] = output.logits.numpy()
            return logits
        tokens: NDArray[np.float32] = output.last_hidden_state.numpy()
        return tokens[:, 0] if loaded.pooling == "cls" else pool(tokens, arrays["attention_mask"])

    return {"labels": loaded.labels, "bytes": size, "layout": loaded.layout}, run


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m export.reference")
    parser.add_argument("checkpoint")
    parser.add_argument("threads", type=int, nargs="?", default=1)
    parser.add_argument("--task", default="sentiment")
    parser.add_argument("--labels")
    parser.add_argument("--pooling")
    parser.add_argument("--max-tokens", type=int)
    options = vars(parser.parse_args())
    serve_model(lambda: load_reference(**options), (StructBertError,))
