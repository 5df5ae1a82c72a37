"""Flask and PyTorch as tutorials show them: load, a route, app.run().

python -m benchmarks.servers.pytorch_flask CHECKPOINT PORT
"""

import sys

import torch
from flask import Flask, jsonify, request
from transformers import AutoModelForSequenceClassification, AutoTokenizer

app = Flask(__name__)
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForSequenceClassification.from_pretrained(sys.argv[1])
model.eval()


@app.get("/health")
def health() -> str:
    return "ok"


@app.post("/predict")
def predict() -> object:
    inputs = tokenizer(request.get_json()["text"], return_tensors="pt", truncation=True, max_length=512)
    with torch.no_grad():
        probabilities = torch.softmax(model(**inputs).logits, dim=-1)[0].tolist()
    return jsonify(probabilities={model.config.id2label[i]: p for i, p in enumerate(probabilities)})


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[2]))
