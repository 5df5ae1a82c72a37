"""The model card: README.md in the model's folder."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from export.architecture import Architecture
from export.tasks import TASKS
from structbert_lite.manifest import Manifest

CARD_NAME = "README.md"
# Hugging Face's names for what a model does.
TAGS = {
    "sentiment": "text-classification",
    "similarity": "sentence-similarity",
    "embedding": "sentence-similarity",
    "zero-shot": "zero-shot-classification",
    "rerank": "text-ranking",
}
CALIBRATED = {
    "none": "; not fitted to any pairs, so a score is no probability",
    "calibration.json": ", as the checkpoint states",
}


def write_card(path: Path, manifest: Manifest, size: str, body: str, architecture: Architecture) -> None:
    """Writes the card for `manifest`; `body` is what the checkpoint's own card says, Markdown, perhaps empty."""
    templates = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=templates, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = environment.get_template("card.md.j2").render(
        manifest=manifest,
        checks=manifest.checks,
        size=size,
        body=body,
        tag=TAGS[manifest.task],
        title=TASKS[manifest.task].with_labels(manifest.labels).title,
        begin=architecture.begin,
        end=architecture.end,
        calibrated=_describe_calibration(manifest),
    )
    path.write_text(text.strip() + "\n", encoding="utf-8")


def _describe_calibration(manifest: Manifest) -> str:
    facts = manifest.checks.get("calibration")
    if not facts:
        return ""
    if facts["source"] in CALIBRATED:
        return CALIBRATED[facts["source"]]
    fitted = f"fitted to {facts['pairs']} labelled pairs, {facts['positives']} of them positive"
    return f", {fitted}; at 0.5 the score is right for {facts['accuracy_at_half']:.1%}"
