"""One exported model in a process of its own: `python -m structbert_lite.evaluate.onnx_process FOLDER [FILE.onnx]`.

FILE is run in place of the folder's own model. Each batch is one session.run, padded to its longest text. A similarity
model is asked with pairs and answers with one logit for each, before calibration.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from structbert_lite.cache.memory import ModelOutput
from structbert_lite.errors import StructBertError
from structbert_lite.evaluate.model_process import Run, serve_model
from structbert_lite.inference.model import Input, Model
from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME
from structbert_lite.request_context import RequestContext
from structbert_lite.tasks.similarity import Pair, SimilarityPipeline


class OneBatch:
    """A ModelRunner that runs all inputs of a call at once, in their order."""

    def __init__(self, model: Model) -> None:
        self.folder, self.manifest, self.tokenizer = model.folder, model.manifest, model.tokenizer
        self._model = model

    def run(
        self, inputs: Sequence[Input], context: RequestContext, all_layers: bool = False, read_once: bool = False
    ) -> list[ModelOutput]:
        """The model's output for each input, in order; none is read once for others: those would be more runs."""
        encodings = self._model.tokenize(inputs, all_layers)
        rows = zip(self._model.infer(encodings), encodings, strict=True)
        return [ModelOutput(values, encoding.truncated) for values, encoding in rows]


def load_model(folder: Path, file: Path) -> tuple[dict[str, Any], Run]:
    """(facts, run): labels and bytes on disk, and inputs -> logits. Raises InvalidModel."""
    model = Model.load(folder, file=file)
    size = file.stat().st_size + (folder / TOKENIZER_NAME).stat().st_size
    facts = {"labels": model.manifest.labels, "bytes": size}
    if model.manifest.task != "similarity":
        return facts, lambda texts: model.infer(model.tokenizer.encode(texts))
    pipeline = SimilarityPipeline(OneBatch(model), sys.maxsize)

    def logits(pairs: list[Pair]) -> NDArray[np.float32]:
        """float32 [pairs, 1]."""
        found = pipeline.logits([(a, b) for a, b in pairs], RequestContext())
        return np.array([[logit] for logit, _ in found], np.float32)

    return facts, logits


if __name__ == "__main__":
    where = Path(sys.argv[1])
    what = Path(sys.argv[2]) if len(sys.argv) > 2 else where / MODEL_NAME
    serve_model(lambda: load_model(where, what), (StructBertError,))
