"""Runs an ONNX file and keeps every output: `python tests/export/integer_path.py MODEL.onnx IN.npz OUT.npz`.

test_no_vnni.py runs it twice, on this CPU and on an emulated older one. It needs only onnxruntime and numpy.
"""

import os
import sys

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime


def run(model: str, source: str, target: str) -> None:
    """Feeds the arrays of `source` by name and writes each output of `model` to `target` by name."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [node.name for node in session.get_outputs()]
    np.savez(target, **dict(zip(names, session.run(names, dict(np.load(source))), strict=True)))


if __name__ == "__main__":
    run(*sys.argv[1:])
