# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""A default model with the vocabulary of another base."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-train.txt")
pytest.importorskip("transformers", reason="needs requirements-train.txt")

from safetensors.numpy import load_file, save_file

from structbert_lite.manifest import check_files, read_manifest
from structbert_lite.registry import open_pipeline
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import PROJECT
from training.base.respell import WORDS, respell
from training.recover import recover_encoder

SENTIMENT = PROJECT / "models" / "sentiment"
TEXTS = ["物流很快，包装也很好", "服务让人满意", "明天几点开门"]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The model's own base with its words in another order, and one misspelling that shares the row of a word."""
    folder = recover_encoder(SENTIMENT, tmp_path / "base")
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tensors = load_file(folder / "model.safetensors")
    pieces = tokenizer["model"]["vocab"]
    order = [*range(5), *range(len(pieces) - 1, 4, -1)]
    meant = next(i for i, (piece, _) in enumerate(pieces) if piece == "满意")
    tokenizer["model"]["vocab"] = [*(pieces[i] for i in order), ["满yi", pieces[meant][1]]]
    tensors[WORDS] = tensors[WORDS][[*order, meant]]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")
    save_file(tensors, folder / "model.safetensors")
    return folder


def test_answers_stay_and_the_misspelling_reads_as_the_word(base: Path, tmp_path: Path) -> None:
    out = respell(SENTIMENT, base, tmp_path / "out")
    check_files(out, read_manifest(out))
    assert read_manifest(out).digest != read_manifest(SENTIMENT).digest
    found = []
    for folder in (SENTIMENT, out):
        with open_pipeline("sentiment", folder) as pipeline:
            found.append([r.score for r in pipeline.predict([*TEXTS, "服务让人满yi"], RequestContext())])
    assert found[0][:3] == found[1][:3]
    assert found[1][3] == found[1][1] != found[0][3]


def test_a_word_that_the_model_does_not_know_is_refused(base: Path, tmp_path: Path) -> None:
    tensors = load_file(base / "model.safetensors")
    tensors[WORDS] = np.append(tensors[WORDS], np.full((1, tensors[WORDS].shape[1]), 9, np.float32), axis=0)
    save_file(tensors, base / "model.safetensors")
    tokenizer = json.loads((base / "tokenizer.json").read_text("utf-8"))
    tokenizer["model"]["vocab"].append(["新词", -9.0])
    (base / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")
    with pytest.raises(RuntimeError, match="新词"):
        respell(SENTIMENT, base, tmp_path / "out")
