"""The least that serves a classifier, for granian: one text a run, nothing validated, limited, cached or counted.

The environment names the MODEL (an ONNX file, or OpenVINO's when it ends in .xml), the TOKENIZER and the LABELS with
commas between them; STREAMS is how many runs OpenVINO does side by side. GET is answered that it is ready, POST with
scores.
"""

import json
import os
import threading
from collections.abc import Callable

import numpy as np
from tokenizers import Tokenizer

Columns = dict[str, np.ndarray]


def load_onnx(file: str) -> Callable[[Columns], np.ndarray]:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # granian's threads run side by side
    session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = {given.name for given in session.get_inputs()}
    return lambda columns: session.run(None, {name: columns[name] for name in names})[0]


def load_openvino(file: str) -> Callable[[Columns], np.ndarray]:
    import openvino as ov

    streams = int(os.environ["STREAMS"])
    model = ov.Core().compile_model(file, "CPU", {"NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": streams})
    names = {port.any_name for port in model.inputs}
    own = threading.local()  # a request of its own for each thread, as AsyncInferQueue has one for each job

    def run(columns: Columns) -> np.ndarray:
        if not hasattr(own, "request"):
            own.request = model.create_infer_request()
        return own.request.infer({name: columns[name] for name in names})[model.output(0)]

    return run


labels = os.environ["LABELS"].split(",")
tokenizer = Tokenizer.from_file(os.environ["TOKENIZER"])
tokenizer.enable_truncation(512)
tokenizer.no_padding()
run = (load_openvino if os.environ["MODEL"].endswith(".xml") else load_onnx)(os.environ["MODEL"])
HEAD = [("Content-Type", "application/json")]


def app(environ: dict, start_response: Callable[[str, list[tuple[str, str]]], object]) -> list[bytes]:
    body = b'"ready"'
    if environ["REQUEST_METHOD"] == "POST":
        ids = np.array([tokenizer.encode(json.loads(environ["wsgi.input"].read())["text"]).ids])
        columns = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        logits = run(columns)[0]
        exponents = np.exp(logits - logits.max())
        probabilities = (exponents / exponents.sum()).tolist()
        body = json.dumps({"probabilities": dict(zip(labels, probabilities, strict=True))}).encode()
    start_response("200 OK", [*HEAD, ("Content-Length", str(len(body)))])
    return [body]
