"""The picture: texts a second and memory of the servers, one line of panels a model."""

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
