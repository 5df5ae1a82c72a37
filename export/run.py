"""The six stages of an export."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from export.calibrate import Calibration, calibrate
from export.card import write_card
from export.checkpoint import Checkpoint, load_checkpoint
from export.checks import PARITY_BOUND, check_int8, check_parity
from export.convert import convert
from export.encoding import INPUTS, LONGEST, encode, load_tokenizer
from export.environment import describe_tools
from export.labels import LABELS
from export.last_layer import keep_first_token
from export.licence import read_card, read_licence
from export.progress import Stages
from export.publish import build_aside, check_target, publish
from export.quantize import quantize
from export.refusal import ExportRefused
from export.source import Source
from export.texts import PARITY_TEXTS, read_texts
from export.tokenizer import pad_id, write_tokenizer
from structbert_lite.manifest import (
    MANIFEST_NAME,
    MODEL_NAME,
    TOKENIZER_NAME,
    FileFact,
    Manifest,
    check_files,
    file_sha256,
    read_manifest,
)
from structbert_lite.manifest import Source as SourceFact

CARD_NAME = "README.md"


@dataclass(frozen=True, slots=True)
class Export:
    """What to export and where to."""

    source: Source
    out: Path
    texts: Path
    task: str = "sentiment"
    min_agreement: float = 0.98  # share of texts that keep their label in int8
    max_tokens: int | None = None  # None: what the checkpoint can read, at most LONGEST
    license: str | None = None  # None: what the checkpoint states
    replace: bool = False


def run_export(export: Export) -> Path:
    """Makes the model and returns its folder; prints a line for each stage.

    Raises ExportRefused, after which nothing is left behind and an old model is untouched.
    """
    out = check_target(export.out, export.replace)
    texts = read_texts(export.texts)
    stages = Stages(6)
    with build_aside(out) as aside:
        model, work = aside / "model", aside / "work"
        model.mkdir()
        work.mkdir()
        with stages.stage("load the checkpoint") as stage:
            checkpoint = load_checkpoint(export.source.folder)
            how = write_tokenizer(checkpoint.folder, model / TOKENIZER_NAME, checkpoint.config.vocab_size, texts)
            padding = _check_padding(checkpoint, model / TOKENIZER_NAME)
            max_tokens = _choose_max_tokens(checkpoint, export.max_tokens)
            tokenizer = load_tokenizer(model / TOKENIZER_NAME, max_tokens, padding)
            stage.say(f"{checkpoint.layout}, {_describe_size(checkpoint)}, {how}")
        with stages.stage("export to ONNX") as stage:
            whole = convert(checkpoint.model, work)
            float32, how_much = _cut(whole)
            stage.say(f"{_megabytes(whole)} MB, {how_much}")
        with stages.stage("parity with PyTorch") as stage:
            parity = check_parity(checkpoint.model, float32, tokenizer)
            stage.say(f"max |Δlogit| {parity:.1e} on {len(PARITY_TEXTS)} texts (limit {PARITY_BOUND:.0e})")
        with stages.stage("quantize to int8") as stage:
            read = [*PARITY_TEXTS, *texts[::2]]  # the other half of the texts is new to the int8 file
            watched = stage.watch(read, len(read))
            # Calibrated before the cut: one row of each text would be too few, and costs little per token.
            calibrations = calibrate(whole, (encode(tokenizer, [text]) for text in watched))
            quantization = _quantize(float32, model / MODEL_NAME, calibrations)
            stage.say(f"{quantization['scheme']}, {_megabytes(model / MODEL_NAME)} MB")
        with stages.stage("int8 against float32") as stage:
            watched = stage.watch(texts, len(texts))
            int8 = check_int8(float32, model / MODEL_NAME, tokenizer, watched, export.min_agreement)
            stage.say(
                f"same label for {int8['label_agreement']:.1%} of {len(texts)} texts (bound {export.min_agreement:.1%})"
            )
            stage.say(f"max |Δlogit| {int8['max_logit_difference']:.4f} where the spread is {int8['logit_spread']:.4f}")
            stage.say(f"alone or in a batch {int8['batch_max_difference']:.1e}")
        with stages.stage("write the manifest and move into place") as stage:
            checks = {
                "parity_max_difference": parity,
                "parity_bound": PARITY_BOUND,
                "label_names": checkpoint.label_names,
                "tokenizer": how,
                "int8": int8,
            }
            manifest = _describe(export, out.name, checkpoint, (max_tokens, padding), quantization, checks)
            write_card(model / CARD_NAME, manifest, _describe_size(checkpoint), read_card(checkpoint.folder))
            _write_manifest(model, manifest)
            publish(model, out, export.replace)
            stage.say(f"licence: {manifest.license}")
    return out


def _describe(
    export: Export,
    name: str,
    checkpoint: Checkpoint,
    limits: tuple[int, int],
    quantization: dict[str, Any],
    checks: dict[str, Any],
) -> Manifest:
    """The manifest without its files; `limits` are the longest input and the id of [PAD]."""
    max_tokens, padding = limits
    return Manifest(
        name=name,
        task=export.task,
        labels=LABELS,
        max_tokens=max_tokens,
        pad_id=padding,
        inputs=INPUTS,
        files={},
        source=SourceFact(
            checkpoint=export.source.name, layout=checkpoint.layout, weights_sha256=checkpoint.weights_sha256
        ),
        license=export.license or read_licence(checkpoint.folder),
        quantization=quantization,
        checks=checks,
        tools=describe_tools(),
    )


def _choose_max_tokens(checkpoint: Checkpoint, wanted: int | None) -> int:
    most = checkpoint.config.max_position_embeddings
    if wanted is not None and wanted > most:
        raise ExportRefused(f"--max-tokens {wanted} is more than the checkpoint can read, which is {most}")
    return wanted or min(LONGEST, most)


def _check_padding(checkpoint: Checkpoint, tokenizer: Path) -> int:
    found = pad_id(tokenizer)
    if found != checkpoint.config.pad_token_id:
        raise ExportRefused(
            f"the tokenizer's [PAD] is {found}, config.json says pad_token_id {checkpoint.config.pad_token_id}"
        )
    return found


def _cut(whole: Path) -> tuple[Path, str]:
    """The graph with a last layer of one token where that is possible, and what was done in words."""
    model = onnx.load(whole)
    if not keep_first_token(model):
        return whole, "all tokens in the last layer"
    cut = whole.with_name("cut.onnx")
    onnx.save(model, cut)
    return cut, "last layer for [CLS] alone"


def _quantize(float32: Path, target: Path, calibrations: dict[str, Calibration]) -> dict[str, Any]:
    try:
        return quantize(float32, target, calibrations)
    except ValueError as error:
        raise ExportRefused(f"the graph cannot be quantized: {error}") from error


def _write_manifest(model: Path, manifest: Manifest) -> None:
    """Last of all, with the digests of everything else in the folder; then read back as the server would."""
    paths = sorted(path for path in model.iterdir() if path.name != MANIFEST_NAME)
    files = {path.name: FileFact(bytes=path.stat().st_size, sha256=file_sha256(path)) for path in paths}
    manifest = manifest.model_copy(update={"files": files})
    (model / MANIFEST_NAME).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    check_files(model, read_manifest(model))


def _describe_size(checkpoint: Checkpoint) -> str:
    config, weights = checkpoint.config, sum(tensor.numel() for tensor in checkpoint.model.parameters())
    return f"{config.num_hidden_layers} layers of {config.hidden_size}, {weights / 1e6:.1f} M parameters"


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f}"
