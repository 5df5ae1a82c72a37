# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""Which checkpoints a fine-tuning can start from."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs requirements-train.txt")
pytest.importorskip("transformers", reason="needs requirements-train.txt")

from safetensors.torch import save_file

from export.refusal import ExportRefused
from tests.export.make_checkpoint import make_model, make_vocabulary, write_modelscope
from training.finetune.refusal import FinetuneRefused
from training.finetune.start import find_base, licence_of, start_model

LABELS = ("咨询", "建议", "投诉")


def start(base: Path, tmp_path: Path, max_tokens: int = 64):
    return start_model(base, LABELS, tmp_path / "tokenizer.json", max_tokens, 0.1, 1)


@pytest.mark.parametrize(("prefix", "head"), [("encoder.", "classifier."), ("bert.", "head.classifier."), ("", "cls.")])
def test_any_layout_keeps_its_encoder_and_pooler_and_gets_a_new_head(tmp_path: Path, prefix: str, head: str) -> None:
    """`cls.` are the heads of pre-training: a bare backbone."""
    there = make_model(seed=4)
    base = write_modelscope(tmp_path / "base", there, make_vocabulary(2000), prefix=prefix, head=head)
    model, tokenizer = start(base, tmp_path)
    for name, tensor in there.bert.state_dict().items():
        assert torch.equal(model.bert.state_dict()[name], tensor), name
    assert model.classifier.weight.shape == (3, 32)
    assert model.config.id2label == dict(enumerate(LABELS))
    assert tokenizer.encode("电影").tokens == ["[CLS]", "电", "影", "[SEP]"]


def test_a_new_head_is_the_same_every_time(tiny_base: Path, tmp_path: Path) -> None:
    first, second = (start(tiny_base, tmp_path)[0].classifier.weight for _ in range(2))
    assert torch.equal(first, second)


def test_what_cannot_be_started_from(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(FinetuneRefused, match="--max-tokens 65 is more than tiny can read, which is 64"):
        start(tiny_base, tmp_path, max_tokens=65)
    with pytest.raises(FinetuneRefused, match="is no folder; download the checkpoint first"):
        find_base(tmp_path / "none")
    words = make_vocabulary(2000)
    words[0], words[104] = words[104], words[0]
    other = write_modelscope(tmp_path / "other", make_model(), words)
    with pytest.raises(FinetuneRefused, match="other has padding at 104 of its vocabulary, not at 0"):
        start(other, tmp_path)
    half = tmp_path / "half"
    half.mkdir()
    for name in ("config.json", "vocab.txt"):
        (half / name).write_bytes((tiny_base / name).read_bytes())
    tensors = {f"bert.{key}": tensor for key, tensor in make_model().bert.state_dict().items() if "layer.1." not in key}
    save_file(tensors, half / "model.safetensors")
    with pytest.raises(ExportRefused, match=r"config\.json says num_hidden_layers 2, the weights have 1"):
        start(half, tmp_path)


def test_the_licence_is_the_bases(tiny_base: Path, tmp_path: Path) -> None:
    assert licence_of(tiny_base) == "that of tiny, which does not state one"
    (tmp_path / "configuration.json").write_text(json.dumps({"license": "Apache-2.0"}))
    assert licence_of(tmp_path) == "Apache-2.0"
