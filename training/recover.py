"""The weights of a default model, read back from its int8 file: a start for further training when the run is gone.

A weight is its int8 number times its output channel's scale, and times the smoothing factor of its input channel
where the exporter moved one into it. The word table is the base encoder's, which no recipe here trains.

The numbers lie on the file's grid, and what further training moves is mostly less than half a step of it: quantized
again, most of that would be rounded away (a second pass of the similarity model lost nearly half of its gain so, and
its vectors were four times as far from float32's). So each weight is put anywhere within its step, at random: dither.
"""

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from transformers import BertConfig, BertModel

from structbert_lite.manifest import read_manifest
from training.base import FACTS, is_base, write
from training.cross_encoder import start_cross_encoder
from training.siamese import load_siamese, save_siamese

LAYER = re.compile(r"(?:bert\.)?encoder\.layer\.(\d+)\.")
WORDS = "word_embeddings.weight"
LEFT = re.compile(r"^(left_\d+/)+")  # how the exporter names what rows bring along that did not leave early
STATIC = "/static"  # how the exporter names what it quantized with fixed scales
LEVELS = "per_token/levels"
SEED = 7  # of the dither
TABLE = "per_token/bert.embeddings.word_embeddings.weight"  # int8 [pieces, width], and a scale for each piece
WIDTH, HEADS = 384, 12  # of multilingual-e5-small
HEAD = "per_token/logits/columns"  # float32 [logits, hidden], kept as it was


def recover(model: Path, base: Path, out: Path) -> Path:
    """Writes the float32 checkpoint of the int8 model in the folder `model` to `out`, and returns that.

    `base` is the encoder that it was trained from, or that one's deeper teacher: only the word table, the tokenizer and
    the shape are taken from there. Raises RuntimeError where a tensor of the checkpoint is not in the file.
    """
    weights = _read(model / "model.onnx")
    manifest = read_manifest(model)
    layers = _depth(weights)
    if manifest.matcher is None:
        weights["classifier.weight"] = weights[HEAD]
        checkpoint = start_cross_encoder(base, manifest.labels or ["relevance"], seed=0, layers=layers)
        _fill(checkpoint, weights, model)
        out.mkdir(parents=True, exist_ok=True)
        checkpoint.save_pretrained(out)
        shutil.copy(base / "tokenizer.json", out / "tokenizer.json")
        return out
    siamese = load_siamese(base, layers)
    matcher = np.load(model / "matcher.npz")
    named = {f"bert.{name}": value for name, value in weights.items()}
    scaled = matcher["weight"] / siamese.scales.numpy()[:, None]
    _fill(siamese, named | {"fc.weight": scaled, "fc.bias": matcher["bias"]}, model)
    save_siamese(siamese, base / "tokenizer.json", out)
    return out


def recover_encoder(model: Path, out: Path) -> Path:
    """Writes the encoder of a default model, without its head, as a base for other trainings; nothing else is needed.

    Its word table has the 8 bits of the file. Does nothing where `out` holds what was read from the same file. Raises
    RuntimeError where the model was not made from the default base encoder.
    """
    manifest = read_manifest(model)
    facts = {"name": f"the encoder of {model.name}", "licence": manifest.license, "sha256": manifest.digest}
    if is_base(out) and json.loads((out / FACTS).read_text("utf-8")) == facts:
        return out
    weights = _read(model / "model.onnx")
    try:
        words = weights[f"{TABLE}/int8"] * weights[f"{TABLE}/scale"]
        positions = weights["bert.embeddings.position_embeddings.weight"]
        inner = weights["bert.encoder.layer.0.intermediate.dense.weight"]
    except KeyError as error:
        raise RuntimeError(f"{model / 'model.onnx'} has no {error}") from None
    if words.shape[1] != WIDTH:
        raise RuntimeError(f"{model} is {words.shape[1]} wide, not {WIDTH} as the default base encoder")
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=WIDTH,
        num_hidden_layers=_depth(weights),
        num_attention_heads=HEADS,
        intermediate_size=len(inner),
        max_position_embeddings=len(positions),
        pad_token_id=0,
    )
    encoder = BertModel(config, add_pooling_layer=False)
    named = {name.removeprefix("bert."): value for name, value in weights.items()}
    _fill(encoder, named | {"embeddings.word_embeddings.weight": words}, model)
    out.mkdir(parents=True, exist_ok=True)
    write(out, encoder.state_dict(), {"architectures": ["BertModel"], **config.to_diff_dict()})
    shutil.copy(model / "tokenizer.json", out / "tokenizer.json")
    (out / FACTS).write_text(json.dumps(facts, indent=2), encoding="utf-8")
    return out


def _depth(weights: Iterable[str]) -> int:
    return len({found[1] for name in weights if (found := LAYER.match(name))})


def _fill(checkpoint: torch.nn.Module, weights: dict[str, np.ndarray], model: Path) -> None:
    state = checkpoint.state_dict()
    for name in state:
        if name.endswith(WORDS) and name not in weights:
            continue
        if name not in weights:
            raise RuntimeError(f"{model / 'model.onnx'} has no weight {name}")
        state[name] = torch.tensor(weights[name], dtype=torch.float32).reshape(state[name].shape)
    checkpoint.load_state_dict(state)


def _read(path: Path) -> dict[str, np.ndarray]:
    graph = onnx.load(path).graph
    rng = np.random.default_rng(SEED)
    stored = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    return stored | dict(_products(graph, stored, rng))


def _products(
    graph: onnx.GraphProto, stored: dict[str, np.ndarray], rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray]]:
    """Name and weight, float32 [out, in] as PyTorch keeps it, of each quantized linear layer."""
    for node in _nodes(graph):
        if node.op_type != "MatMulIntegerToFloat":
            continue
        rows, numbers, scale = LEFT.sub("", node.input[0]), node.input[1], node.input[3]
        whole = stored[numbers].astype(np.float32)
        weight = (whole + rng.uniform(-0.5, 0.5, whole.shape).astype(np.float32)) * stored[scale]
        if rows.endswith(STATIC):
            weight *= stored[f"per_token/{rows.removesuffix(STATIC)}/inverse"][:, None]
        else:
            weight *= stored[LEVELS]  # a row's own scale is its largest value, and the levels are divided out here
        module = numbers.removeprefix("per_token//").split("_output_0")[0].rpartition("/")[0]
        yield f"{module.replace('/', '.')}.weight", weight.T


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Those of the layers behind an early exit as well, in their order."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.name == "then_branch":
                yield from _nodes(attribute.g)
