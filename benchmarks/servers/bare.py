"""The least that serves a classifier, for granian: one text a run, nothing validated, limited, cached or counted.

The environment names the MODEL (an ONNX file) and the TOKENIZER. GET is answered that it is ready, POST with scores.
"""

import json
import os
from collections.abc import Callable

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(os.environ["TOKENIZER"])
tokenizer.enable_truncation(512)
tokenizer.no_padding()
options = ort.SessionOptions()
options.intra_op_num_threads = 1  # granian's threads run side by side
session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
names = {given.name for given in session.get_inputs()}
HEAD = [("Content-Type", "application/json")]


def app(environ: dict, start_response: Callable[[str, list[tuple[str, str]]], object]) -> list[bytes]:
    body = b'"ready"'
    if environ["REQUEST_METHOD"] == "POST":
        ids = np.array([tokenizer.encode(json.loads(environ["wsgi.input"].read())["text"]).ids])
        columns = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        logits = session.run(None, {name: columns[name] for name in names})[0][0]
        exponents = np.exp(logits - logits.max())
        body = json.dumps({"probabilities": (exponents / exponents.sum()).tolist()}).encode()
    start_response("200 OK", [*HEAD, ("Content-Length", str(len(body)))])
    return [body]
