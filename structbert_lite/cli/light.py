"""One exported model in a process of its own: `python -m structbert_lite.cli.light FOLDER [FILE.onnx]`.

FILE is run in place of the folder's own model. Each batch is one session.run, padded to its longest text.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from structbert_lite.errors import StructBertError
from structbert_lite.evaluation.lines import Run, serve_lines
from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME, check_files, read_manifest
from structbert_lite.runtime.session import Session
from structbert_lite.runtime.tokenizer import Tokenizer


def load_model(folder: Path, file: Path) -> tuple[dict[str, Any], Run]:
    """(facts, run): labels and bytes on disk, and texts -> logits. Raises ModelRefused."""
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    tokenizer = Tokenizer(folder / TOKENIZER_NAME, manifest.max_tokens)
    session = Session(file, manifest.inputs, manifest.pad_id)

    def run(texts: list[str]) -> np.ndarray:
        return session.run(tokenizer.encode(texts))

    size = file.stat().st_size + (folder / TOKENIZER_NAME).stat().st_size
    return {"labels": manifest.labels, "bytes": size}, run


if __name__ == "__main__":
    where = Path(sys.argv[1])
    what = Path(sys.argv[2]) if len(sys.argv) > 2 else where / MODEL_NAME
    serve_lines(lambda: load_model(where, what), (StructBertError,))
