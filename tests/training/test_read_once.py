# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""What learns to read a text once: the rows, and that it goes on from a checkpoint towards its teacher."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-train.txt")
pytest.importorskip("transformers", reason="needs requirements-train.txt")

from tokenizers import Tokenizer

from export.prefix.packed import NOBODY, TEXT, logits_of_labels, pack
from structbert_lite.inference.prefix import encode_behind
from structbert_lite.inference.tokenizer import Tokenizer as Serving
from tests.export.make_checkpoint import make_model
from tests.tiny_models import TOKENIZER
from training.prefix import encode_group

LABELS = ["售后", "客服态度", "好"]


def test_a_group_is_encoded_as_it_is_served() -> None:
    packed = encode_group(Tokenizer.from_file(str(TOKENIZER)), "屏幕碎了", LABELS, 128)
    served = encode_behind(Serving(Path(TOKENIZER), 128), [("屏幕碎了", label) for label in LABELS])
    assert packed == pack(served[0].prefix, [encoding.ids for encoding in served])
    assert [packed.ids[head] for head in packed.heads] == [served[0].ids[0]] * 3


def test_no_label_sees_another_and_the_text_sees_none() -> None:
    model = make_model(labels=3, vocabulary=21128)
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    with torch.inference_mode():
        all_, fewer = (
            logits_of_labels(model, [encode_group(tokenizer, "屏幕碎了", labels, 64)]).numpy()
            for labels in (LABELS, LABELS[1:])
        )
        beside = logits_of_labels(
            model, [encode_group(tokenizer, text, LABELS, 64) for text in ("屏幕碎了", "屏幕碎了，怎么换一块新的")]
        ).numpy()
    np.testing.assert_allclose(all_[1:], fewer, atol=1e-5)
    np.testing.assert_allclose(beside[:3], all_, atol=1e-5)
    assert np.abs(beside[3:] - all_).max() > 1e-3


def test_positions_go_on_behind_the_text() -> None:
    packed = pack([101, 7, 8, 102], [[101, 9, 102], [101, 5, 6, 102]])
    assert packed.positions == [0, 1, 2, 3, 0, 4, 5, 0, 4, 5, 6]
    assert packed.types == [0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1]
    assert packed.segments == [TEXT] * 4 + [1] * 3 + [2] * 4
    assert NOBODY not in packed.segments
