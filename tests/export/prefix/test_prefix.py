# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""A text read once for its labels: what the exported graph computes is what PyTorch computes under that mask."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

import onnx

from export.onnx_file import load_graph
from export.prefix.graph import add_prefix
from export.prefix.packed import logits_of_labels, pack
from export.refusal import ExportRefused
from export.run import Export, run_export
from export.source import Source
from structbert_lite.errors import InvalidModel
from structbert_lite.inference.model import Model
from structbert_lite.manifest import MANIFEST_NAME, read_manifest
from tests.export.make_checkpoint import make_model, write_hugging_face
from tests.export.make_pairs_checkpoint import make_unigram, make_xlm_roberta, write_xlm_roberta

TEXT = "房间很干净，早餐也不错，下次还会再来。"
LABELS = ["酒店", "手机屏幕怎么换", "好", "退货运费谁出的问题"]
NAMES = ["entailment", "neutral", "contradiction"]


def write(folder: Path, tokenizer: str, **config: object) -> Path:
    write_hugging_face(folder, make_model(labels=3, layers=3), tokenizer)
    path = folder / "config.json"
    names = {"id2label": dict(enumerate(NAMES)), "label2id": {name: i for i, name in enumerate(NAMES)}}
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | names | config), "utf-8")
    return folder


def export(folder: Path, task: str = "zero-shot") -> Path:
    texts = folder.parent / "texts.txt"
    texts.write_text("\n".join([TEXT, *LABELS]), "utf-8")
    return run_export(Export(Source(folder, folder.name), folder.parent / f"out-{folder.name}", texts, task, 0.0))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, tokenizer) -> dict[str, Path]:
    """The same random checkpoint, exported to read a text once and as ever."""
    place = tmp_path_factory.mktemp("prefix")
    once = write(place / "once", tokenizer.to_str(), prefix_attention=True)
    return {"once": export(once), "usual": export(write(place / "usual", tokenizer.to_str())), "checkpoint": once}


@pytest.fixture(scope="module")
def served(folders: dict[str, Path]) -> Model:
    return Model.load(folders["once"])


def test_the_manifest_tells_and_records_the_proof(folders):
    manifest = read_manifest(folders["once"])
    assert manifest.prefix
    assert manifest.checks["prefix_max_difference"] < manifest.checks["parity_bound"]
    assert manifest.checks["prefix_int8"]["texts"] == 5
    assert not read_manifest(folders["usual"]).prefix


def test_labels_behind_a_text_are_pytorchs(folders, served):
    reference = make_model(labels=3, layers=3)
    encodings = served.tokenize([(TEXT, label) for label in LABELS], read_once=True)
    (prefix,) = {encoding.prefix for encoding in encodings}
    with torch.inference_mode():
        expected = logits_of_labels(reference, [pack(prefix, [encoding.ids for encoding in encodings])]).numpy()
    found = served.infer(encodings)
    np.testing.assert_allclose(found, expected, atol=0.2)
    assert np.abs(found - served.infer(served.tokenize([(TEXT, label) for label in LABELS]))).max() > 0.01


def test_a_pair_read_as_ever_has_the_bits_of_the_graph_without_a_prefix(folders, served):
    usual = Model.load(folders["usual"])
    encodings = served.tokenize([(TEXT, label) for label in LABELS])
    assert served.infer(encodings).tobytes() == usual.infer(encodings).tobytes()


def test_a_label_has_the_same_bits_alone_and_beside_others(served):
    encodings = served.tokenize([(TEXT, label) for label in LABELS], read_once=True)
    alone = [served.infer([encoding])[0].tobytes() for encoding in encodings]
    for batch in (encodings, encodings[::-1], encodings[1:3]):
        rows = {id(encoding): row.tobytes() for encoding, row in zip(batch, served.infer(batch), strict=True)}
        assert [rows[id(encoding)] for encoding in batch] == [alone[encodings.index(encoding)] for encoding in batch]


def test_a_graph_that_does_not_do_what_its_manifest_says_is_refused(folders, tmp_path):
    for name, lie in (("once", False), ("usual", True)):
        folder = shutil.copytree(folders[name], tmp_path / name)
        manifest = json.loads((folder / MANIFEST_NAME).read_text("utf-8"))
        (folder / MANIFEST_NAME).write_text(json.dumps(manifest | {"prefix": lie}), "utf-8")
        with pytest.raises(InvalidModel, match="prefix"):
            Model.load(folder)


def test_what_cannot_read_a_text_once_is_refused(tmp_path, tokenizer):
    with pytest.raises(ExportRefused, match="no usable prefix_attention: maybe"):
        export(write(tmp_path / "word", tokenizer.to_str(), prefix_attention="maybe"))
    folder = write_xlm_roberta(tmp_path / "bge", make_xlm_roberta(), make_unigram(), "100KB")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"prefix_attention": True}), "utf-8")
    with pytest.raises(ExportRefused, match="prefix_attention, which is for BERT that reads pairs"):
        export(folder, "rerank")


def test_another_graph_is_refused(float32: Path):
    model = load_graph(float32)
    for node in model.graph.node:
        if node.op_type == "Softmax":
            node.op_type = "LogSoftmax"
    with pytest.raises(ValueError, match="no attention"):
        add_prefix(model, 4, 8)
    model = load_graph(float32)
    softmax = next(node for node in model.graph.node if node.op_type == "Softmax")
    model.graph.output.append(onnx.helper.make_tensor_value_info(softmax.input[0], 1, None))
    for node in model.graph.node:
        if node.output[0] == softmax.input[0]:
            node.op_type = "Sub"
    with pytest.raises(ValueError, match="does not come from Add"):
        add_prefix(model, 4, 8)
