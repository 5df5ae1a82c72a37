"""The real default model by itself: one text, one output, to the last bit; and the pooling of tiny ones."""

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from structbert_lite.errors import InvalidModel
from structbert_lite.inference.model import Model, pool, unit_length
from structbert_lite.inference.tokenizer import Encoding
from structbert_lite.manifest import read_manifest
from tests.tiny_models import make_cross, table

PIECES = st.sampled_from(
    [
        "好",
        "不",
        "房间很干净",
        "，",
        "。",
        "但是",
        "太贵了",
        "iPhone 15",
        "😡",
        "服務態度",
        "１２３",
        "x" * 30,
        "的" * 9,
    ]
)
TEXTS = st.lists(PIECES, min_size=1, max_size=9).map("".join)


@pytest.fixture(scope="module")
def model(model_folder: Path) -> Model:
    return Model.load(model_folder)


def test_a_text_of_any_length_has_the_same_bits_at_any_padding(model: Model) -> None:
    """Kernels treat what is left over of a vector in ways of their own, so each length has its turn."""
    ids = np.random.default_rng(0).integers(700, 8000, 70).tolist()
    encodings = [Encoding([101, *ids[: length - 2], 102], [0] * length, False) for length in range(2, 71)]
    alone = [model.infer([encoding])[0].tobytes() for encoding in encodings]
    together = [row.tobytes() for row in model.infer(encodings)]
    by_eight = [row.tobytes() for start in range(0, 69, 8) for row in model.infer(encodings[start : start + 8])]
    assert together == alone
    assert by_eight == alone


@settings(max_examples=25)
@given(texts=st.lists(TEXTS, min_size=2, max_size=8), padding=st.integers(1, 70))
@example(texts=["好", "房间很干净，但是太贵了。" * 40, "不"], padding=30)
def test_alone_in_any_batch_at_any_padding_a_text_has_the_same_bits(
    model: Model, texts: list[str], padding: int
) -> None:
    encodings = model.tokenizer.encode(texts)
    alone = np.vstack([model.infer([encoding]) for encoding in encodings])
    longest = max(map(len, encodings))
    filler = Encoding([101] + [671] * (longest + padding - 2) + [102], [0] * (longest + padding), False)
    assert np.array_equal(model.infer(encodings), alone)
    assert np.array_equal(model.infer([filler, *encodings[::-1]])[:0:-1], alone)


def test_side_by_side_a_text_has_the_same_bits(model: Model) -> None:
    encodings = model.tokenizer.encode([f"房间很干净，但是太贵了{'，服务态度好' * n}" for n in range(0, 40, 2)])
    alone = [model.infer([encoding]) for encoding in encodings]
    wrong: list[int] = []

    def run(offset: int) -> None:
        for n in range(len(encodings)):
            i = (n + offset) % len(encodings)
            if not np.array_equal(model.infer([encodings[i]]), alone[i]):
                wrong.append(i)

    threads = [threading.Thread(target=run, args=(7 * k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_encoders_rows_are_pooled_vectors(tiny_models: Path) -> None:
    model = Model.load(tiny_models / "similarity")
    encodings = model.tokenize([("很好",), ("很长的一句话" * 9,)])
    (alone,), (beside, _) = model.infer(encodings[:1]), model.infer(encodings)
    assert alone.shape == (model.width,) == (8,)
    assert np.array_equal(alone, beside)


@pytest.mark.parametrize("facts", [{"labels": ["one", "two"]}, {"kind": "encoder", "pooling": "cls", "dimensions": 9}])
def test_a_graph_of_another_width_than_the_manifest_says_is_refused(tmp_path: Path, facts: dict) -> None:
    make_cross(tmp_path / "wrong", "rerank", table(1))
    manifest = read_manifest(tmp_path / "wrong").model_copy(update=facts)
    with pytest.raises(InvalidModel, match=r"model\.onnx gives \[1, 1\] for one input"):
        Model.load(tmp_path / "wrong", manifest)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 20), st.integers(0, 2**32))
def test_neither_padding_nor_neighbours_change_a_bit(lengths: list[int], padding: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    output = rng.normal(size=(len(lengths), max(lengths) + padding, 5)).astype(np.float32)
    together = pool(output, lengths, "mean")
    alone = [pool(output[i : i + 1, :length], [length], "mean")[0] for i, length in enumerate(lengths)]
    assert together.dtype == np.float32
    assert together.tobytes() == np.array(alone).tobytes()


def test_mean_and_cls_of_known_vectors() -> None:
    output = np.array([[[1, 2], [3, 6], [100, 100]]], np.float32)
    assert pool(output, [2], "mean").tolist() == [[2, 4]]
    assert pool(output, [2], "cls").tolist() == [[1, 2]]
    assert pool(output[:, 0], [2], "mean").tolist() == [[1, 2]]  # the graph has pooled already


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_unit_length(scale: float) -> None:
    assert np.linalg.norm(unit_length(np.array([3, 4, 12], np.float32) * np.float32(scale))) == pytest.approx(1)


def test_zeros_have_no_direction() -> None:
    assert unit_length(np.zeros(3, np.float32)).tolist() == [0, 0, 0]
