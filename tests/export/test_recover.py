# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""What the exporter rounded to int8 is read back as the checkpoint that it was made from, less the rounding."""

import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

from safetensors.torch import load_file

from export.run import Export, run_export
from export.source import Source
from tests.export.make_checkpoint import make_model
from tests.export.make_pairs_checkpoint import OURS, make_encoder, make_head, write_encoder
from training.recover import recover
from training.zero_shot import LABELS

WORDS = "bert.embeddings.word_embeddings.weight"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("手机屏幕怎么换\n明天北京会下雨吗\n房间很干净，早餐也不错，下次还会再来。\n好", "utf-8")
    return path


def write_base(folder: Path, trained: Path, words: torch.Tensor) -> Path:
    """An encoder of other weights with the word table `words`, as the base encoder's package has it."""
    folder.mkdir()
    encoder = make_encoder(seed=99)
    state = encoder.state_dict() | {"embeddings.word_embeddings.weight": words}
    torch.save(state, folder / "pytorch_model.bin")
    encoder.config.to_json_file(folder / "config.json")
    shutil.copy(trained / "tokenizer.json", folder / "tokenizer.json")
    return folder


def check(trained: Path, model: Path, tmp_path: Path) -> None:
    right = load_file(trained / "model.safetensors")
    base = write_base(tmp_path / "base", trained, right[WORDS])
    found = load_file(recover(model, base, tmp_path / "recovered") / "model.safetensors")
    assert {name for name in right if "pooler" not in name} <= found.keys()
    for name, tensor in found.items():
        # 7 bits and the dither, half a step each; vectors, and what is no product's weight, are kept as they are.
        product = ("encoder" in name or "pooler" in name) and tensor.ndim == 2
        rounding = 1.5 * right[name].abs().amax() / 63 if product else 0.0  # the smoothing can make a step larger
        assert (tensor - right[name]).abs().max() <= rounding + 1e-6, name
        if product:
            assert np.corrcoef(tensor.flatten(), right[name].flatten())[0, 1] > 0.999, name
            assert all(len(row.unique()) == len(row) for row in tensor), f"{name} lies on the file's grid"


def test_a_cross_encoder_is_read_back(tmp_path, texts, tokenizer):
    folder = tmp_path / "trained"
    model = make_model(labels=3)
    model.config.id2label = dict(enumerate(LABELS))
    model.config.label2id = {label: i for i, label in enumerate(LABELS)}
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), "utf-8")
    out = run_export(Export(Source(folder, "trained"), tmp_path / "out", texts, "zero-shot", 0.0))
    check(folder, out, tmp_path)


def test_a_siamese_model_is_read_back(tmp_path, texts, tokenizer):
    folder = write_encoder(tmp_path / "trained", make_encoder(), tokenizer.to_str(), make_head(2), OURS)
    out = run_export(Export(Source(folder, "trained"), tmp_path / "out", texts, "similarity", 0.0))
    check(folder, out, tmp_path)
