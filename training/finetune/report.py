"""What a fine-tuning found out: for the model's card, as Markdown with a picture, and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.finetune.figures import Figures
from training.finetune.picture import draw_confusion

CONFUSED = 10  # pairs of labels named at the most


@dataclass(frozen=True, slots=True)
class Facts:
    """What was trained on what. `rows`: to learn from, and dev."""

    base: str
    licence: str
    labels: tuple[str, ...]
    rows: tuple[int, int]
    epochs: int
    best: int


def write_card(checkpoint: Path, facts: Facts, float32: Figures) -> None:
    """MODEL_CARD.md of the checkpoint, which the exporter takes into the model's card."""
    head = f"---\nlicense: {json.dumps(facts.licence, ensure_ascii=False)}\n---\n"
    text = (
        f"Fine-tuned from `{facts.base}` by `python -m training sentiment` on {facts.rows[0]:,} texts with "
        f"{len(facts.labels)} labels; epoch {facts.best} of {facts.epochs} is the best on the dev rows.\n\n"
        f"## How often it is right\nOn {facts.rows[1]:,} dev rows, which chose the epoch, in float32: accuracy "
        f"{float32.accuracy:.1%}, macro-F1 {float32.macro_f1:.3f}. Figures on rows that chose nothing may be lower.\n\n"
    )
    (checkpoint / "MODEL_CARD.md").write_text(head + text + _by_label(float32), encoding="utf-8")


def write_report(folder: Path, facts: Facts, state: dict[str, Any], float32: Figures, int8: Figures) -> Path:
    """report.json, report.md and confusion.png in `folder`; returns the Markdown's path. The matrix is int8's."""
    folder.mkdir(exist_ok=True)
    named = draw_confusion(int8.confusion, facts.labels, folder / "confusion.png")
    content = {
        "labels": facts.labels,
        "rows": {"train": facts.rows[0], "dev": facts.rows[1]},
        "base": facts.base,
        "best_epoch": facts.best,
        **state,
        "float32": float32.as_json(),
        "int8": int8.as_json(),
    }
    (folder / "report.json").write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    lines = [
        f"# {len(facts.labels)} labels, {facts.rows[0]:,} texts, {facts.rows[1]:,} dev rows",
        "",
        "| on the dev rows | accuracy | macro-F1 |",
        "|---|---|---|",
        f"| PyTorch, float32 | {float32.accuracy:.4f} | {float32.macro_f1:.4f} |",
        f"| as it is served, int8 | {int8.accuracy:.4f} | {int8.macro_f1:.4f} |",
        "",
        "The rest is of the model as it is served.",
        "",
        _by_label(int8),
        "![Confusion matrix](confusion.png)",
        "",
    ]
    if not named:
        lines += ["The labels in the picture are the numbers of the table above.", ""]
    lines += _most_confused(int8, facts.labels)
    (folder / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "report.md"


def _by_label(figures: Figures) -> str:
    lines = ["| | label | precision | recall | F1 | rows |", "|---|---|---|---|---|---|"]
    for number, (label, found) in enumerate(figures.by_label.items(), 1):
        shares = " | ".join(f"{found[name]:.3f}" for name in ("precision", "recall", "f1"))
        lines.append(f"| {number} | {_cell(label)} | {shares} | {found['rows']} |")
    return "\n".join(lines) + "\n"


def _most_confused(figures: Figures, labels: Sequence[str]) -> list[str]:
    pairs = [
        (int(count), labels[truth], labels[found])
        for truth, row in enumerate(figures.confusion)
        for found, count in enumerate(row)
        if truth != found and count
    ]
    if not pairs:
        return ["No dev row has a wrong label."]
    worst = sorted(pairs, reverse=True)[:CONFUSED]
    lines = [f"| {_cell(truth)} | {_cell(found)} | {count} |" for count, truth, found in worst]
    return ["Most often taken for another:", "", "| true | found | rows |", "|---|---|---|", *lines]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
