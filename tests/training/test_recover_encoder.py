# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""The encoder of a default model, read back as a base for fine-tuning."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-train.txt")
pytest.importorskip("transformers", reason="needs requirements-train.txt")

from transformers import BertForSequenceClassification

from structbert_lite.inference.model import Model
from structbert_lite.manifest import read_manifest
from structbert_lite.registry import open_pipeline
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import PROJECT
from tests.tiny_models import make_all
from training.classifier import predict
from training.cross_encoder import read_tokenizer
from training.recover import recover, recover_encoder

SENTIMENT = PROJECT / "models" / "sentiment"
LABELS = ("Negative", "Neutral", "Positive")
TEXTS = ["物流很快，包装也很好", "这部电影太烂了，完全浪费时间", "明天几点开门"]


def test_what_is_read_back_answers_as_the_model_does(tmp_path: Path) -> None:
    base = recover_encoder(SENTIMENT, tmp_path / "base")
    run = recover(SENTIMENT, base, tmp_path / "run")
    model = BertForSequenceClassification.from_pretrained(run)
    found = predict(model, read_tokenizer(run), TEXTS, 512, bf16=False)
    every_layer = partial(Model.load, early_exit=False)
    with open_pipeline("sentiment", SENTIMENT, load_model=every_layer) as pipeline:
        answers = pipeline.predict(TEXTS, RequestContext.within(60), neutral=True)
    served = [[answer.probabilities[label] for label in LABELS] for answer in answers]
    assert found == pytest.approx(np.array(served), abs=0.05)


def test_it_is_read_once_and_says_what_it_allows(tmp_path: Path) -> None:
    base = recover_encoder(SENTIMENT, tmp_path / "base")
    weights = base / "model.safetensors"
    before = weights.stat().st_mtime_ns
    assert recover_encoder(SENTIMENT, base).joinpath("model.safetensors").stat().st_mtime_ns == before
    assert json.loads((base / "base.json").read_text("utf-8"))["licence"] == read_manifest(SENTIMENT).license
    (base / "base.json").write_text("{}", "utf-8")  # of another file
    recover_encoder(SENTIMENT, base)
    assert weights.stat().st_mtime_ns > before


def test_another_model_in_its_place_is_no_base(tmp_path: Path) -> None:
    models = make_all(tmp_path / "models")
    with pytest.raises(RuntimeError, match=r"model\.onnx has no "):
        recover_encoder(models / "rerank", tmp_path / "base")
