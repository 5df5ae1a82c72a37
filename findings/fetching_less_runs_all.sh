#!/usr/bin/env bash
# onnxruntime's only_execute_path_to_fetches leaves out nothing: fetching an early output takes as long as fetching the last.
#
# versions:  onnxruntime 1.31.1, onnx 1.23.2, numpy 2.4.6 (Python 3.11, x86-64 Linux)
# behaviour: a chain of 60 products and hyperbolic tangents has two outputs, one behind the first product and one behind the last.
#            A run that names the first output alone computes all 60, also with RunOptions.only_execute_path_to_fetches.
# one would guess: with that option, and as its name says, a sixtieth of the time; so that one graph serves whoever wants
#            an early layer and whoever wants the last.
# seen:      CPU seconds, first output / last: without the option 0.0574 / 0.0573, with it 0.0577 / 0.0570
# what helps: an If in the graph, or a graph that ends there (onnx.utils.extract_model).
# exits with 1 when the first output takes less than half of the last one's time.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check onnxruntime==1.31.1 onnx==1.23.2 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import sys
import time

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

WIDTH, STEPS = 512, 60
numbers = np.random.default_rng(0)
weights = numpy_helper.from_array(numbers.normal(size=(WIDTH, WIDTH)).astype(np.float32) / 30, "w")
nodes = []
for i in range(STEPS):
    nodes.append(helper.make_node("MatMul", [f"h{i}", "w"], [f"m{i}"]))
    nodes.append(helper.make_node("Tanh", [f"m{i}"], [f"h{i + 1}"]))
ends = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", WIDTH]) for name in ("h0", "h1", f"h{STEPS}")}
graph = helper.make_graph(nodes, "chain", [ends["h0"]], [ends["h1"], ends[f"h{STEPS}"]], [weights])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
rows = numbers.normal(size=(64, WIDTH)).astype(np.float32)


def seconds(output: str, only_path: bool) -> float:
    run = onnxruntime.RunOptions()
    run.only_execute_path_to_fetches = only_path
    found = []
    for _ in range(15):
        began = time.process_time()
        session.run([output], {"h0": rows}, run)
        found.append(time.process_time() - began)
    return min(found)


for only_path in (False, True):
    first, last = seconds("h1", only_path), seconds(f"h{STEPS}", only_path)
    print("with it" if only_path else "without", f"{first:.4f} / {last:.4f}")
sys.exit(1 if first < last / 2 else 0)
PYTHON
