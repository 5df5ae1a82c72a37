"""The figures of the batch-size study as a picture; imported only for --plot."""

from pathlib import Path

from matplotlib.figure import Figure

from structbert_lite.evaluate.batch_study import SIZES, Row
from structbert_lite.evaluate.stability import OUTLIERS, THRESHOLD


def draw(figures: dict[str, list[Row]], target: Path) -> None:
    """Writes a PNG of four panels over the batch size, one line for each file."""
    picture = Figure(figsize=(11, 7), layout="constrained")
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
