# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""BERT over SentencePiece's pieces, the default models' layout, and what a checkpoint says about its answers."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from export.refusal import ExportRefused
from export.run import Export, run_export
from export.source import Source
from export.texts import DEFAULT_TEXTS, PARITY_TEXTS, read_texts
from structbert_lite.engine import Engine
from structbert_lite.manifest import read_manifest
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings
from tests.export.make_checkpoint import make_model

LEXICAL = {"logit_scale": 1.0, "share": 2.0, "saturation": 1.0, "bias": -1.0, "average_length": 20.0}


def make_unigram(size: int) -> Tokenizer:
    """Padding at 0, as in BERT, and pairs without token types."""
    characters = sorted({c for text in (*read_texts(DEFAULT_TEXTS), *PARITY_TEXTS) for c in text if not c.isspace()})
    pieces = ["<pad>", "<s>", "</s>", "<unk>", "<mask>", "▁", *characters]
    pieces = (pieces + [f"<filler{i}>" for i in range(size)])[:size]
    tokenizer = Tokenizer(models.Unigram([(piece, -float(i)) for i, piece in enumerate(pieces)], unk_id=3))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return tokenizer


def write(folder: Path, labels: int, **calibration: object) -> Path:
    model = make_model(vocabulary=1500, labels=labels, seed=labels)
    model.config.pad_token_id = 0
    model.save_pretrained(folder)
    make_unigram(1500).save(str(folder / "tokenizer.json"))
    if calibration:
        (folder / "calibration.json").write_text(json.dumps(calibration), "utf-8")
    return folder


def export(folder: Path, out: Path, task: str, **options: object) -> Path:
    return run_export(Export(Source(folder, folder.name), out, DEFAULT_TEXTS, task, 0.0, **options))


def test_a_three_way_sentiment_model(tmp_path: Path) -> None:
    folder = write(tmp_path / "trained", 3, neutral=0.4, margin=0.3)
    labels = ("Negative", "Neutral", "Positive")
    out = export(folder, tmp_path / "models" / "sentiment", "sentiment", labels=labels)
    manifest = read_manifest(out)
    assert manifest.labels == labels
    assert manifest.uncertainty.model_dump() == {"neutral": 0.4, "margin": 0.3}
    assert manifest.pad_id == 0
    engine = Engine(Settings(models=out.parent))
    together = engine.predict("sentiment", ["好", "房间很干净，早餐也不错", "ＡＢＣ abc"], RequestContext.within(60))
    alone = [engine.predict("sentiment", [r.text], RequestContext.within(60))[0] for r in together]
    assert together == alone
    engine.close()


def test_a_reranker_with_its_table(tmp_path: Path) -> None:
    folder = write(tmp_path / "trained", 1, lexical=LEXICAL)
    np.savez(folder / "lexical.npz", idf=np.ones(64, np.float32))
    out = export(folder, tmp_path / "models" / "rerank", "rerank")
    manifest = read_manifest(out)
    assert manifest.lexical.model_dump() == LEXICAL
    assert "lexical.npz" in manifest.files
    engine = Engine(Settings(models=out.parent))
    found = engine.predict("rerank", ["退货运费谁出", "明天有雨"], RequestContext.within(60), query="退货运费")
    assert {r.index for r in found} == {0, 1}
    engine.close()


def test_a_zero_shot_model_that_can_say_none(tmp_path: Path) -> None:
    folder = write(tmp_path / "trained", 3, none={"scale": 0.5, "bias": 0.25})
    labels = ("entailment", "neutral", "contradiction")
    out = export(folder, tmp_path / "models" / "zero-shot", "zero-shot", labels=labels)
    assert read_manifest(out).none.model_dump() == {"scale": 0.5, "bias": 0.25}


@pytest.mark.parametrize(
    ("task", "given", "said"),
    [
        ("rerank", {"lexical": {**LEXICAL, "average_length": 0}}, "lexical.average_length"),
        ("rerank", {"lexical": {"share": 1}}, "lexical.logit_scale"),
        ("rerank", {"lexical": LEXICAL}, "has no lexical.npz"),
        ("sentiment", {"neutral": 2}, "uncertainty.neutral"),
        ("zero-shot", {"none": {"scale": "x"}}, "none.scale"),
    ],
)
def test_numbers_that_cannot_be_used_are_refused(tmp_path: Path, task: str, given: dict, said: str) -> None:
    labels = {"sentiment": ("Negative", "Neutral", "Positive"), "zero-shot": ("entailment", "neutral", "contradiction")}
    folder = write(tmp_path / "trained", len(labels.get(task, "1")), **given)
    with pytest.raises(ExportRefused, match=said):
        export(folder, tmp_path / "models" / "out", task, labels=labels.get(task))
    assert not (tmp_path / "models" / "out").exists()
