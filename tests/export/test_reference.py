# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""The reference answers with the checkpoint's own logits, whatever its layout."""

import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")

from export.encoding import encode
from export.reference import load_reference
from structbert_lite.evaluate.model_process import start_model
from structbert_lite.inference.model import pool
from tests.export.make_checkpoint import write_hugging_face
from tests.export.make_pairs_checkpoint import (
    OURS,
    make_encoder,
    make_head,
    make_unigram,
    make_xlm_roberta,
    write_encoder,
    write_xlm_roberta,
)

TEXTS = ["好", "这部电影太烂了，完全浪费时间", "👎👎👎"]


def reference(folder, *options: str) -> list[str]:
    return [sys.executable, "-m", "export.reference", str(folder), "1", *options]


@pytest.mark.parametrize("layout", ["modelscope", "hugging face"])
def test_logits_are_the_checkpoints(layout, shared_checkpoint, model, tokenizer, tmp_path):
    folder = shared_checkpoint
    if layout == "hugging face":
        folder = write_hugging_face(tmp_path / "checkpoint", model, tokenizer.to_str())
    inputs = {name: torch.from_numpy(array) for name, array in encode(tokenizer, TEXTS).items()}
    with torch.inference_mode():
        expected = model(**inputs).logits.numpy()
    facts, run = load_reference(str(folder), 1)
    assert facts["labels"] == ("Negative", "Positive")
    assert facts["layout"].startswith(layout)
    np.testing.assert_allclose(run(TEXTS), expected, atol=1e-5)


def test_an_encoder_in_a_process_answers_with_pooled_vectors(tokenizer, tmp_path):
    encoder = make_encoder()
    folder = write_encoder(tmp_path / "siamese", encoder, tokenizer.to_str(), make_head(2), OURS)
    arrays = encode(tokenizer, TEXTS)
    with torch.inference_mode():
        tokens = encoder(**{name: torch.from_numpy(array) for name, array in arrays.items()}).last_hidden_state.numpy()
    expected = pool(tokens, arrays["attention_mask"].sum(1).tolist(), "mean")
    with start_model(reference(folder, "--task", "similarity", "--pooling", "mean", "--max-tokens", "64")) as side:
        assert side.facts["layout"].startswith("hugging face")
        np.testing.assert_allclose(side.ask([TEXTS]).logits, expected, atol=1e-5)


def test_a_cross_encoder_reads_pairs(tmp_path):
    model, tokenizer = make_xlm_roberta(), make_unigram()
    folder = write_xlm_roberta(tmp_path / "reranker", model, tokenizer)
    pairs = [("好", "坏"), ("房间", "早餐也不错")]
    with torch.inference_mode():
        rows = [model(torch.tensor([tokenizer.encode(*pair).ids])).logits.numpy() for pair in pairs]
    _, run = load_reference(str(folder), 1, "rerank")
    np.testing.assert_allclose(run(pairs), np.concatenate(rows), atol=1e-5)


def test_a_folder_that_is_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match=r"has no config\.json"), start_model(reference(tmp_path)):
        pass
