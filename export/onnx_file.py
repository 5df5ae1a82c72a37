"""Weights that lie in a file beside the graph: of more than 2 GB, which protobuf cannot hold, and large tables.

onnxruntime maps such a file into memory, where weights inside the graph are read into memory of the process. A graph
that is loaded without its weights and saved in the same folder still finds them.
"""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.external_data_helper import load_external_data_for_tensor, set_external_data, uses_external_data

PAGE = 4096  # bytes that a mapped weight's place is a multiple of
LARGEST = 1_900_000_000  # bytes of one file; protobuf's limit is 2 GiB for weights and graph together


def load_graph(path: Path) -> onnx.ModelProto:
    """The graph in `path`; weights in a file of their own stay there."""
    return onnx.load(path, load_external_data=False)


def read_tensor(tensor: TensorProto, folder: Path) -> np.ndarray:
    """The values of a constant of a graph in `folder`, without keeping them in the graph."""
    if not uses_external_data(tensor):
        return numpy_helper.to_array(tensor)
    copy = TensorProto()
    copy.CopyFrom(tensor)
    _take_in(copy, folder)
    return numpy_helper.to_array(copy)


def take_in(graph: onnx.GraphProto, folder: Path) -> None:
    """Brings all weights that still lie in a file of `folder` into the graph."""
    constants = [node.attribute[0].t for node in graph.node if node.op_type == "Constant"]
    for tensor in (*graph.initializer, *constants):
        if uses_external_data(tensor):
            _take_in(tensor, folder)


def save_whole(model: onnx.ModelProto, path: Path, tables: Collection[str] = ()) -> None:
    """Writes `path`, and the constants named in `tables` to `path`.tables, which belongs to it from then on.

    Beyond LARGEST bytes the other weights go to `path`.data.
    """
    if tables:
        aside = path.with_name(f"{path.name}.tables")
        with aside.open("wb") as file:
            for tensor in model.graph.initializer:
                if tensor.name in tables:
                    file.write(bytes(-file.tell() % PAGE))
                    set_external_data(tensor, aside.name, file.tell(), len(tensor.raw_data))
                    file.write(tensor.raw_data)
                    tensor.ClearField("raw_data")
    size = sum(len(tensor.raw_data) for tensor in model.graph.initializer)
    if size <= LARGEST:
        onnx.save(model, path)
    else:
        onnx.save(model, path, save_as_external_data=True, location=f"{path.name}.data")


def _take_in(tensor: TensorProto, folder: Path) -> None:
    load_external_data_for_tensor(tensor, str(folder))
    tensor.data_location = TensorProto.DEFAULT
    del tensor.external_data[:]
