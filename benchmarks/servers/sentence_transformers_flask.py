"""sentence-transformers' CrossEncoder with its ONNX backend behind plain Flask routes, for gunicorn.

A CrossEncoder with two labels is the library's classifier. Its predict() takes pairs only, so its two steps are
called here on single texts, all texts of a request in one batch. The environment names the FOLDER and the THREADS
in one run.
"""

import os

import onnxruntime as ort
import torch
from flask import Flask, jsonify, request
from sentence_transformers import CrossEncoder

app = Flask(__name__)
options = ort.SessionOptions()
options.intra_op_num_threads = int(os.environ["THREADS"])
model = CrossEncoder(
    os.environ["FOLDER"],
    backend="onnx",
    max_length=512,
    local_files_only=True,
    model_kwargs={
        "file_name": "model_quantized.onnx",
        "provider": "CPUExecutionProvider",
        "session_options": options,
        "export": False,
    },
)


@app.get("/health")
def health() -> str:
    return "ok"


@app.post("/predict")
def predict() -> object:
    return jsonify(_answers([request.get_json()["text"]])[0])


@app.post("/predict_batch")
def predict_batch() -> object:
    return jsonify(_answers(request.get_json()["texts"]))


def _answers(texts: list[str]) -> list[dict]:
    with torch.inference_mode():
        rows = model(model.preprocess(texts))["scores"].softmax(dim=-1).tolist()
    return [{"probabilities": {model.config.id2label[i]: p for i, p in enumerate(row)}} for row in rows]
