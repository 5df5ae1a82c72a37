# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""Each task from a checkpoint to a model folder; what the server will compute from it is PyTorch's, less int8."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

from safetensors.torch import load_file, save_file

from export.checkpoint import load_checkpoint
from export.encoding import encode, load_tokenizer
from export.matcher import FoldedMatcher
from export.refusal import ExportRefused
from export.run import Export, run_export
from export.session import open_session, run, run_vectors
from export.source import Source
from structbert_lite.manifest import Manifest, check_files, read_manifest
from structbert_lite.registry import open_pipeline
from structbert_lite.request_context import RequestContext
from tests.export.make_checkpoint import make_model, write_hugging_face, write_modelscope
from tests.export.make_pairs_checkpoint import (
    OURS,
    make_batch_norm,
    make_encoder,
    make_head,
    make_unigram,
    make_xlm_roberta,
    write_encoder,
    write_pairs,
    write_xlm_roberta,
)

TEXTS = [
    "手机屏幕怎么换",
    "如何更换手机屏幕？",
    "明天北京会下雨吗",
    "好",
    "房间很干净，早餐也不错，下次还会再来。",
    "退货运费谁出",
]
PAIRS = [(TEXTS[0], TEXTS[1]), (TEXTS[2], TEXTS[3]), (TEXTS[4], TEXTS[5])]


@pytest.fixture(scope="module")
def texts(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "texts.txt"
    path.write_text("\n".join(TEXTS), "utf-8")
    return path


@pytest.fixture(scope="module")
def words(tokenizer) -> str:
    """The text of a BERT tokenizer.json."""
    return tokenizer.to_str()


def make(folder: Path, texts: Path, task: str, **options: object) -> tuple[Path, Manifest]:
    out = run_export(Export(Source(folder, folder.name), folder.parent / "out", texts, task, 0.0, **options))
    manifest = read_manifest(out)
    check_files(out, manifest)
    return out, manifest


def open_model(out: Path, manifest: Manifest):
    """(session, tokenizer) on the exported folder."""
    tokenizer = load_tokenizer(out / "tokenizer.json", manifest.max_tokens, manifest.pad_id)
    return open_session(out / "model.onnx"), tokenizer


def read_matcher(out: Path, manifest: Manifest) -> FoldedMatcher:
    with np.load(out / "matcher.npz", allow_pickle=False) as arrays:
        weight, bias = arrays["weight"], float(arrays["bias"])
    return FoldedMatcher(weight, bias, manifest.matcher.features, manifest.matcher.normalize)


def torch_mean(encoder, inputs: dict[str, np.ndarray]) -> torch.Tensor:
    tensors = {name: torch.from_numpy(value) for name, value in inputs.items()}
    tokens, mask = encoder(**tensors).last_hidden_state, tensors["attention_mask"][..., None]
    return (tokens * mask).sum(1) / mask.sum(1)


@pytest.fixture(scope="module")
def siamese(tmp_path_factory, texts, words) -> tuple[Path, Path, Manifest]:
    """(checkpoint, model folder, manifest) in our own layout."""
    folder = write_encoder(tmp_path_factory.mktemp("ours") / "trained", make_encoder(), words, make_head(2), OURS)
    return folder, *make(folder, texts, "similarity")


@pytest.fixture(scope="module")
def article(tmp_path_factory, texts, words) -> tuple[Path, Path, Manifest]:
    """The same with BatchNorm, and nothing said in config.json."""
    head = make_head(2) | make_batch_norm("bn1") | make_batch_norm("bn2")
    folder = write_encoder(tmp_path_factory.mktemp("article") / "trained", make_encoder(), words, head)
    return folder, *make(folder, texts, "similarity")


@pytest.mark.parametrize("layout", ["siamese", "article"])
def test_similarity_of_two_vectors(request, layout):
    folder, out, manifest = request.getfixturevalue(layout)
    assert sorted(os.listdir(out)) == ["README.md", "manifest.json", "matcher.npz", "model.onnx", "tokenizer.json"]
    assert (manifest.kind, manifest.tasks, manifest.pooling) == ("encoder", ("similarity", "embedding"), "mean")
    assert (manifest.dimensions, manifest.labels, manifest.max_tokens) == (32, (), 64)
    assert (manifest.thresholds.low, manifest.thresholds.high) == (0.3, 0.7)
    assert manifest.checks["calibration"] == {"source": "none"}
    assert manifest.checks["matcher_max_difference"] < 1e-4
    assert manifest.checks["int8"]["batch_max_difference"] == 0.0
    session, tokenizer = open_model(out, manifest)
    assert [node.name for node in session.get_outputs()] == ["token_vectors"]
    assert run(session, tokenizer, TEXTS).shape[::2] == (6, 32)
    sides = [list(side) for side in zip(*PAIRS, strict=True)]
    checkpoint = load_checkpoint(folder, "similarity")
    with torch.inference_mode():
        u, v = (torch_mean(checkpoint.model, encode(tokenizer, side)) for side in sides)
        expected = checkpoint.siamese(u, v).numpy()
    vectors = [run_vectors(session, tokenizer, side) for side in sides]
    np.testing.assert_allclose(vectors[0], u, atol=0.2)
    assert np.abs(read_matcher(out, manifest).logits(*vectors) - expected).max() < 0.5
    card = (out / "README.md").read_text("utf-8")
    assert "not fitted to any pairs, so a score is no probability" in card
    assert "pipeline_tag: sentence-similarity" in card


def test_similarity_is_calibrated_on_pairs(siamese, texts, tmp_path):
    folder, out, manifest = siamese
    matcher, (session, tokenizer) = read_matcher(out, manifest), open_model(out, manifest)
    pairs = [(TEXTS[i % 6] + "啊" * (i // 6), TEXTS[(i + 1) % 6]) for i in range(24)]
    sides = [list(side) for side in zip(*pairs, strict=True)]
    logits = matcher.logits(*(run_vectors(session, tokenizer, side) for side in sides))
    labels = (logits > np.median(logits)).astype(int)
    file = write_pairs(tmp_path / "pairs.tsv", [(a, b, label) for (a, b), label in zip(pairs, labels, strict=True)])
    shutil.copytree(folder, tmp_path / "trained")
    out, manifest = make(tmp_path / "trained", texts, "similarity", calibration=file)
    scores = 1 / (1 + np.exp(-(manifest.calibration.scale * logits + manifest.calibration.bias)))
    assert manifest.calibration.scale > 0
    assert labels[scores >= manifest.thresholds.high - 1e-6].mean() >= 0.9
    assert labels[scores < manifest.thresholds.low - 1e-6].mean() <= 0.1
    assert manifest.checks["calibration"]["pairs"] == 24
    assert "fitted to 24 labelled pairs, 12 of them positive" in (out / "README.md").read_text("utf-8")


def test_embedding_of_the_first_token(tmp_path, texts, words):
    encoder = make_encoder().eval()
    folder = write_encoder(tmp_path / "trained", encoder, words)
    out, manifest = make(folder, texts, "embedding", pooling="cls")
    assert (manifest.kind, manifest.tasks, manifest.pooling, manifest.matcher) == (
        "encoder",
        ("embedding",),
        "cls",
        None,
    )
    session, tokenizer = open_model(out, manifest)
    assert [node.name for node in session.get_outputs()] == ["vector"]
    inputs = {name: torch.from_numpy(value) for name, value in encode(tokenizer, TEXTS).items()}
    with torch.inference_mode():
        expected = encoder(**inputs).last_hidden_state[:, 0].numpy()
    found = run(session, tokenizer, TEXTS)
    cosines = (found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
    assert cosines.min() > 0.99
    assert manifest.checks["int8"]["batch_max_difference"] == 0.0


@pytest.mark.parametrize(("task", "labels"), [("zero-shot", 3), ("rerank", 1), ("similarity", 2)])
def test_cross_encoders(tmp_path, texts, words, task, labels):
    reference = make_model(labels=labels)
    folder = write_hugging_face(tmp_path / "trained", reference, words)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    names = {3: ["contradiction", "entailment", "neutral"], 2: ["不相似", "相似"], 1: ["LABEL_0"]}[labels]
    config |= {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    out, manifest = make(folder, texts, task)
    expected_labels = {"zero-shot": tuple(names), "similarity": ("different", "similar"), "rerank": ()}[task]
    assert (manifest.kind, manifest.labels, manifest.dimensions) == ("cross-encoder", expected_labels, None)
    assert (manifest.thresholds is not None) == (task == "similarity")
    assert manifest.checks["int8"]["pairs"] == len(TEXTS)
    assert manifest.checks["int8"]["batch_max_difference"] == 0.0
    session, tokenizer = open_model(out, manifest)
    inputs = {name: torch.from_numpy(value) for name, value in encode(tokenizer, PAIRS).items()}
    assert inputs["token_type_ids"].max() == 1
    with torch.inference_mode():
        expected = reference(**inputs).logits.numpy()
    np.testing.assert_allclose(run(session, tokenizer, PAIRS), expected, atol=0.2)


def test_xlm_roberta_reranker_in_shards(tmp_path, texts):
    reference = make_xlm_roberta()
    folder = write_xlm_roberta(tmp_path / "bge", reference, make_unigram(), "100KB")
    out, manifest = make(folder, texts, "rerank")
    # 66 rows of the position table less the two before the first position.
    assert (manifest.max_tokens, manifest.pad_id, manifest.inputs) == (64, 1, ("input_ids", "attention_mask"))
    session, tokenizer = open_model(out, manifest)
    inputs = encode(tokenizer, PAIRS, manifest.inputs)
    assert inputs["input_ids"][0, 0] == 0
    assert (inputs["input_ids"][0] == 2).sum() == 3  # A </s></s> B </s>
    with torch.inference_mode():
        expected = reference(**{name: torch.from_numpy(value) for name, value in inputs.items()}).logits.numpy()
    np.testing.assert_allclose(run(session, tokenizer, PAIRS), expected, atol=0.2)
    assert manifest.checks["int8"]["batch_max_difference"] == 0.0
    assert "`<s>` and `</s>` included" in (out / "README.md").read_text("utf-8")
    with pytest.raises(ExportRefused, match="--max-tokens 65 is more than the checkpoint can read, which is 64"):
        make(folder, texts, "rerank", max_tokens=65, replace=True)


def test_calibration_is_for_similarity(tmp_path, texts, vocabulary, model):
    folder = write_modelscope(tmp_path / "trained", model, vocabulary)
    with pytest.raises(ExportRefused, match="--calibration is for similarity; --task sentiment has no score"):
        make(folder, texts, "sentiment", calibration=texts)


OWN = ("物流，快递", "质量", "价格")


def write_three(folder: Path, words: str, **config: object) -> Path:
    """A classifier of three labels of its own; `config`: what else config.json says."""
    write_hugging_face(folder, make_model(labels=3), words)
    path = folder / "config.json"
    said = json.loads(path.read_text("utf-8")) | {"id2label": dict(enumerate(OWN)), "label2id": None, **config}
    path.write_text(json.dumps(said), "utf-8")
    return folder


def test_labels_of_which_any_number_may_fit_are_served_each_by_itself(tmp_path, texts, words):
    folder = write_three(tmp_path / "trained", words, problem_type="multi_label_classification")
    out, manifest = make(folder, texts, "sentiment", labels=OWN)
    assert (manifest.labels, manifest.multi_label) == (OWN, True)
    assert 0 < manifest.checks["int8"]["label_agreement"] <= 1
    assert "any number of them may fit, each with the sigmoid of its logit" in (out / "README.md").read_text("utf-8")
    session, tokenizer = open_model(out, manifest)
    logits = run(session, tokenizer, TEXTS)
    with open_pipeline("sentiment", out) as pipeline:
        results = pipeline.predict(TEXTS, RequestContext())
    found = np.array([[result.probabilities[label] for label in OWN] for result in results])
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), atol=2e-6)
    assert [result.label for result in results] == [OWN[i] for i in logits.argmax(1)]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_as_the_numbers_that_it_holds(tmp_path, texts, words, dtype):
    reference = make_model(labels=3).to(dtype).to(torch.float32)
    folder = write_three(tmp_path / "trained", words)
    make_model(labels=3).to(dtype).save_pretrained(tmp_path / "half")
    shutil.copy(tmp_path / "half" / "model.safetensors", folder / "model.safetensors")
    loaded = load_checkpoint(folder, "sentiment", OWN)
    for key, value in loaded.model.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, reference.state_dict()[key])
    encoder = write_encoder(tmp_path / "siamese", make_encoder(), words, make_head(2), OURS)
    tensors = load_file(encoder / "model.safetensors")
    save_file({key: value.to(dtype) for key, value in tensors.items()}, encoder / "model.safetensors")
    _, manifest = make(encoder, texts, "similarity")
    assert manifest.checks["matcher_max_difference"] < 1e-4


@pytest.mark.parametrize(
    ("task", "limit", "cause"),
    [
        ("sentiment", 2, "2 tokens leave no room for a text beside 2 special ones"),
        ("similarity", 4, "4 tokens leave no room for two texts beside 3 special ones"),
    ],
)
def test_a_limit_without_room(tmp_path, texts, words, task, limit, cause):
    folder = write_hugging_face(tmp_path / "trained", make_model(), words)
    (folder / "config.json").write_text(
        json.dumps(json.loads((folder / "config.json").read_text("utf-8")) | {"id2label": None, "label2id": None}),
        "utf-8",
    )
    with pytest.raises(ExportRefused, match=cause):
        make(folder, texts, task, max_tokens=limit)
