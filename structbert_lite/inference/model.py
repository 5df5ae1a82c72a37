"""One onnxruntime session: encodings in, float32 out, a row for each."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# onnxruntime's wheels report usage to Microsoft; this is read when the library is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as ort

from structbert_lite.errors import InvalidModel
from structbert_lite.inference.tokenizer import Encoding

ort.disable_telemetry_events()
ort.set_default_logger_severity(3)

# Another version may compute other last digits.
RUNTIME = f"onnxruntime {ort.__version__}"


class Session:
    """A loaded graph with int64 inputs [batch, tokens] and one float32 output [batch, ...].

    Several threads may call `run` at the same time, each run on its caller's thread. Make it in the
    serving process, never before a fork: onnxruntime's threads do not survive one.
    """

    def __init__(self, path: Path, inputs: tuple[str, ...], pad_id: int) -> None:
        options = ort.SessionOptions()
        # Each run stays on its caller's thread: the graph's small operators split badly, and runs side
        # by side use the cores better. docs/benchmarks.md has the figures.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # Without the arena every buffer comes from malloc, which may give its pages back to the kernel and fault
        # them in again at each operator: the same run was seen to take five times as long.
        options.enable_cpu_mem_arena = True
        options.enable_mem_pattern = False  # every new input shape would leave a memory plan behind
        try:
            # onnxruntime's SkipLayerNormalization is slower on a CPU than Add and LayerNormalization.
            self._session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
            )
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise InvalidModel(f"{path} cannot be loaded: {error}") from None
        names = {node.name for node in self._session.get_inputs()}
        if names != set(inputs):
            raise InvalidModel(f"{path} has the inputs {sorted(names)}, its manifest says {sorted(inputs)}")
        if len(self._session.get_outputs()) != 1:
            raise InvalidModel(f"{path} has {len(self._session.get_outputs())} outputs, not one")
        self._inputs = inputs
        self._pad_id = pad_id

    def run(self, encodings: list[Encoding]) -> NDArray[np.float32]:
        """float32 [len(encodings), ...]; pads to the longest. Raises whatever onnxruntime raises."""
        shape = len(encodings), max(map(len, encodings))
        columns = {
            "input_ids": np.full(shape, self._pad_id, np.int64),
            "attention_mask": np.zeros(shape, np.int64),
            "token_type_ids": np.zeros(shape, np.int64),
        }
        for row, encoding in enumerate(encodings):
            columns["input_ids"][row, : len(encoding)] = encoding.ids
            columns["attention_mask"][row, : len(encoding)] = 1
            columns["token_type_ids"][row, : len(encoding)] = encoding.type_ids
        output: NDArray[np.float32] = self._session.run(None, {name: columns[name] for name in self._inputs})[0]
        return output
