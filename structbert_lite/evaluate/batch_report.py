"""The figures of the batch-size study as text and as a picture."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from structbert_lite.evaluate.stability import OUTLIERS, SIZES, THRESHOLD, BatchFigures

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
HEADINGS = (
    "batch",
    "ΔThreshold@0.7",
    "lowest, highest",
    "RankStability σ",
    "largest swing",
    "OutlierRate",
    "best threshold (Δ there)",
    "same bits",
    "ms a batch",
    "inputs/s",
    "peak MB",
)


def table(about: str, figures: dict[str, list[BatchFigures]]) -> str:
    """Columns for a terminal, file by file."""
    parts = [about]
    for name, rows in figures.items():
        lines = [HEADINGS, *map(_cells, rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        parts += ["", name]
        parts += ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        parts.append(suggestion(rows))
    return "\n".join(parts)


def markdown(about: str, figures: dict[str, list[BatchFigures]]) -> str:
    """The same as Markdown tables."""
    parts = [about]
    for name, rows in figures.items():
        lines = [HEADINGS, ["---:"] * len(HEADINGS), *map(_cells, rows)]
        parts += ["", f"### {name}"]
        parts += [f"| {' | '.join(line)} |" for line in lines]
        parts += ["", suggestion(rows)]
    return "\n".join(parts)


def suggestion(rows: list[BatchFigures]) -> str:
    """The threshold for inputs that are scored alone, and what is left of it at the other sizes."""
    alone = rows[0].stability
    found = [row.stability.threshold for row in rows]
    return (
        f"Suggested threshold: {alone.threshold:.3f}, where ΔThreshold is {alone.best_delta:.3f} "
        f"(over the batch sizes the best one goes from {min(found):.3f} to {max(found):.3f})."
    )


def split_page(page: Path) -> tuple[str, str]:
    """What stands before and after the place between the markers BEGIN and END. Raises ValueError without them."""
    head, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no lines {BEGIN} and {END} to write between")
    return f"{head}{BEGIN}\n", f"\n{END}{tail}"


def _cells(row: BatchFigures) -> list[str]:
    figures = row.stability
    return [
        str(row.batch),
        f"{figures.delta_threshold:.4f}",
        f"{figures.delta_lowest:.4f}, {figures.delta_highest:.4f}",
        f"{figures.rank_sigma:.1e}" if figures.rank_sigma else "0",
        f"{figures.rank_swing:.4f}" if figures.rank_swing else "0",
        f"{figures.outlier_rate:.4f}",
        f"{figures.threshold:.3f} ({figures.best_delta:.4f})",
        "yes" if row.same_bits else "no",
        f"{row.batch_ms:.1f}",
        f"{row.per_second:.0f}",
        f"{row.peak_mb:.0f}",
    ]


def load_plotter() -> Callable[[dict[str, list[BatchFigures]], Path], None]:
    """What draws the figures. Raises RuntimeError where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise RuntimeError(
            f"--plot needs {error.name}, which is not installed; run: pip install -r requirements-evaluate.txt"
        ) from None
    return partial(_draw, Figure)


def _draw(canvas: Callable[..., Any], figures: dict[str, list[BatchFigures]], target: Path) -> None:
    """Writes a PNG of four panels over the batch size, one line for each file."""
    picture = canvas(figsize=(11, 7), layout="constrained")
    axes = picture.subplots(2, 2)
    (delta, swing), (outliers, speed) = axes
    for name, rows in figures.items():
        found = [row.stability for row in rows]
        (line,) = delta.plot(SIZES, [f.delta_threshold for f in found], marker="o", label=name)
        low, high = [f.delta_lowest for f in found], [f.delta_highest for f in found]
        delta.fill_between(SIZES, low, high, color=line.get_color(), alpha=0.2)
        swing.plot(SIZES, [f.rank_swing for f in found], marker="o", label=f"{name}: largest swing")
        swing.plot(SIZES, [f.rank_sigma for f in found], "--", color=line.get_color(), label=f"{name}: σ, mean")
        outliers.plot(SIZES, [f.outlier_rate for f in found], marker="o", label=name)
        speed.plot(SIZES, [row.per_second for row in rows], marker="o", label=name)
    delta.set_title(f"ΔThreshold@{THRESHOLD}: mean, lowest, highest")
    swing.set_title("A score from shuffle to shuffle")
    outliers.set_title(f"Share of scores in {OUTLIERS[0]}–{OUTLIERS[1]}")
    speed.set_title("Inputs a second, one thread")
    for axis in axes.flat:
        axis.set_xscale("log", base=2)
        axis.set_xticks(SIZES, map(str, SIZES))
        axis.set_xlabel("batch size")
        axis.grid(alpha=0.3)
        axis.legend()
    for axis in (swing, speed):
        axis.set_ylim(bottom=0)
    picture.savefig(target, dpi=110)
