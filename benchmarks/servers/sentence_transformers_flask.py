"""sentence-transformers' CrossEncoder with its ONNX or OpenVINO backend behind plain Flask routes, for gunicorn.

A CrossEncoder with two labels is the library's classifier. Its predict() takes pairs only, so its two steps are
called here on single texts, all texts of a request in one batch. The environment names the BACKEND, the FOLDER and the
THREADS in one run.
"""

import os

import torch
from flask import Flask, jsonify, request
from sentence_transformers import CrossEncoder

app = Flask(__name__)
threads = int(os.environ["THREADS"])
if os.environ["BACKEND"] == "onnx":
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    given = {"file_name": "model_quantized.onnx", "provider": "CPUExecutionProvider", "session_options": options}
else:
    given = {"file_name": "openvino_model_qint8_quantized.xml", "ov_config": {"INFERENCE_NUM_THREADS": threads}}
model = CrossEncoder(
    os.environ["FOLDER"],
    backend=os.environ["BACKEND"],
    max_length=512,
    local_files_only=True,
    model_kwargs={"export": False, **given},
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
