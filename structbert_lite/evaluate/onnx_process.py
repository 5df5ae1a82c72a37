"""One exported model in a process of its own: `python -m structbert_lite.evaluate.onnx_process FOLDER [FILE.onnx]`.

FILE is run in place of the folder's own model. Each batch is one session.run, padded to its longest text. A similarity
model is asked with pairs and answers with one logit for each, before calibration.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from structbert_lite.errors import StructBertError
from structbert_lite.evaluate.model_process import Run, serve_model
from structbert_lite.inference.pooling import pool
from structbert_lite.inference.prompt import Prompt
from structbert_lite.inference.session import Session
from structbert_lite.inference.tokenizer import Tokenizer
from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME, Manifest, check_files, read_manifest
from structbert_lite.tasks.matcher import PairMatcher
from structbert_lite.tasks.scores import pair_logit

Pairs = list[tuple[str, str]]


def load_model(folder: Path, file: Path) -> tuple[dict[str, Any], Run]:
    """(facts, run): labels and bytes on disk, and inputs -> logits. Raises ModelRefused."""
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    tokenizer = Tokenizer(folder / TOKENIZER_NAME, manifest.max_tokens)
    pooling = manifest.pooling if manifest.kind == "encoder" else None
    session = Session(file, manifest.inputs, manifest.pad_id)

    def run(inputs: list[Any]) -> NDArray[np.float32]:
        encodings = tokenizer.encode(inputs)
        output = session.run(encodings)
        return output if pooling is None else pool(output, list(map(len, encodings)), pooling)

    size = file.stat().st_size + (folder / TOKENIZER_NAME).stat().st_size
    facts = {"labels": manifest.labels, "bytes": size}
    return facts, _of_pairs(folder, manifest, tokenizer, run) if manifest.task == "similarity" else run


def _of_pairs(folder: Path, manifest: Manifest, tokenizer: Tokenizer, run: Run) -> Run:
    """Pairs -> float32 [pairs, 1], as tasks/similarity.py has them, all texts of a batch in one run."""

    def match(pairs: Pairs) -> NDArray[np.float32]:
        vectors = run([text for pair in pairs for text in pair])
        return np.array([[matcher.logit(a, b)] for a, b in zip(vectors[::2], vectors[1::2], strict=True)], np.float32)

    def cross(pairs: Pairs) -> NDArray[np.float32]:
        orders = [order for a, b in pairs for order in ((a, b), (b, a))]
        rows = run([prompt.fill(*order)[0] for order in orders] if prompt else orders)
        found = [(pair_logit(one) + pair_logit(other)) / 2 for one, other in zip(rows[::2], rows[1::2], strict=True)]
        return np.array(found, np.float32)[:, None]

    if manifest.kind != "encoder":
        prompt = Prompt(manifest.pair_template, tokenizer) if manifest.pair_template else None
        return cross
    matcher = PairMatcher.load(folder, manifest)
    return match


if __name__ == "__main__":
    where = Path(sys.argv[1])
    what = Path(sys.argv[2]) if len(sys.argv) > 2 else where / MODEL_NAME
    serve_model(lambda: load_model(where, what), (StructBertError,))
