"""Early exit as a step on a model folder that is being built: read, fit, choose, cut, check."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from export.early_exit.fit import Choice, Floats, choose_exits, fit_head
from export.early_exit.graph import Exit, add_exits, add_readings
from export.early_exit.layers import Layer, find_layers
from export.early_exit.rows import Row, Split
from export.early_exit.rules import ThreeWay, answers, three_way_of
from export.onnx_file import load_graph
from export.progress import Stage
from export.refusal import ExportRefused
from structbert_lite.inference.bulk_runner import cut_batches
from structbert_lite.inference.model import Session, padded
from structbert_lite.inference.tokenizer import Encoding, Tokenizer
from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME, EarlyExit, Manifest
from structbert_lite.manifest import Exit as ExitFact

TIMED, ROUNDS = 40, 5  # texts, and how often each is run
FEWEST_LAYERS = 3


def add_early_exit(model: Path, manifest: Manifest, rows: Split, agreement: float, stage: Stage) -> EarlyExit:
    """Rewrites the graph of the classifier in the folder `model`, which `manifest` describes, with exits.

    Raises ExportRefused where there is nothing to gain, and where the graph with exits answers as the one without for
    less than `agreement` of the rows to check; the folder is then as it was.
    """
    if manifest.kind != "classifier":
        raise ExportRefused(f"early exit is for classifiers of single texts, and {manifest.name} is none")
    if manifest.early_exit is not None:
        raise ExportRefused(f"{manifest.name} has exits already; export it again to fit others")
    path, rule = model / MODEL_NAME, three_way_of(manifest)
    layers = find_layers(load_graph(path).graph)
    if len(layers) < FEWEST_LAYERS:
        raise ExportRefused(f"{path} is not the graph of a BERT of {FEWEST_LAYERS} layers or more from this exporter")
    tokenizer = Tokenizer(model / TOKENIZER_NAME, manifest.max_tokens)
    aside = model / "early_exit.onnx"
    try:
        exits, choice = _fit(path, aside, layers, rows, tokenizer, manifest, agreement, stage)
        graph = load_graph(path)
        try:
            add_exits(graph, exits, len(layers), rule)
        except ValueError as error:
            raise ExportRefused(f"the graph cannot be cut: {error}") from None
        onnx.save(graph, aside)
        facts = _check(aside, rows.check, tokenizer, manifest, exits, len(layers), agreement, stage)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return facts


def _fit(
    path: Path,
    aside: Path,
    layers: Sequence[Layer],
    rows: Split,
    tokenizer: Tokenizer,
    manifest: Manifest,
    agreement: float,
    stage: Stage,
) -> tuple[list[Exit], Choice]:
    rule = three_way_of(manifest)
    graph = load_graph(path)
    names = add_readings(graph, layers)
    onnx.save(graph, aside)
    probe = _open(aside)

    def read(part: Sequence[Row]) -> tuple[dict[int, Floats], Floats]:
        found, logits = _read(probe, names, tokenizer, part, manifest, stage)
        return dict(enumerate(found[1:], 1)), logits

    values, wanted = read(rows.fit)
    heads = {layer: fit_head(value, wanted, rule) for layer, value in values.items()}
    values, new = read(rows.choose)
    said = {layer: np.vstack([head.left_out, head.logits(values[layer])]) for layer, head in heads.items()}
    units = {layer: head.unit for layer, head in heads.items()}
    seconds = _time_layers(probe, names, tokenizer, rows.choose, manifest)
    choice = choose_exits(said, units, np.vstack([wanted, new]), seconds, agreement, rule)
    if choice is None:
        raise ExportRefused(f"no exit saves anything at an agreement of {agreement:.1%}")
    exits = [
        Exit(
            layers[layer],
            heads[layer].weight.astype(np.float32),
            heads[layer].bias.astype(np.float32),
            heads[layer].unit.times(threshold),
        )
        for layer, threshold in choice.thresholds.items()
    ]
    stage.say(f"after {' and '.join(map(str, choice.thresholds))} of {len(layers)} layers")
    return exits, choice


def _check(
    path: Path,
    rows: Sequence[Row],
    tokenizer: Tokenizer,
    manifest: Manifest,
    exits: Sequence[Exit],
    layers: int,
    agreement: float,
    stage: Stage,
) -> EarlyExit:
    """What the finished graph does, as the server runs it, with exits and without."""
    sessions = [Session(path, manifest.inputs, manifest.pad_id, early_exit=on) for on in (True, False)]
    encodings = tokenizer.encode([row.text for row in rows])
    passed = np.zeros(len(rows), np.int64)
    logits = [np.zeros((len(rows), len(manifest.labels))) for _ in sessions]
    for places in cut_batches(list(map(len, encodings))):
        batch = [encodings[i] for i in places]
        found = []
        logits[0][places] = sessions[0].run(batch, found.append)
        logits[1][places] = sessions[1].run(batch)
        passed[places] = found[0]
    rule = three_way_of(manifest)
    same = (answers(logits[0], rule) == answers(logits[1], rule)).all(axis=1)
    reached = float(same.mean())
    if reached < agreement:
        raise ExportRefused(
            f"with exits the answers are those of the model without for {reached:.2%} of {len(rows)} texts, "
            f"the bound is {agreement:.2%}; more texts, or such as the model will read, make better exits"
        )
    accuracies = [_accuracy(values, rows, manifest) for values in logits]
    facts = EarlyExit(
        layers=layers,
        exits=tuple(
            ExitFact(
                layer=found.layer.passed,
                label=found.room.label,
                opinion=found.room.opinion,
                neutral=found.room.neutral,
                share=float((passed == found.layer.passed).mean()),
            )
            for found in exits
        ),
        texts=len(rows),
        asked=agreement,
        agreement=reached,
        score_change=_score_change(*logits, rule),
        time=_time_ratio(sessions, encodings),
        accuracy=accuracies[0],
        accuracy_without=accuracies[1],
    )
    shares = ", ".join(f"{found.share:.0%} after {found.layer}" for found in facts.exits)
    stage.say(f"{shares} leave; the same answer for {reached:.2%} of {len(rows)} texts (bound {agreement:.1%})")
    stage.say(f"{facts.time:.2f} of the CPU time")
    return facts


def _accuracy(logits: Floats, rows: Sequence[Row], manifest: Manifest) -> float | None:
    """The share of labelled rows whose label is answered, of the labels that an answer may have by default."""
    answered = manifest.answered_labels(False)
    places = [manifest.labels.index(label) for label in answered]
    labelled = [i for i, row in enumerate(rows) if row.label in answered]
    if not labelled:
        return None
    best = logits[labelled][:, places].argmax(axis=1)
    return float(np.mean([answered[found] == rows[i].label for found, i in zip(best, labelled, strict=True)]))


def _score_change(found: Floats, wanted: Floats, rule: ThreeWay | None) -> float:
    if rule is not None:
        found, wanted = (values[:, [rule.places[0], rule.places[2]]] for values in (found, wanted))
    one, other = (_shares(values) for values in (found, wanted))
    return float(np.abs(one - other).max(axis=1).mean())


def _shares(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _open(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        path, options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
    )


def _read(
    probe: onnxruntime.InferenceSession,
    names: Sequence[str],
    tokenizer: Tokenizer,
    rows: Sequence[Row],
    manifest: Manifest,
    stage: Stage,
) -> tuple[list[Floats], Floats]:
    """(what each exit reads of each row, the model's logits)."""
    encodings = tokenizer.encode([row.text for row in rows])
    logits = np.zeros((len(rows), len(manifest.labels)))
    read: list[Floats] = []
    batches = cut_batches(list(map(len, encodings)))
    for places in stage.watch(batches, len(rows)):
        feed = _feed([encodings[i] for i in places], manifest)
        logits[places], *found = probe.run([probe.get_outputs()[0].name, *names], feed)
        if not read:
            read = [np.zeros((len(rows), values.shape[1])) for values in found]
        for values, kept in zip(found, read, strict=True):
            kept[places] = values
    return read, logits


def _feed(encodings: list[Encoding], manifest: Manifest) -> dict[str, NDArray[np.int64]]:
    columns = padded(encodings, manifest.pad_id)
    return {name: columns[name] for name in manifest.inputs}


def _time_layers(
    probe: onnxruntime.InferenceSession,
    names: Sequence[str],
    tokenizer: Tokenizer,
    rows: Sequence[Row],
    manifest: Manifest,
) -> list[float]:
    """CPU seconds of runs that end after 0, 1, ... all layers, over the same texts; the least of some rounds each."""
    only = onnxruntime.RunOptions()
    only.only_execute_path_to_fetches = True
    feeds = [_feed([found], manifest) for found in tokenizer.encode([row.text for row in rows[:TIMED]])]
    ends = [*names, probe.get_outputs()[0].name]
    least = [float("inf")] * len(ends)
    for _ in range(ROUNDS):
        for i, end in enumerate(ends):
            began = time.process_time()
            for feed in feeds:
                probe.run([end], feed, only)
            least[i] = min(least[i], time.process_time() - began)
    return list(np.maximum.accumulate(least))


def _time_ratio(sessions: Sequence[Session], encodings: list[Encoding]) -> float:
    """CPU time of the first session by that of the second, over texts alone: the median of rounds in turn."""
    ratios = []
    for _ in range(ROUNDS):
        seconds = []
        for session in sessions:
            began = time.process_time()
            for encoding in encodings[:TIMED]:
                session.run([encoding])
            seconds.append(time.process_time() - began)
        ratios.append(seconds[0] / seconds[1])
    return float(np.median(ratios))
