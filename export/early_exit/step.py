"""Early exit as a step on a model folder that is being built: read, fit, choose, cut, check."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx

from export.early_exit.check import check_exits
from export.early_exit.fit import choose_exits, fit_head
from export.early_exit.graph import Exit, add_exits
from export.early_exit.layers import Layer, find_layers
from export.early_exit.reading import Probe
from export.early_exit.rows import Split
from export.early_exit.rules import three_way_of
from export.onnx_file import load_graph
from export.progress import Stage, Stages
from export.refusal import ExportRefused
from structbert_lite.inference.tokenizer import Tokenizer
from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME, EarlyExit, Manifest

FEWEST_LAYERS = 3


def check_kind(manifest: Manifest) -> None:
    """Raises ExportRefused for what is no classifier, or has exits already."""
    if manifest.kind != "classifier":
        raise ExportRefused(f"early exit is for classifiers of single texts, and {manifest.name} is none")
    if manifest.early_exit is not None:
        raise ExportRefused(f"{manifest.name} has exits already; export it again to fit others")


def with_exits(stages: Stages, model: Path, manifest: Manifest, rows: Split, agreement: float) -> Manifest:
    """The manifest of the classifier in the folder `model` after `add_early_exit`, as a stage of its own."""
    with stages.stage("early exit") as stage:
        return manifest.model_copy(update={"early_exit": add_early_exit(model, manifest, rows, agreement, stage)})


def add_early_exit(model: Path, manifest: Manifest, rows: Split, agreement: float, stage: Stage) -> EarlyExit:
    """Rewrites the graph of the classifier in the folder `model`, which `manifest` describes, with exits.

    Raises ExportRefused where there is nothing to gain, and where the graph with exits answers as the one without for
    less than `agreement` of the rows to check; the folder is then as it was.
    """
    check_kind(manifest)
    path, rule = model / MODEL_NAME, three_way_of(manifest)
    layers = find_layers(load_graph(path).graph)
    if len(layers) < FEWEST_LAYERS:
        raise ExportRefused(f"{path} is not the graph of a BERT of {FEWEST_LAYERS} layers or more from this exporter")
    tokenizer = Tokenizer(model / TOKENIZER_NAME, manifest.max_tokens)
    aside = model / "early_exit.onnx"
    try:
        exits = _fit(Probe(path, aside, layers, tokenizer, manifest), layers, manifest, rows, agreement, stage)
        graph = load_graph(path)
        try:
            add_exits(graph, exits, len(layers), rule)
        except ValueError as error:
            raise ExportRefused(f"the graph cannot be cut: {error}") from None
        onnx.save(graph, aside)
        facts = check_exits(aside, rows.check, tokenizer, manifest, exits, len(layers), agreement, stage)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return facts


def _fit(
    probe: Probe, layers: Sequence[Layer], manifest: Manifest, rows: Split, agreement: float, stage: Stage
) -> list[Exit]:
    rule = three_way_of(manifest)
    read, wanted = probe.read(rows.fit, stage)
    heads = {layer: fit_head(values, wanted, rule) for layer, values in read.items()}
    read, new = probe.read(rows.choose, stage)
    said = {layer: np.vstack([head.left_out, head.logits(read[layer])]) for layer, head in heads.items()}
    units = {layer: head.unit for layer, head in heads.items()}
    choice = choose_exits(said, units, np.vstack([wanted, new]), probe.time_layers(rows.choose), agreement, rule)
    if choice is None:
        raise ExportRefused(f"no exit saves anything at an agreement of {agreement:.1%}")
    stage.say(f"after {' and '.join(map(str, choice.thresholds))} of {len(layers)} layers")
    return [
        Exit(
            layers[layer],
            heads[layer].weight.astype(np.float32),
            heads[layer].bias.astype(np.float32),
            units[layer].times(threshold),
        )
        for layer, threshold in choice.thresholds.items()
    ]
