"""PyTorch -> float32 ONNX through optimum."""

import warnings
from pathlib import Path

import onnx
from optimum.exporters.onnx import onnx_export_from_model
from optimum.utils import logging as optimum_logging
from transformers import BertForSequenceClassification
from transformers import logging as transformers_logging

from export.encoding import INPUTS
from export.refusal import ExportRefused


def convert(model: BertForSequenceClassification, work: Path) -> Path:
    """Writes `work`/onnx/model.onnx: INPUTS int64 [batch, tokens] -> logits float32 [batch, labels].

    Raises ExportRefused when the export fails or the graph
    has other inputs or outputs, or a fixed size where batch and tokens have to be free.
    """
    transformers_logging.set_verbosity_error()
    optimum_logging.set_verbosity_error()
    target = work / "onnx"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer's remarks about constants
            # Its own validation compares two random inputs; checks.py does that on real texts.
            # The model in memory is taken as it is, with plain attention: SDPA leaves more operators behind.
            onnx_export_from_model(model, target, task="text-classification", do_validation=False)
    except Exception as error:  # torch's exporter and optimum raise anything
        reason = (str(error).strip() or "no reason given").splitlines()[0]
        raise ExportRefused(f"optimum's ONNX export failed with {type(error).__name__}: {reason}") from error
    check_graph(target / "model.onnx")
    return target / "model.onnx"


def check_graph(path: Path) -> None:
    """Raises ExportRefused unless the graph takes INPUTS and gives logits, with free batch and tokens."""
    graph = onnx.load(path, load_external_data=False).graph
    names = [value.name for value in graph.input], [value.name for value in graph.output]
    if names != ([*INPUTS], ["logits"]):
        raise ExportRefused(f"the exported graph takes {names[0]} and gives {names[1]}, not {[*INPUTS]} and logits")
    for value in (*graph.input, *graph.output):
        free = value.type.tensor_type.shape.dim[: 1 if value.name == "logits" else 2]
        if any(not axis.dim_param for axis in free):
            raise ExportRefused(f"the exported graph has a fixed size in {value.name}")
