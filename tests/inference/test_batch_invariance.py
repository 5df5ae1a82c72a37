"""Whatever else is in the batch, an input has the same bits: of every installed model, and of the tiny ones."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from structbert_lite.inference.model import Model
from structbert_lite.inference.tokenizer import Encoding
from structbert_lite.manifest import find_models
from structbert_lite.settings import PROJECT

INSTALLED = sorted(set(find_models(PROJECT / "models")) - {"sentiment"})  # which has longer tests of its own
PIECES = st.sampled_from(["好", "不", "怎么退款", "，", "但是", "iPhone 15", "😡", "１２３", "x" * 30, "的" * 9])
TEXTS = st.lists(PIECES, min_size=1, max_size=6).map("".join)


@pytest.fixture(scope="module", params=[*INSTALLED, "tiny similarity", "tiny zero-shot", "tiny rerank"])
def model(request: pytest.FixtureRequest, tiny_models) -> Model:
    *tiny, name = request.param.split()
    return Model.load((tiny_models if tiny else PROJECT / "models") / name)


@settings(max_examples=15)
@given(pairs=st.lists(st.tuples(TEXTS, TEXTS), min_size=2, max_size=6), padding=st.integers(1, 40))
@example(pairs=[("好", "不"), ("怎么退款，" * 40, "但是" * 60), ("不好", "好")], padding=40)
def test_alone_in_any_batch_at_any_padding_an_input_has_the_same_bits(model: Model, pairs: list, padding: int) -> None:
    inputs = pairs if model.manifest.kind == "cross-encoder" else [a for a, _ in pairs]
    encodings = model.tokenizer.encode(inputs)
    alone = [model.infer([encoding])[0].tobytes() for encoding in encodings]
    longest = max(map(len, encodings)) + padding
    filler = Encoding([101] + [671] * (longest - 2) + [102], [0] * longest, False)
    for batch in (encodings, [filler, *encodings[::-1]]):
        rows = {id(encoding): row.tobytes() for encoding, row in zip(batch, model.infer(batch), strict=True)}
        assert [rows[id(encoding)] for encoding in encodings] == alone


def test_each_length_of_a_pair_has_the_same_bits_beside_any_other(model: Model) -> None:
    """Kernels treat what is left over of a vector in ways of their own, so each length has its turn."""
    ids = np.random.default_rng(0).integers(700, 8000, 50).tolist()
    encodings = []
    for length in range(4, 50):
        first = length // 3
        types = [0] * (first + 1) + [model.manifest.kind == "cross-encoder"] * (length - first - 1)
        encodings.append(Encoding([101, *ids[: length - 2], 102], list(map(int, types)), False))
    alone = [model.infer([encoding])[0].tobytes() for encoding in encodings]
    assert [row.tobytes() for row in model.infer(encodings)] == alone
