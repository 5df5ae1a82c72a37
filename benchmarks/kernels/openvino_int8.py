"""OpenVINO on a model quantized after training. FOLDER: holds model.xml."""

import threading
from pathlib import Path

import numpy as np
import openvino as ov

from benchmarks.kernels.worker import Run, answer


def load(folder: Path, threads: int, callers: int) -> Run:
    settings = {"INFERENCE_NUM_THREADS": threads * callers, "NUM_STREAMS": callers}
    model = ov.Core().compile_model(folder / "model.xml", "CPU", settings)
    names = {port.any_name for port in model.inputs}
    own = threading.local()  # an infer request serves one caller at a time

    def run(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        if not hasattr(own, "request"):
            own.request = model.create_infer_request()
        columns = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        return own.request.infer({name: columns[name] for name in names})[model.output(0)].copy()

    return run


if __name__ == "__main__":
    answer(load)
