"""sentence-transformers' CrossEncoder with its ONNX backend behind plain Flask routes, for gunicorn.

A CrossEncoder with two labels is the library's classifier. The environment names the FOLDER and the THREADS in one run.
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
    rows = model.predict(texts, activation_fn=torch.nn.Softmax(dim=-1), show_progress_bar=False)
    return [{"probabilities": {model.config.id2label[i]: float(p) for i, p in enumerate(row)}} for row in rows]
