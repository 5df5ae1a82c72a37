"""How large each channel of an activation gets: one pass of the float32 graph over real texts."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

from export.onnx_file import load_graph

ROWS_OF_A_TEXT = 8


@dataclass(frozen=True, slots=True)
class Calibration:
    """One activation. `largest`: max|x| of each channel, float32 [channels]; `rows`: some of its rows [n, channels]."""

    largest: NDArray[np.float32]
    rows: NDArray[np.float32]


def calibrate(source: Path, inputs: Iterable[dict[str, NDArray[np.int64]]]) -> dict[str, Calibration]:
    """The outputs of every LayerNormalization of the graph `source`, by name, over `inputs` (feeds of the graph)."""
    model = load_graph(source)
    names = [node.output[0] for node in model.graph.node if node.op_type == "LayerNormalization"]
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    probe = source.with_name("calibrate.onnx")
    onnx.save(model, probe)
    session = onnxruntime.InferenceSession(probe, providers=["CPUExecutionProvider"])
    largest: dict[str, NDArray[np.float32]] = {name: np.array(0, np.float32) for name in names}
    rows: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
    for feed in inputs:
        for name, value in zip(names, session.run(names, feed), strict=True):
            flat = value.reshape(-1, value.shape[-1])
            largest[name] = np.maximum(largest[name], np.abs(flat).max(axis=0))
            rows[name].append(flat[:: max(1, len(flat) // ROWS_OF_A_TEXT)])
    probe.unlink()
    return {name: Calibration(largest[name], np.concatenate(rows[name])) for name in names}
