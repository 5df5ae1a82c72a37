"""The figures of quality as text and as plain data."""

import math
from collections.abc import Sequence
from typing import Any

from structbert_lite.evaluate.quality_study import Result


def table(results: Sequence[Result]) -> str:
    """For each data set one line a figure, one column a system."""
    parts = []
    for result in results:
        systems = list(result.figures)
        titles = list(dict.fromkeys(title for figures in result.figures.values() for title in figures))
        width = max(map(len, titles))
        columns = [max(len(system), 8) for system in systems]
        lines = ["".ljust(width) + "".join(f"  {s:>{w}}" for s, w in zip(systems, columns, strict=True))]
        for title in titles:
            cells = [_cell(result.figures[system].get(title, math.nan)) for system in systems]
            lines.append(title.ljust(width) + "".join(f"  {c:>{w}}" for c, w in zip(cells, columns, strict=True)))
        parts.append("\n".join([f"{result.name}: {result.about}", *lines]))
    return "\n\n".join(parts)


def plain(results: Sequence[Result]) -> list[dict[str, Any]]:
    """What --json prints; a figure that is not defined is null."""
    return [
        {
            "data": result.name,
            "about": result.about,
            "figures": {
                system: {title: None if math.isnan(value) else value for title, value in figures.items()}
                for system, figures in result.figures.items()
            },
            **({"confusion": result.confusion} if result.confusion else {}),
        }
        for result in results
    ]


def _cell(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"
