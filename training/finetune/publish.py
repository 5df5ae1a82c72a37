"""The way from a trained checkpoint to a model in the server's folder: the one file here that runs the exporter."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from export.encoding import load_tokenizer
from export.run import Export, run_export
from export.session import open_session, run
from export.source import Source
from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME, read_manifest

BATCH = 16
CALIBRATED_ON = 200  # texts at the most


@dataclass(frozen=True, slots=True)
class Target:
    """Where the model goes, and on what terms."""

    out: Path
    replace: bool
    min_agreement: float
    max_tokens: int
    licence: str
    early_exit: Path | None = None  # texts to fit exits to


def publish(checkpoint: Path, target: Target, labels: Sequence[str], texts: Sequence[str], work: Path) -> None:
    """Exports `checkpoint` to `target`, calibrated and compared on some of `texts`; prints a line for each stage.

    Raises ExportRefused, after which an old model at `target` is untouched.
    """
    lines = work / "calibration.txt"
    step = max(1, len(texts) // CALIBRATED_ON)
    lines.write_text("".join(" ".join(text.split()) + "\n" for text in texts[::step][:CALIBRATED_ON]), encoding="utf-8")
    run_export(
        Export(
            Source(checkpoint, target.out.name),
            target.out,
            lines,
            min_agreement=target.min_agreement,
            max_tokens=target.max_tokens,
            license=target.licence,
            replace=target.replace,
            labels=tuple(labels),
            early_exit=target.early_exit,
        )
    )


def predict_served(model: Path, texts: Sequence[str]) -> np.ndarray:
    """Probability of each label for each text by the int8 model in the folder, float64 [texts, labels]."""
    manifest = read_manifest(model)
    tokenizer = load_tokenizer(model / TOKENIZER_NAME, manifest.max_tokens, manifest.pad_id)
    session = open_session(model / MODEL_NAME)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    out = np.zeros((len(texts), len(manifest.labels)))
    for first in tqdm(range(0, len(order), BATCH), desc="int8", leave=False, mininterval=10):
        rows = order[first : first + BATCH]
        logits = run(session, tokenizer, [texts[i] for i in rows]).astype(np.float64)
        shares = np.exp(logits - logits.max(1, keepdims=True))
        out[rows] = shares / shares.sum(1, keepdims=True)
    return out
