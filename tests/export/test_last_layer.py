"""The last layer for [CLS] alone gives what the whole layer gives, with less work."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

import onnx
from onnx import TensorProto, helper, numpy_helper

from export.encoding import encode
from export.last_layer import TOKENS, keep_first_token
from export.session import open_session, run
from export.texts import PARITY_TEXTS

LAST = "/bert/encoder/layer.1"


@pytest.fixture
def cut(float32, tmp_path):
    model = onnx.load(float32)
    assert keep_first_token(model)
    onnx.save(model, tmp_path / "cut.onnx")
    return tmp_path / "cut.onnx"


@pytest.mark.parametrize("size", [1, 4, len(PARITY_TEXTS)])
def test_the_logits_are_the_same(float32, cut, tokenizer, size):
    whole, short = open_session(float32), open_session(cut)
    for start in range(0, len(PARITY_TEXTS), size):
        texts = PARITY_TEXTS[start : start + size]
        np.testing.assert_allclose(run(short, tokenizer, texts), run(whole, tokenizer, texts), atol=1e-6)


def test_keys_and_values_see_every_token_the_rest_of_the_layer_two(cut, tokenizer, tmp_path):
    model = onnx.load(cut)
    products = [node.output[0] for node in model.graph.node if node.op_type == "MatMul" and LAST in node.name]
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in products)
    onnx.save(model, tmp_path / "watched.onnx")
    session = open_session(tmp_path / "watched.onnx")
    feed = encode(tokenizer, PARITY_TEXTS[:3])
    tokens = feed["input_ids"].shape[1]
    shapes = {
        name.removeprefix(LAST): value.shape for name, value in zip(products, session.run(products, feed), strict=True)
    }
    for part in ("/attention/self/key", "/attention/self/value"):
        assert shapes[f"{part}/MatMul_output_0"][:2] == (3, tokens)
    for part in ("/attention/self/query", "/attention/output/dense", "/intermediate/dense", "/output/dense"):
        assert shapes[f"{part}/MatMul_output_0/cls"][:2] == (3, TOKENS)
    assert len(shapes) == 8  # with the two of the attention: none is computed twice


def test_a_classifier_of_another_token_stays_whole(float32):
    model = onnx.load(float32)
    (gather,) = [node for node in model.graph.node if node.op_type == "Gather" and "pooler" in node.name]
    model.graph.initializer.append(numpy_helper.from_array(np.array(1), "second"))
    gather.input[1] = "second"
    before = model.SerializeToString(deterministic=True)
    assert not keep_first_token(model)
    assert model.SerializeToString(deterministic=True) == before
