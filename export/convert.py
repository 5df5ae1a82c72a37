"""PyTorch -> float32 ONNX through optimum."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from optimum.exporters.onnx import onnx_export_from_model
from optimum.utils import logging as optimum_logging
from transformers import PreTrainedModel
from transformers import logging as transformers_logging

from export.encoding import INPUTS
from export.onnx_file import load_graph
from export.refusal import ExportRefused

OUTPUTS = {None: "logits", "mean": "token_vectors", "cls": "vector"}  # by pooling


def convert(model: PreTrainedModel, work: Path, pooling: str | None = None, inputs: Sequence[str] = INPUTS) -> Path:
    """Writes `work`/onnx/model.onnx: `inputs` int64 [batch, tokens] -> one float32 output.

    A classifier (`pooling` None) gives logits [batch, labels], an encoder token_vectors [batch, tokens, hidden] for
    "mean", vector [batch, hidden] for "cls". Raises ExportRefused when the export fails or the graph has other inputs
    or outputs, or a fixed size where batch and tokens have to be free, or is one for training.
    """
    transformers_logging.set_verbosity_error()
    optimum_logging.set_verbosity_error()
    if model.training:
        raise ExportRefused("the model is in training mode, in which its numbers depend on the batch")
    target = work / "onnx"
    task = "text-classification" if pooling is None else "feature-extraction"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer's remarks about constants
            # Its own validation compares two random inputs; checks.py does that on real texts.
            # The model in memory is taken as it is, with plain attention: SDPA leaves more operators behind.
            onnx_export_from_model(model, target, task=task, do_validation=False)
    except Exception as error:  # torch's exporter and optimum raise anything
        reason = (str(error).strip() or "no reason given").splitlines()[0]
        raise ExportRefused(f"optimum's ONNX export failed with {type(error).__name__}: {reason}") from error
    path = target / "model.onnx"
    if pooling is not None:
        _give_vectors(path, pooling)
    check_graph(path, inputs, OUTPUTS[pooling])
    return path


def check_graph(path: Path, inputs: Sequence[str] = INPUTS, output: str = "logits") -> None:
    """Raises ExportRefused unless the graph takes `inputs` and gives `output`, with free batch and tokens.

    Also where an operator works in training mode, or is a BatchNormalization, which belongs into the weights.
    """
    graph = load_graph(path).graph
    names = [value.name for value in graph.input], [value.name for value in graph.output]
    if names != ([*inputs], [output]):
        raise ExportRefused(f"the exported graph takes {names[0]} and gives {names[1]}, not {[*inputs]} and {output}")
    for value in (*graph.input, *graph.output):
        free = value.type.tensor_type.shape.dim[: 1 if value.name in ("logits", "vector") else 2]
        if any(not axis.dim_param for axis in free):
            raise ExportRefused(f"the exported graph has a fixed size in {value.name}")
    for node in graph.node:
        training = any(a.name == "training_mode" and a.i for a in node.attribute)
        if node.op_type in ("BatchNormalization", "Dropout") or training:
            raise ExportRefused(
                f"the exported graph holds {node.op_type} ({node.name}), so it is one for training or not folded"
            )


def _give_vectors(path: Path, pooling: str) -> None:
    """Gives the graph's only output the name that says what it is; for "cls" it becomes that of the first token."""
    model = load_graph(path)
    graph = model.graph
    if [value.name for value in graph.output] != ["last_hidden_state"]:
        return  # check_graph says what is wrong
    output = graph.output[0]
    name = OUTPUTS[pooling]
    if pooling == "cls":
        graph.initializer.append(numpy_helper.from_array(np.array(0, np.int64), "first_token"))
        graph.node.append(helper.make_node("Gather", [output.name, "first_token"], [name], name=name, axis=1))
        shape = [output.type.tensor_type.shape.dim[axis] for axis in (0, 2)]
        sizes = [axis.dim_param or axis.dim_value or "hidden" for axis in shape]
        output.CopyFrom(helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes))
    else:
        graph.node.append(helper.make_node("Identity", [output.name], [name], name=name))
        output.name = name
    onnx.save(model, path)
