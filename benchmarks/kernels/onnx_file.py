"""onnxruntime with its default settings. FOLDER: holds one .onnx file."""

from pathlib import Path

import numpy as np
import onnxruntime as ort

from benchmarks.kernels.worker import Run, answer


def load(folder: Path, threads: int, callers: int) -> Run:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    (file,) = folder.glob("*.onnx")
    session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    names = {node.name for node in session.get_inputs()}

    def run(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        columns = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        return session.run(None, {name: columns[name] for name in names})[0]

    return run


if __name__ == "__main__":
    answer(load)
