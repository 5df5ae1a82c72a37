# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""The reference answers with the checkpoint's own logits, whatever its layout."""

import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")

from export.encoding import encode
from structbert_lite.cli.side import start_side
from tests.export.make_checkpoint import write_hugging_face

TEXTS = ["好", "这部电影太烂了，完全浪费时间", "👎👎👎"]


def reference(folder) -> list[str]:
    return [sys.executable, "-m", "export.reference", str(folder)]


@pytest.mark.parametrize("layout", ["modelscope", "hugging face"])
def test_logits_are_the_checkpoints(layout, shared_checkpoint, model, tokenizer, tmp_path):
    folder = shared_checkpoint
    if layout == "hugging face":
        folder = write_hugging_face(tmp_path / "checkpoint", model, tokenizer.to_str())
    inputs = {name: torch.from_numpy(array) for name, array in encode(tokenizer, TEXTS).items()}
    with torch.inference_mode():
        expected = model(**inputs).logits.numpy()
    with start_side(reference(folder)) as side:
        assert side.facts["labels"] == ["Negative", "Positive"]
        assert side.facts["layout"].startswith(layout)
        np.testing.assert_allclose(side.ask([TEXTS]).logits, expected, atol=1e-5)


def test_a_folder_that_is_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match=r"has no config\.json"), start_side(reference(tmp_path)):
        pass
