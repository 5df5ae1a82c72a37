"""Static scales behind LayerNormalization, scales per token elsewhere."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

import onnx
from onnx.external_data_helper import uses_external_data

from export.calibrate import Calibration, calibrate
from export.encoding import encode
from export.onnx_file import load_graph
from export.quantize import ACTIVATION_LEVELS, MARGIN, choose_steps, quantize
from export.session import open_session, run
from export.texts import DEFAULT_TEXTS, PARITY_TEXTS, read_texts

TEXTS = read_texts(DEFAULT_TEXTS)


def _calibrated(path, tokenizer):
    return calibrate(path, (encode(tokenizer, [text]) for text in TEXTS[::2]))


def test_the_bias_goes_into_the_static_product(float32, tokenizer, tmp_path):
    facts = quantize(float32, tmp_path / "int8.onnx", _calibrated(float32, tokenizer))
    assert facts["static_layers"] == 8  # queries, keys, values and the first of the feed-forward part, in two layers
    graph = onnx.load(tmp_path / "int8.onnx").graph
    products = [node for node in graph.node if node.op_type == "MatMulIntegerToFloat"]
    assert sum(len(node.input) == 7 for node in products) == 8
    assert len(products) == 13  # two layers of six, and the pooler


def test_a_text_has_the_same_bits_in_every_batch(float32, tokenizer, tmp_path):
    quantize(float32, tmp_path / "int8.onnx", _calibrated(float32, tokenizer))
    session = open_session(tmp_path / "int8.onnx")
    alone = np.concatenate([run(session, tokenizer, [text]) for text in PARITY_TEXTS])
    assert run(session, tokenizer, PARITY_TEXTS).tobytes() == alone.tobytes()


def test_large_tables_lie_in_a_file_that_is_mapped(float32, tokenizer, tmp_path, monkeypatch):
    monkeypatch.setattr("export.quantize.LARGE_TABLE", 1000)
    assert quantize(float32, tmp_path / "int8.onnx", {})["int8_tables"] == 2  # words and positions
    assert sorted(path.name for path in tmp_path.iterdir()) == ["int8.onnx", "int8.onnx.tables"]
    outside = [t for t in load_graph(tmp_path / "int8.onnx").graph.initializer if uses_external_data(t)]
    places = [int({e.key: e.value for e in t.external_data}["offset"]) for t in outside]
    assert len(places) == 2
    assert all(place % 4096 == 0 for place in places)
    found = run(open_session(tmp_path / "int8.onnx"), tokenizer, PARITY_TEXTS[:3])
    onnx.save(onnx.load(tmp_path / "int8.onnx"), tmp_path / "inside.onnx")
    assert np.array_equal(run(open_session(tmp_path / "inside.onnx"), tokenizer, PARITY_TEXTS[:3]), found)


def test_calibration_sees_the_largest_value_of_each_channel(float32, tokenizer):
    few, more = (calibrate(float32, [encode(tokenizer, [t]) for t in texts]) for texts in (TEXTS[:2], TEXTS[:9]))
    assert few.keys() == more.keys()
    for name, calibration in more.items():
        assert calibration.largest.shape == (32,)
        assert (calibration.largest >= few[name].largest).all()
        assert (np.abs(calibration.rows) <= calibration.largest).all()
    assert not float32.with_name("calibrate.onnx").exists()


def test_one_wide_channel_does_not_take_the_others_precision() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 16)).astype(np.float32) * np.array([10, *[1] * 15], np.float32)
    calibration = Calibration(np.abs(rows).max(axis=0), rows)
    weight = rng.normal(size=(16, 24)).astype(np.float32)
    weight[0] /= 10  # as in trained encoders, whose wide channels have small weights
    steps = choose_steps(calibration, weight)
    assert (calibration.largest * MARGIN <= steps * ACTIVATION_LEVELS * (1 + 1e-6)).all()
    per_token = np.abs(rows).max(axis=1, keepdims=True) / ACTIVATION_LEVELS
    errors = [np.square((np.rint(rows / s) * s - rows) @ weight).mean() for s in (steps, per_token)]
    assert errors[0] < errors[1] / 2
