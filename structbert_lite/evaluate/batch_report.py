"""The figures of the batch-size study as text."""

from pathlib import Path

from structbert_lite.evaluate.batch_study import Row

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


def table(about: str, figures: dict[str, list[Row]]) -> str:
    """Columns for a terminal, file by file."""
    parts = [about]
    for name, rows in figures.items():
        lines = [HEADINGS, *map(_cells, rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        parts += ["", name]
        parts += ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        parts.append(suggestion(rows))
    return "\n".join(parts)


def markdown(about: str, figures: dict[str, list[Row]]) -> str:
    """The same as Markdown tables."""
    parts = [about]
    for name, rows in figures.items():
        lines = [HEADINGS, ["---:"] * len(HEADINGS), *map(_cells, rows)]
        parts += ["", f"### {name}"]
        parts += [f"| {' | '.join(line)} |" for line in lines]
        parts += ["", suggestion(rows)]
    return "\n".join(parts)


def suggestion(rows: list[Row]) -> str:
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


def _cells(row: Row) -> list[str]:
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
