# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""siamese-uninlu from its checkpoint to a score of the server."""

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

from export.__main__ import main
from export.checkpoint import load_checkpoint
from export.encoding import encode
from export.reference import load_reference
from structbert_lite.engine import Engine
from structbert_lite.evaluate.onnx_process import load_model
from structbert_lite.manifest import MODEL_NAME, read_manifest
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings
from structbert_lite.tasks.scores import sigmoid

PAIRS = [("怎么退款", "如何申请退款"), ("好", "好"), ("a{b}&|", "{a}b"), ("电话" * 90, "手机很好")]


@pytest.fixture(scope="module")
def exported(tmp_path_factory, shared_span_checkpoint):
    out = tmp_path_factory.mktemp("models") / "similarity"
    options = ("--checkpoint", shared_span_checkpoint, "--out", out, "--min-agreement", 0.5)
    result = CliRunner().invoke(main, ["--task", "similarity", *map(str, options)])
    assert result.exit_code == 0, result.output
    return out, result.stdout


def test_manifest_and_card(exported):
    out, said = exported
    manifest = read_manifest(out)
    assert (manifest.kind, manifest.tasks, manifest.labels) == (
        "cross-encoder",
        ("similarity",),
        ("different", "similar"),
    )
    assert manifest.pair_template.fill("A", "B") == ("相似,不相似|A&B", "文本匹配: ")
    assert manifest.checks["parity_max_difference"] <= 1e-4
    assert manifest.checks["int8"]["batch_max_difference"] == 0.0
    assert manifest.max_tokens == 96
    assert manifest.quantization["linear_layers"] == 8 * 6
    assert "prefix plm." in said
    card = (out / "README.md").read_text("utf-8")
    assert r"`相似,不相似\|{a}&{b}`" in card


def test_the_last_layer_is_for_the_answers_alone(exported):
    graph = onnx.load(exported[0] / "model.onnx").graph
    (tokens,) = {
        onnx.numpy_helper.to_array(tensor).item()
        for node in graph.node
        if node.op_type == "Slice" and node.output[0].endswith("/cls")
        for tensor in graph.initializer
        if tensor.name == node.input[2]
    }
    assert tokens == 7


def test_the_server_scores_as_pytorch_does(exported, shared_span_checkpoint, asking):
    reference = load_checkpoint(shared_span_checkpoint, "similarity").reference
    engine = Engine(Settings(models=exported[0].parent))
    results = engine.predict("similarity", PAIRS, RequestContext.within(60))
    back = engine.predict("similarity", [(b, a) for a, b in PAIRS], RequestContext.within(60))
    engine.close()
    assert [r.score for r in results] == [r.score for r in back]
    assert [r.truncated for r in results] == [False, False, False, True]
    for (a, b), result in zip(PAIRS, results, strict=True):
        inputs = {name: torch.from_numpy(array) for name, array in encode(asking, [(a, b), (b, a)]).items()}
        with torch.inference_mode():
            logits = reference(**inputs).logits.numpy()
        expected = 1 / (1 + np.exp(-(logits[:, 1] - logits[:, 0]).mean()))
        assert result.score == pytest.approx(expected, abs=0.05)  # what is left is int8


def test_studies_ask_the_same_question(exported, shared_span_checkpoint, asking):
    """`evaluate batch-size` runs the file alone; `evaluate quality --reference` asks PyTorch with filled templates."""
    out = exported[0]
    _, run = load_model(out, out / MODEL_NAME)
    engine = Engine(Settings(models=out.parent))
    scores = [r.score for r in engine.predict("similarity", PAIRS, RequestContext.within(60))]
    engine.close()
    assert [sigmoid(logit) for logit in run(PAIRS)[:, 0]] == pytest.approx(scores, abs=1e-6)

    facts, ask = load_reference(str(shared_span_checkpoint), 1, "similarity", "different,similar", None, 96)
    assert facts["labels"] == ("different", "similar")
    template = read_manifest(out).pair_template
    inputs = {name: torch.from_numpy(array) for name, array in encode(asking, PAIRS[:3]).items()}
    with torch.inference_mode():
        expected = load_checkpoint(shared_span_checkpoint, "similarity").reference(**inputs).logits.numpy()
    np.testing.assert_allclose(ask([list(template.fill(*pair)) for pair in PAIRS[:3]]), expected, atol=1e-6)
