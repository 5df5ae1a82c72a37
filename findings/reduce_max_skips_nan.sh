#!/usr/bin/env bash
# onnxruntime's ReduceMax and ReduceMin see a NaN only where it stands first.
#
# versions:  onnxruntime 1.31.1, onnx 1.23.2, numpy 2.4.6 (Python 3.11, x86-64 Linux)
# behaviour: the highest of eight numbers, one of them NaN, is NaN if the NaN is the first of them, and else the highest of some
#            of the others: what had been found before the NaN is forgotten. ReduceSum gives NaN wherever it stands.
# one would guess: NaN every time, as with numpy.max and torch.max; so that a check of a network's output for NaN, or a scale
#            for quantization that is the maximum of a row, notices that something went wrong before.
# seen:      ReduceMax of 0..7 with a NaN in place 0, 1, ... 7: nan 6.0 7.0 6.0 7.0 7.0 7.0 6.0 (with AVX2)
#            ReduceMin: nan 0.0 0.0 0.0 0.0 0.0 0.0 0.0
# exits with 1 when both give NaN for every place.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check onnxruntime==1.31.1 onnx==1.23.2 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper


def reduce(operator: str, row: np.ndarray) -> float:
    node = helper.make_node(operator, ["x"], ["y"], keepdims=1)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "one", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": row[None]})[0].item()


hidden = False
for operator in ("ReduceMax", "ReduceMin", "ReduceSum"):
    found = []
    for place in range(8):
        row = np.arange(8, dtype=np.float32)
        row[place] = np.nan
        found.append(reduce(operator, row))
    print(operator, *found)
    hidden = hidden or (operator != "ReduceSum" and not all(np.isnan(found)))
sys.exit(0 if hidden else 1)
PYTHON
