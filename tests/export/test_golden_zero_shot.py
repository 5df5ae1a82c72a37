# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""ModelScope's own answers for its zero-shot checkpoints, as their cards print them.

Needs the real weights: ZERO_SHOT_CHECKPOINT=FOLDER python -m pytest tests/export/test_golden_zero_shot.py, with the
folder of damo/nlp_structbert_zero-shot-classification_chinese-base or -large.
"""

import os
from pathlib import Path

import numpy as np
import pytest

FOLDER = os.environ.get("ZERO_SHOT_CHECKPOINT")
if not FOLDER:
    pytest.skip("needs a real checkpoint; ZERO_SHOT_CHECKPOINT names its folder", allow_module_level=True)
torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("transformers", reason="needs requirements-export.txt")

from export.checkpoint import Checkpoint, load_checkpoint
from export.encoding import encode, load_tokenizer
from export.texts import PARITY_TEXTS
from export.tokenizer import write_tokenizer

TEXT = "世界那么大，我想去看看"
LABELS = ("家居", "旅游", "科技", "军事", "游戏", "故事")  # with ModelScope's default template, the bare label
# By width of the checkpoint: (one label alone holds, each label for itself), in the order of LABELS.
GOLDEN = {
    768: (
        [0.084315, 0.511589, 0.062988, 0.055385, 0.119714, 0.166009],
        [0.071536, 0.891606, 0.086785, 0.096589, 0.167545, 0.428194],
    ),
    1024: (
        [0.126906, 0.284315, 0.116573, 0.123820, 0.145304, 0.203082],
        [0.269529, 0.789420, 0.287305, 0.277113, 0.412554, 0.523449],
    ),
}


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load_checkpoint(Path(FOLDER), "zero-shot")


def test_the_cards_own_scores(checkpoint, tmp_path):
    write_tokenizer(Path(FOLDER), tmp_path / "tokenizer.json", checkpoint.config.vocab_size, PARITY_TEXTS)
    tokenizer = load_tokenizer(tmp_path / "tokenizer.json", 512, checkpoint.config.pad_token_id)
    inputs = encode(tokenizer, [(TEXT, label) for label in LABELS])
    with torch.inference_mode():
        logits = checkpoint.model(**{name: torch.from_numpy(array) for name, array in inputs.items()}).logits.numpy()
    entailment, contradiction = (
        logits[:, checkpoint.labels.index(label)].astype(np.float64) for label in ("entailment", "contradiction")
    )
    single = np.exp(entailment) / np.exp(entailment).sum()
    multi = 1 / (1 + np.exp(contradiction - entailment))
    expected = GOLDEN[checkpoint.config.hidden_size]
    np.testing.assert_allclose(single, expected[0], atol=1e-4)
    np.testing.assert_allclose(multi, expected[1], atol=1e-4)
