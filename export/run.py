"""The stages of an export."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from tokenizers import Tokenizer

from export.calibrate import Calibration, calibrate
from export.card import write_card
from export.check_vectors import check_int8_vectors, check_matcher
from export.checkpoint import Checkpoint, load_checkpoint
from export.checks import PARITY_BOUND, check_int8, check_parity
from export.config import longest_input
from export.convert import convert
from export.describe import describe, describe_size, megabytes, write_manifest
from export.encoding import LONGEST, Item, encode, load_tokenizer
from export.last_layer import keep_first_token
from export.licence import read_card
from export.matcher import FoldedMatcher
from export.onnx_file import load_graph
from export.pairs import LabelledPairs, make_pairs, read_pairs
from export.progress import Stage, Stages
from export.publish import build_aside, check_target, publish
from export.quantize import quantize
from export.refusal import ExportRefused
from export.scores import Found, fit_scores, read_scores
from export.source import Source
from export.span.prompt import PromptingTokenizer, join_apart, load_prompting
from export.tasks import TASKS, Head
from export.texts import PARITY_TEXTS, read_texts
from export.tokenizer import pad_id, write_tokenizer
from structbert_lite.manifest import MATCHER_NAME, MODEL_NAME, TOKENIZER_NAME

CARD_NAME = "README.md"


@dataclass(frozen=True, slots=True)
class Export:
    """What to export and where to."""

    source: Source
    out: Path
    texts: Path
    task: str = "sentiment"
    min_agreement: float = 0.98  # of int8 with float32; what it is a share of depends on the task
    max_tokens: int | None = None  # None: what the checkpoint can read, at most LONGEST
    license: str | None = None  # None: what the checkpoint states
    replace: bool = False
    labels: tuple[str, ...] | None = None  # in the order of the logits; None: what the checkpoint states
    pooling: str | None = None  # None: what the checkpoint states
    calibration: Path | None = None  # labelled pairs, for a similarity model


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What the first stage finds out."""

    checkpoint: Checkpoint
    how: str  # the tokenizer came to be
    tokenizer: Tokenizer | PromptingTokenizer
    limits: tuple[int, int]  # the longest input, the id of padding
    matcher: FoldedMatcher | None

    def make_items(self, texts: Sequence[str]) -> Sequence[Item]:
        return make_pairs(texts) if self.checkpoint.reads_pairs else texts


def run_export(export: Export) -> Path:
    """Makes the model and returns its folder; prints a line for each stage.

    Raises ExportRefused, after which nothing is left behind and an old model is untouched.
    """
    out = check_target(export.out, export.replace)
    texts = read_texts(export.texts)
    labelled = _read_labelled(export)
    scored = TASKS[export.task].scores_pairs
    stages = Stages(7 if scored else 6)
    with build_aside(out) as aside:
        model, work = aside / "model", aside / "work"
        model.mkdir()
        work.mkdir()
        with stages.stage("load the checkpoint") as stage:
            loaded = _load(export, model, texts)
            checkpoint = loaded.checkpoint
            stage.say(f"{checkpoint.layout}, {describe_size(checkpoint)}, {loaded.how}")
        with stages.stage("export to ONNX") as stage:
            whole, float32 = _convert(checkpoint, work, stage)
        with stages.stage("parity with PyTorch") as stage:
            checks = {"parity_max_difference": _check_parity(loaded, float32, stage), "parity_bound": PARITY_BOUND}
            if loaded.matcher is not None:
                checks["matcher_max_difference"] = _check_matcher(loaded, float32, stage)
            checks |= {"label_names": checkpoint.label_names, "tokenizer": loaded.how}
            checkpoint.model = checkpoint.reference = None  # not needed again, and perhaps gigabytes
        with stages.stage("quantize to int8") as stage:
            quantization = _quantize(loaded, (whole, float32), model / MODEL_NAME, texts, stage)
        with stages.stage("int8 against float32") as stage:
            checks["int8"] = _check_int8(export, loaded, float32, model / MODEL_NAME, texts, stage)
        scores: Found | None = None
        if scored:
            with stages.stage("calibrate the score") as stage:
                scores = _calibrate_score(loaded, model / MODEL_NAME, labelled, stage)
                checks["calibration"] = scores[2]
        with stages.stage("write the manifest and move into place") as stage:
            if loaded.matcher is not None:
                loaded.matcher.save(model / MATCHER_NAME)
            manifest = describe(
                out.name, export.source, checkpoint, loaded.limits, scores, (quantization, checks), export.license
            )
            body = read_card(checkpoint.folder)
            write_card(model / CARD_NAME, manifest, describe_size(checkpoint), body, checkpoint.architecture)
            write_manifest(model, manifest)
            publish(model, out, export.replace)
            stage.say(f"licence: {manifest.license}")
    return out


def _read_labelled(export: Export) -> LabelledPairs | None:
    if export.calibration is None:
        return None
    if not TASKS[export.task].scores_pairs:
        raise ExportRefused(
            f"--calibration is for similarity; --task {export.task} has no score of a pair to calibrate"
        )
    return read_pairs(export.calibration)


def _load(export: Export, model: Path, texts: list[str]) -> _Loaded:
    checkpoint = load_checkpoint(export.source.folder, export.task, export.labels, export.pooling)
    config, architecture = checkpoint.config, checkpoint.architecture
    path = model / TOKENIZER_NAME
    asks = checkpoint.head is Head.SPAN
    joins = checkpoint.reads_pairs and not asks
    how = write_tokenizer(checkpoint.folder, path, config.vocab_size, texts, architecture, joins)
    padding = pad_id(path, architecture)
    if padding != config.pad_token_id:
        raise ExportRefused(
            f"the tokenizer's {architecture.pad} is {padding}, config.json says pad_token_id {config.pad_token_id}"
        )
    most = longest_input(config, architecture)
    if export.max_tokens is not None and export.max_tokens > most:
        raise ExportRefused(f"--max-tokens {export.max_tokens} is more than the checkpoint can read, which is {most}")
    if asks:
        how += f", {join_apart(path)}"
        tokenizer, max_tokens = load_prompting(path, export.max_tokens, most, padding)
    else:
        max_tokens = export.max_tokens or min(LONGEST, most)
        tokenizer = load_tokenizer(path, max_tokens, padding)
    matcher = checkpoint.siamese.fold() if checkpoint.siamese else None
    return _Loaded(checkpoint, how, tokenizer, (max_tokens, padding), matcher)


def _convert(checkpoint: Checkpoint, work: Path, stage: Stage) -> tuple[Path, Path]:
    """(the whole graph, the one with a last layer of the first tokens alone where it can be)."""
    whole = convert(checkpoint.model, work, checkpoint.pooling, checkpoint.architecture.inputs)
    stage.say(f"{megabytes(*whole.parent.glob('model.onnx*'))} MB")
    if checkpoint.pooling == "mean":
        stage.say("all tokens in the last layer, for their mean")
        return whole, whole
    graph = load_graph(whole)
    if not keep_first_token(graph):
        stage.say("all tokens in the last layer: the graph does not end as those that are known")
        return whole, whole
    cut = whole.with_name("cut.onnx")
    onnx.save(graph, cut)
    stage.say("last layer for the first token alone")
    return whole, cut


def _check_parity(loaded: _Loaded, float32: Path, stage: Stage) -> float:
    checkpoint = loaded.checkpoint
    items = loaded.make_items(PARITY_TEXTS)
    model = checkpoint.reference or checkpoint.model
    parity = check_parity(model, float32, loaded.tokenizer, items, checkpoint.pooling)
    what = "logit" if checkpoint.pooling is None else "vector"
    noun = "pairs" if checkpoint.reads_pairs else "texts"
    stage.say(f"max |Δ{what}| {parity:.1e} on {len(items)} {noun} (limit {PARITY_BOUND:.0e})")
    return parity


def _check_matcher(loaded: _Loaded, float32: Path, stage: Stage) -> float:
    checkpoint = loaded.checkpoint
    pairs = make_pairs(PARITY_TEXTS)
    difference = check_matcher(
        checkpoint.model, checkpoint.siamese, checkpoint.pooling, float32, loaded.tokenizer, pairs
    )
    stage.say(f"max |Δlogit| of {len(pairs)} pairs through the folded matcher {difference:.1e}")
    return difference


def _quantize(
    loaded: _Loaded, graphs: tuple[Path, Path], target: Path, texts: list[str], stage: Stage
) -> dict[str, Any]:
    whole, float32 = graphs
    # The other half of the texts is new to the int8 file.
    items = [*loaded.make_items(PARITY_TEXTS), *loaded.make_items(texts[::2])]
    inputs = loaded.checkpoint.architecture.inputs
    # Calibrated before the cut: one row of each text would be too few, and costs little per token.
    feeds = (encode(loaded.tokenizer, [item], inputs) for item in stage.watch(items, len(items)))
    calibrations: dict[str, Calibration] = calibrate(whole, feeds)
    try:
        quantization = quantize(float32, target, calibrations)
    except ValueError as error:
        raise ExportRefused(f"the graph cannot be quantized: {error}") from error
    stage.say(f"{quantization['scheme']}, {megabytes(*target.parent.glob(f'{target.name}*'))} MB")
    return quantization


def _check_int8(
    export: Export, loaded: _Loaded, float32: Path, int8: Path, texts: list[str], stage: Stage
) -> dict[str, Any]:
    items = loaded.make_items(texts)
    watched = stage.watch(items, len(items))
    least, pairs = export.min_agreement, loaded.checkpoint.reads_pairs
    if loaded.checkpoint.kind == "encoder":
        scorer = (loaded.matcher, make_pairs(texts)) if loaded.matcher is not None else None
        facts = check_int8_vectors(float32, int8, loaded.tokenizer, watched, least, scorer)
        stage.say(f"mean cosine {facts['mean_cosine']:.4f} over {len(items)} texts (bound {least:.2f})")
        stage.say(f"lowest {facts['lowest_cosine']:.4f}")
    else:
        facts = check_int8(float32, int8, loaded.tokenizer, watched, least, pairs)
        noun = "pairs" if pairs else "texts"
        if "label_agreement" in facts:
            stage.say(f"same label for {facts['label_agreement']:.1%} of {len(items)} {noun} (bound {least:.1%})")
        else:
            stage.say(f"correlation {facts['correlation']:.4f} over {len(items)} {noun} (bound {least:.2f})")
    if "logit_spread" in facts:
        stage.say(f"max |Δlogit| {facts['max_logit_difference']:.4f} where the spread is {facts['logit_spread']:.4f}")
    stage.say(f"alone or in a batch {facts['batch_max_difference']:.1e}")
    return facts


def _calibrate_score(loaded: _Loaded, int8: Path, labelled: LabelledPairs | None, stage: Stage) -> Found:
    if labelled is not None:
        found = fit_scores(int8, loaded.tokenizer, loaded.matcher, labelled)
        stage.say(f"on {len(labelled.pairs)} pairs")
    else:
        found = read_scores(loaded.checkpoint.folder)
        stage.say("as the checkpoint states" if found[2]["source"] != "none" else "none: scores are not calibrated")
    calibration, thresholds, _ = found
    stage.say(f"scale {calibration.scale:.4g}, bias {calibration.bias:.4g}")
    stage.say(f"low below {thresholds.low:.3f}, high from {thresholds.high:.3f}")
    return found
