"""The manifest of an exported model, and its size in words."""

from pathlib import Path
from typing import Any

from export.checkpoint import Checkpoint
from export.environment import describe_tools
from export.licence import read_licence
from export.scores import Found
from export.source import Source
from export.span.prompt import TEMPLATE
from export.tasks import Head
from structbert_lite.manifest import MANIFEST_NAME, FileFact, Manifest, Matcher, check_files, file_sha256, read_manifest
from structbert_lite.manifest import Source as SourceFact


def describe(
    name: str,
    source: Source,
    checkpoint: Checkpoint,
    limits: tuple[int, int],
    scores: Found | None,
    records: tuple[dict[str, Any], dict[str, Any]],
    licence: str | None,
    heads: dict[str, Any],
) -> Manifest:
    """The manifest without its files.

    `limits`: the longest input and the id of padding; `scores`: of a similarity model; `records`: of quantization and
    of the checks; `licence`: None for what the checkpoint states; `heads`: what `read_heads` found.
    """
    encoder = checkpoint.kind == "encoder"
    head = checkpoint.siamese
    quantization, checks = records
    facts: dict[str, Any] = {"calibration": scores[0], "thresholds": scores[1]} if scores else {}
    return Manifest(
        name=name,
        task=checkpoint.task.name,
        also_serves=("embedding",) if checkpoint.head is Head.MATCHER else (),
        kind=checkpoint.kind,
        labels=checkpoint.labels,
        pooling=checkpoint.pooling,
        dimensions=checkpoint.dimensions if encoder else None,
        prompt=checkpoint.prompt if encoder else "",
        multi_label=checkpoint.multi_label,
        matcher=Matcher(features=head.features, normalize=head.normalize) if head else None,
        prefix=checkpoint.has_prefix,
        pair_template=TEMPLATE if checkpoint.head is Head.SPAN else None,
        **facts,
        **heads,
        max_tokens=limits[0],
        pad_id=limits[1],
        inputs=checkpoint.architecture.inputs,
        files={},
        source=SourceFact(checkpoint=source.name, layout=checkpoint.layout, weights_sha256=checkpoint.weights_sha256),
        license=licence or read_licence(checkpoint.folder),
        quantization=quantization,
        checks=checks,
        tools=describe_tools(),
    )


def write_manifest(model: Path, manifest: Manifest) -> None:
    """Last of all, with the digests of everything else in the folder; then read back as the server would."""
    paths = sorted(path for path in model.iterdir() if path.name != MANIFEST_NAME)
    files = {path.name: FileFact(bytes=path.stat().st_size, sha256=file_sha256(path)) for path in paths}
    manifest = manifest.model_copy(update={"files": files})
    (model / MANIFEST_NAME).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    check_files(model, read_manifest(model))


def describe_size(checkpoint: Checkpoint) -> str:
    config = checkpoint.config
    return f"{config.num_hidden_layers} layers of {config.hidden_size}, {checkpoint.parameters / 1e6:.1f} M parameters"


def megabytes(*paths: Path) -> str:
    return f"{sum(path.stat().st_size for path in paths) / 1e6:.1f}"
