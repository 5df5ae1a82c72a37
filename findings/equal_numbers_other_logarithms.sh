#!/usr/bin/env bash
# onnxruntime gives equal elements of one tensor logarithms and sines with other last bits.
#
# versions:  onnxruntime 1.31.1, onnx 1.23.2, numpy 2.4.6 (Python 3.11, x86-64 Linux)
# behaviour: a tensor of 37 equal float32 numbers goes through one operator on one thread. For Log, Sin, Cos and Softplus the 37
#            results are not always equal: the vectorised loop and its remainder compute in different ways, so an element's last
#            bit depends on its index. Exp, Erf, Tanh and Sigmoid give 37 equal results.
# one would guess: an elementwise function of equal numbers is equal; a score that is computed element by element cannot depend on
#            how many others are in the batch.
# seen:      of 64 numbers, those whose 37 copies differ: Log 11, Sin 15, Cos 10, Softplus 4, Exp 0, Erf 0, Tanh 0, Sigmoid 0 (AVX2)
# exits with 1 when Log and Sin give equal results, or when one of the others does not.
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

COPIES = 37
numbers = np.abs(np.random.default_rng(0).normal(size=64).astype(np.float32) * 3) + np.float32(0.1)
differ = {}
for operator in ("Log", "Sin", "Cos", "Softplus", "Exp", "Erf", "Tanh", "Sigmoid"):
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [COPIES]) for name in "xy")
    graph = helper.make_graph([helper.make_node(operator, ["x"], ["y"])], "one", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    results = [session.run(None, {"x": np.full(COPIES, number)})[0] for number in numbers]
    differ[operator] = sum(len(np.unique(result)) > 1 for result in results)
    print(operator, differ[operator])
as_seen = differ["Log"] and differ["Sin"] and not any(differ[name] for name in ("Exp", "Erf", "Tanh", "Sigmoid"))
sys.exit(0 if as_seen else 1)
PYTHON
