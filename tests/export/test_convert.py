# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""What a graph must not hold, and graphs whose weights lie in a file of their own."""

import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

import onnx
from onnx import helper
from onnx.external_data_helper import uses_external_data

from export import onnx_file
from export.calibrate import calibrate
from export.convert import check_graph, convert
from export.encoding import encode
from export.last_layer import keep_first_token
from export.onnx_file import load_graph
from export.quantize import quantize
from export.refusal import ExportRefused
from export.session import open_session, run
from export.texts import PARITY_TEXTS
from tests.export.make_checkpoint import make_model


def test_a_model_in_training_mode(tmp_path):
    with pytest.raises(ExportRefused, match="in training mode, in which its numbers depend on the batch"):
        convert(make_model().train(), tmp_path)


@pytest.mark.parametrize(
    ("op", "attributes"),
    [("BatchNormalization", {}), ("BatchNormalization", {"training_mode": 1}), ("Dropout", {})],
)
def test_a_graph_for_training(float32, tmp_path, op, attributes):
    model = onnx.load(float32)
    model.graph.node.append(helper.make_node(op, ["logits"], ["unused"], name="left", **attributes))
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ExportRefused, match=rf"holds {op} \(left\), so it is one for training or not folded"):
        check_graph(tmp_path / "model.onnx")


@pytest.fixture(scope="module")
def external(tmp_path_factory):
    """The reference model as float32 ONNX whose large weights are in a second file, as they are beyond 2 GB."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORCE_ONNX_EXTERNAL_DATA", "1")  # optimum's own switch
        return convert(make_model(), tmp_path_factory.mktemp("external"))


def test_weights_stay_in_their_file_all_the_way(external, float32, tokenizer, tmp_path):
    graph = load_graph(external)
    assert sum(uses_external_data(tensor) for tensor in graph.graph.initializer) > 5
    assert external.stat().st_size < float32.stat().st_size / 3
    made = {}
    for name, whole in (("inline", float32), ("external", external)):
        folder = shutil.copytree(whole.parent, tmp_path / name)
        graph = load_graph(folder / "model.onnx")
        assert keep_first_token(graph)
        onnx.save(graph, folder / "cut.onnx")
        feeds = (encode(tokenizer, [text]) for text in PARITY_TEXTS)
        calibrations = calibrate(folder / "model.onnx", feeds)
        made[name] = tmp_path / f"{name}.onnx"
        quantize(folder / "cut.onnx", made[name], calibrations)
        assert (folder / "cut.onnx").stat().st_size < 2 * whole.stat().st_size
    logits = [run(open_session(path), tokenizer, PARITY_TEXTS) for path in made.values()]
    assert np.array_equal(*logits)
    assert not any(uses_external_data(tensor) for tensor in load_graph(made["external"]).graph.initializer)


def test_an_int8_graph_that_is_too_large_gets_a_file_of_its_own(float32, tokenizer, tmp_path, monkeypatch):
    quantize(float32, tmp_path / "model.onnx", {})
    expected = run(open_session(tmp_path / "model.onnx"), tokenizer, PARITY_TEXTS[:3])
    (tmp_path / "model.onnx").unlink()
    monkeypatch.setattr(onnx_file, "LARGEST", 10_000)
    quantize(float32, tmp_path / "model.onnx", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "model.onnx.data"]
    assert np.array_equal(run(open_session(tmp_path / "model.onnx"), tokenizer, PARITY_TEXTS[:3]), expected)
