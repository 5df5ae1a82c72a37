"""The stages of an export, in order."""

from dataclasses import dataclass
from pathlib import Path

from export.card import CARD_NAME, write_card
from export.checkpoint import load_checkpoint
from export.describe import describe, describe_size, write_manifest
from export.early_exit import AGREEMENT
from export.early_exit.card import append_section
from export.early_exit.rows import read_rows
from export.early_exit.step import with_exits
from export.heads import read_heads
from export.licence import read_card
from export.pairs import LabelledPairs, read_pairs
from export.progress import Stages
from export.publish import build_aside, check_target, publish
from export.refusal import ExportRefused
from export.scores import Found
from export.source import Source
from export.stages import calibrate_score, load, make_float32, make_int8, prove_int8, prove_parity
from export.tasks import TASKS
from export.texts import read_texts
from structbert_lite.manifest import MATCHER_NAME, MODEL_NAME, TOKENIZER_NAME


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
    early_exit: Path | None = None  # texts to fit exits to, for a classifier
    agreement: float = AGREEMENT  # of the answers with exits with those without


def run_export(export: Export) -> Path:
    """Makes the model and returns its folder; prints a line for each stage.

    Raises ExportRefused, after which nothing is left behind and an old model is untouched.
    """
    out = check_target(export.out, export.replace)
    texts = read_texts(export.texts)
    labelled = _read_labelled(export)
    scored = TASKS[export.task].scores_pairs
    if export.early_exit is not None and export.task != "sentiment":
        raise ExportRefused(f"--early-exit is for --task sentiment, not for {export.task}")
    stages = Stages(6 + scored + (export.early_exit is not None))
    with build_aside(out) as aside:
        model, work = aside / "model", aside / "work"
        model.mkdir()
        work.mkdir()
        with stages.stage("load the checkpoint") as stage:
            checkpoint = load_checkpoint(export.source.folder, export.task, export.labels, export.pooling)
            rows = read_rows(export.early_exit, checkpoint.labels) if export.early_exit else None
            loaded = load(checkpoint, model, texts, export.max_tokens)
            stage.say(f"{checkpoint.layout}, {describe_size(checkpoint)}, {loaded.how}")
        with stages.stage("export to ONNX") as stage:
            whole, float32 = make_float32(checkpoint, work, stage)
        with stages.stage("parity with PyTorch") as stage:
            checks = prove_parity(loaded, float32, model / TOKENIZER_NAME, stage)
            checks |= {"label_names": checkpoint.label_names, "tokenizer": loaded.how}
            checkpoint.drop_models()
        with stages.stage("quantize to int8") as stage:
            quantization = make_int8(loaded, (whole, float32), model / MODEL_NAME, texts, stage)
        with stages.stage("int8 against float32") as stage:
            checks |= prove_int8(loaded, float32, model, texts, export.min_agreement, stage)
        scores: Found | None = None
        if scored:
            with stages.stage("calibrate the score") as stage:
                scores = calibrate_score(loaded, model / MODEL_NAME, labelled, stage)
                checks["calibration"] = scores[2]
        heads = read_heads(checkpoint.folder, export.task, model)
        records = quantization, checks
        manifest = describe(out.name, export.source, checkpoint, loaded.limits, scores, records, export.license, heads)
        if rows is not None:
            manifest = with_exits(stages, model, manifest, rows, export.agreement)
        with stages.stage("write the manifest and move into place") as stage:
            if loaded.matcher is not None:
                loaded.matcher.save(model / MATCHER_NAME)
            body = read_card(checkpoint.folder)
            write_card(model / CARD_NAME, manifest, describe_size(checkpoint), body, checkpoint.architecture)
            append_section(model / CARD_NAME, manifest)
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
