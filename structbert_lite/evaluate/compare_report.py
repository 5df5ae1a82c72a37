"""The comparison of two sides as text."""

from typing import Any

LINES = {
    "accuracy": ("accuracy", ".2%"),
    "mean_ms": ("one text, mean (ms)", ".2f"),
    "p95_ms": ("one text, P95 (ms)", ".2f"),
    "per_second_batch_1": ("texts/s, batch 1", ".0f"),
    "per_second_batch_8": ("texts/s, batch 8", ".0f"),
    "memory_mb": ("memory, PSS (MB)", ".0f"),
    "start_seconds": ("start to ready (s)", ".2f"),
    "disk_mb": ("model on disk (MB)", ".1f"),
}


def table(about: str, figures: dict[str, Any]) -> str:
    """One line a figure: PyTorch, the light model, light over PyTorch."""
    reference, light = figures["sides"]["reference"], figures["sides"]["light"]
    lines = [about, "", f"{'':24}{'PyTorch float32':>16}{'light int8':>12}{'ratio':>8}"]
    for key, (title, style) in LINES.items():
        ratio = light[key] / reference[key] if reference[key] else float("nan")
        lines.append(f"{title:24}{reference[key]:>16{style}}{light[key]:>12{style}}{ratio:>8.2f}")
        if key == "accuracy":
            for label, share in reference["accuracy_by_label"].items():
                lines.append(f"{'  of ' + label:24}{share:>16{style}}{light['accuracy_by_label'][label]:>12{style}}")
    lines += ["", f"same label: {figures['agreement']:.2%} of the texts"]
    return "\n".join(lines)
