"""Models of a few kilobytes for every task but sentiment, with real tokenizers, digests and manifests.

A graph looks each token up in a table. The numbers are sixteenths, so that float32 sums them exactly in any order.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from structbert_lite.manifest import MANIFEST_NAME, MATCHER_NAME, MODEL_NAME, TOKENIZER_NAME, file_sha256
from structbert_lite.settings import PROJECT

TOKENIZER = Path(__file__).parent / "data" / "wordpiece.json"  # of Chinese BERT, lower-casing
VOCABULARY = 21128
DIMENSIONS = 8
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
NLI = ("contradiction", "neutral", "entailment")
GOOD = "好"  # the reranking model's one relevant token
MOODS = {"好": "Positive", "坏": "Negative", "门": "Neutral"}  # the three-way sentiment model's tokens


def make_all(models: Path) -> Path:
    """`similarity` (Siamese, also embedding), `zero-shot`, `rerank` and a copy of the default sentiment model."""
    shutil.copytree(PROJECT / "models" / "sentiment", models / "sentiment")
    make_siamese(models / "similarity")
    make_cross(models / "zero-shot", "zero-shot", table(len(NLI)), labels=NLI)
    relevant = np.zeros((VOCABULARY, 1), np.float32)
    relevant[vocabulary()[GOOD]] = 1
    make_cross(models / "rerank", "rerank", relevant, max_tokens=64)
    return models


def make_siamese(folder: Path, features: tuple[str, ...] = ("u", "v", "abs_diff", "product"), **facts: object) -> None:
    """An encoder with token vectors for output, and a matcher."""
    folder.mkdir(parents=True)
    _save(folder, ["Gather", "Mask"], table(DIMENSIONS), ["batch", "tokens", DIMENSIONS])
    rng = np.random.default_rng(1)
    weight = rng.normal(size=(len(features), DIMENSIONS)).astype(np.float32)
    np.savez(folder / MATCHER_NAME, weight=weight, bias=np.float32(-0.25))
    defaults = {
        "kind": "encoder",
        "also_serves": ["embedding"],
        "pooling": "mean",
        "dimensions": DIMENSIONS,
        "matcher": {"features": features, "normalize": True},
        "calibration": {"scale": 1.5, "bias": 0.25},
        "thresholds": {"low": 0.4, "high": 0.7},
    }
    write_manifest(folder, "similarity", **(defaults | facts))


def make_cross(folder: Path, task: str, values: np.ndarray, **facts: object) -> None:
    """A cross-encoder: the sum of its tokens' rows of `values`, those of the second text twice over."""
    folder.mkdir(parents=True)
    _save(folder, ["Gather", "Mask", "Twice", "Sum"], values, ["batch", values.shape[1]])
    write_manifest(folder, task, **({"kind": "cross-encoder"} | facts))


def make_three_way(
    folder: Path, labels: tuple[str, ...] = ("Positive", "Neutral", "Negative"), **facts: object
) -> None:
    """A sentiment model that knows Neutral: a label's logit is the number of its token of MOODS in the text."""
    values = np.zeros((VOCABULARY, len(labels)), np.float32)
    for token, label in MOODS.items():
        values[vocabulary()[token], labels.index(label)] = 1
    make_cross(folder, "sentiment", values, kind="classifier", labels=labels, **facts)


def write_manifest(folder: Path, task: str, **facts: object) -> None:
    """A manifest with the digests of whatever lies in `folder`."""
    shutil.copy(TOKENIZER, folder / TOKENIZER_NAME)
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
        for path in sorted(folder.iterdir())
        if path.name != MANIFEST_NAME
    }
    manifest = {
        "name": folder.name,
        "task": task,
        "max_tokens": 128,
        "pad_id": 0,
        "inputs": INPUTS,
        "files": files,
        "source": {"checkpoint": "made for a test", "layout": "none", "weights_sha256": "0" * 64},
        "license": "none",
        "quantization": {},
        "checks": {},
        "tools": {},
    }
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest | facts), encoding="utf-8")


def table(width: int) -> np.ndarray:
    """float32 [VOCABULARY, width] of sixteenths between -1 and 1."""
    return np.random.default_rng(width).integers(-16, 17, (VOCABULARY, width)).astype(np.float32) / 16


def vocabulary() -> dict[str, int]:
    return json.loads(TOKENIZER.read_text(encoding="utf-8"))["model"]["vocab"]


def _save(folder: Path, steps: list[str], values: np.ndarray, shape: list) -> None:
    """A graph of `steps`, each of which takes what the one before gave."""
    nodes = {
        "Gather": [helper.make_node("Gather", ["table", "input_ids"], ["Gather"])],
        "Mask": [
            helper.make_node("Cast", ["attention_mask"], ["mask_2d"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask_2d", "last"], ["mask"]),
            helper.make_node("Mul", ["Gather", "mask"], ["Mask"]),
        ],
        "Twice": [
            helper.make_node("Cast", ["token_type_ids"], ["types_2d"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["types_2d", "last"], ["types"]),
            helper.make_node("Mul", ["Mask", "types"], ["second"]),
            helper.make_node("Add", ["Mask", "second"], ["Twice"]),
        ],
        "Sum": [helper.make_node("ReduceSum", ["Twice", "one"], ["Sum"], keepdims=0)],
    }
    graph = helper.make_graph(
        [node for step in steps for node in nodes[step]],
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in INPUTS],
        [helper.make_tensor_value_info(steps[-1], TensorProto.FLOAT, shape)],
        [
            numpy_helper.from_array(values, "table"),
            numpy_helper.from_array(np.array([-1]), "last"),
            numpy_helper.from_array(np.array([1]), "one"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, folder / MODEL_NAME)
