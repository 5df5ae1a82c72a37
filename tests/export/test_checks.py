# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""The checks pass a true export and stop a false one."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

import onnx

from export.checks import PARITY_BOUND, check_int8, check_parity
from export.convert import check_graph
from export.quantize import quantize
from export.refusal import ExportRefused
from export.session import open_session, run
from export.texts import DEFAULT_TEXTS, read_texts
from tests.export.make_checkpoint import make_model

TEXTS = read_texts(DEFAULT_TEXTS)


@pytest.fixture(scope="module")
def int8(float32, tmp_path_factory):
    path = tmp_path_factory.mktemp("int8") / "model.onnx"
    quantize(float32, path, {})
    return path


def test_the_true_model_passes(model, float32, tokenizer):
    assert 0 <= check_parity(model, float32, tokenizer) <= PARITY_BOUND


def test_another_model_does_not(float32, tokenizer):
    with pytest.raises(ExportRefused, match=r"differs from PyTorch by .* in a logit"):
        check_parity(make_model(seed=1), float32, tokenizer)


def test_a_model_in_training_mode_is_no_reference(model, float32, tokenizer):
    assert not model.training


def test_int8_facts(float32, int8, tokenizer):
    facts = check_int8(float32, int8, tokenizer, TEXTS, 0.9)
    sessions = open_session(float32), open_session(int8)
    logits = [np.concatenate([run(session, tokenizer, [text]) for text in TEXTS]) for session in sessions]
    difference = np.abs(logits[0] - logits[1])
    assert facts["texts"] == len(TEXTS) == 108
    assert facts["label_agreement"] == np.mean(logits[0].argmax(1) == logits[1].argmax(1))
    assert facts["max_logit_difference"] == pytest.approx(difference.max())
    assert facts["mean_logit_difference"] == pytest.approx(difference.mean())
    assert facts["batch_max_difference"] == 0.0  # what our scales are for
    assert facts["min_agreement"] == 0.9


def test_int8_with_other_labels_is_refused(model, float32, tokenizer, tmp_path):
    """One weight of 1e6 leaves no step for its column's others; its input here is 0, so float32 does not mind."""
    graph = onnx.load(float32)
    tables = {tensor.name: tensor for tensor in graph.graph.initializer}
    values = {name: onnx.numpy_helper.to_array(tensor).copy() for name, tensor in tables.items()}
    values["bert.embeddings.LayerNorm.weight"][0] = 0  # every LayerNorm's: the exporter merges equal tensors
    values["bert.pooler.dense.weight"][:, 0] = 1e6
    for name, value in values.items():
        tables[name].CopyFrom(onnx.numpy_helper.from_array(value, name))
    onnx.save(graph, tmp_path / "float32.onnx")
    session = open_session(tmp_path / "float32.onnx")
    logits = np.concatenate([run(session, tokenizer, [text]) for text in TEXTS])
    bias = values["classifier.bias"] - np.array([0, np.median(logits[:, 1] - logits[:, 0])], np.float32)
    tables["classifier.bias"].CopyFrom(onnx.numpy_helper.from_array(bias.astype(np.float32), "classifier.bias"))
    onnx.save(graph, tmp_path / "float32.onnx")
    quantize(tmp_path / "float32.onnx", tmp_path / "int8.onnx", {})
    with pytest.raises(ExportRefused, match=r"label for 50\.0% of 108 texts, the bound is 98\.0%"):
        check_int8(tmp_path / "float32.onnx", tmp_path / "int8.onnx", tokenizer, TEXTS, 0.98)


def test_graph_has_free_axes_and_our_names(float32, tmp_path):
    check_graph(float32)
    graph = onnx.load(float32)
    graph.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 128
    onnx.save(graph, tmp_path / "fixed.onnx")
    with pytest.raises(ExportRefused, match="fixed size in input_ids"):
        check_graph(tmp_path / "fixed.onnx")
    del graph.graph.input[2]
    onnx.save(graph, tmp_path / "two.onnx")
    with pytest.raises(ExportRefused, match=r"takes .*not"):
        check_graph(tmp_path / "two.onnx")
