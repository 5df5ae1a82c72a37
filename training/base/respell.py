"""A default model's words renewed without touching its weights: the tokenizer and the word table of another base.

The rules of the vocabulary (training/base/vocabulary.py) may change after a model was trained. Its word table is the
base's, frozen, so each piece of the new vocabulary finds its 8-bit row in the old table: by the row that the base gives
it, which a misspelling shares with the word that is meant.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import load_file

from export.describe import write_manifest
from export.onnx_file import save_whole
from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME, read_manifest

WORDS = "embeddings.word_embeddings.weight"


def respell(model: Path, base: Path, out: Path) -> Path:
    """Writes the model in the folder `model` with the vocabulary of `base` to `out`, and returns that.

    Raises RuntimeError where `base` has a word that the model does not know.
    """
    old = {piece: i for i, piece in enumerate(_pieces(model))}
    words = load_file(base / "model.safetensors")[WORDS]
    first: dict[bytes, str] = {}
    rows = []
    for piece, row in zip(_pieces(base), words, strict=True):
        meant = first.setdefault(row.tobytes(), piece)
        if meant not in old:
            raise RuntimeError(f"{model} does not know the piece {meant!r} of {base}")
        rows.append(old[meant])
    graph = onnx.load(model / MODEL_NAME)
    large = set()
    for tensor in graph.graph.initializer:
        if tensor.name.endswith((f"{WORDS}/int8", f"{WORDS}/scale")):
            table = np.ascontiguousarray(numpy_helper.to_array(tensor)[rows])
            tensor.CopyFrom(numpy_helper.from_array(table, tensor.name))
            if table.dtype == np.int8:
                large.add(tensor.name)
    if out != model:
        shutil.copytree(model, out, dirs_exist_ok=True)
    shutil.copy(base / TOKENIZER_NAME, out / TOKENIZER_NAME)
    save_whole(graph, out / MODEL_NAME, large)
    write_manifest(out, read_manifest(out))
    return out


def _pieces(folder: Path) -> list[str]:
    """The pieces of a tokenizer, by id."""
    return [piece for piece, _ in json.loads((folder / TOKENIZER_NAME).read_text("utf-8"))["model"]["vocab"]]
