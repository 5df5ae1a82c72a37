"""The pictures: texts a second and memory of the servers, one line of panels a model; and the curves of scaling."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt


def draw(figures: dict, file: Path) -> None:
    """Texts a second at each number of clients, and memory, of the servers that ran; writes a PNG."""
    pairs = [name for name, pair in figures["pairs"].items() if pair.get("servers")]
    if not pairs:
        return
    drawing, axes = plt.subplots(len(pairs), 2, figsize=(11, 4 * len(pairs)), squeeze=False, width_ratios=(3, 2))
    for (speed, memory), name in zip(axes, pairs, strict=True):
        rows = [row for row in figures["pairs"][name]["servers"] if "failed" not in row]
        for i, row in enumerate(rows):
            clients = [f"{load['clients']:.0f}" for load in row["loads"]]
            speed.plot(clients, [load["per_second"] for load in row["loads"]], marker="o", label=row["title"])
            bar = memory.barh(row["title"], row["memory_mb"], color=f"C{i}")
            memory.bar_label(bar, fmt="%.0f", padding=3)
        top = max((load["per_second"] for row in rows for load in row["loads"]), default=1)
        speed.set(title=f"{name}: texts a second", xlabel="clients", ylim=(0, 1.35 * top))
        speed.legend(loc="upper center", ncols=2)
        speed.grid(alpha=0.3)
        memory.set(title=f"{name}: memory after the load, MB (PSS)")
        memory.invert_yaxis()
        memory.margins(x=0.15)
    drawing.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(file, dpi=100)


def draw_curves(curves: dict[str, list[dict[str, float]]], file: Path) -> None:
    """Six panels of benchmarks.scaling, both axes logarithmic: a straight line at 45 degrees is proportional growth."""
    drawing, axes = plt.subplots(2, 3, figsize=(14, 8))
    panels: Sequence[tuple[str, str, str, dict[str, str]]] = (
        (
            "tokens",
            "length of a text, tokens",
            "CPU ms a text",
            {"cpu_ms": "all layers", "cpu_ms_early_exit": "early exit"},
        ),
        ("clients", "clients", "texts a second", {"per_second_1": "1 CPU", "per_second_2": "2 CPUs"}),
        ("clients", "clients", "p50, ms", {"p50_ms_1": "1 CPU", "p50_ms_2": "2 CPUs"}),
        ("labels", "labels of a text", "ms a request", {"p50_ms": "p50", "cpu_ms": "CPU time"}),
        ("documents", "documents of a query", "ms a request", {"p50_ms": "p50", "cpu_ms": "CPU time"}),
        ("cache", "entries", "", {"memory_mb": "memory, MB", "hit_us": "hit, µs", "put_us": "new entry, µs"}),
    )
    for panel, (name, xlabel, ylabel, lines) in zip(axes.flat, panels, strict=True):
        x = {"cache": "entries"}.get(name, name)
        for key, label in lines.items():
            points = [(row[x], row[key]) for row in curves[name] if row[x] > 0 and row[key] > 0]
            panel.loglog(*zip(*points, strict=True), marker="o", label=label)
        panel.set(xlabel=xlabel, ylabel=ylabel)
        panel.legend()
        panel.grid(alpha=0.3, which="both")
    drawing.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(file, dpi=90)
