"""The figures as Markdown."""

from collections.abc import Sequence

AIM_CLIENTS = 16
OTHERS_AIM = 1.5, 2.5  # times the texts a second of the fastest server that is not bare: early exit off, on
BARE_AIM = 1.1, 1.9  # of the fastest bare one
BASE_AIM = 1.05, None  # at BERT-base size
MEMORY_AIM = 1.3  # times the bare one's memory


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """One table; a | inside a cell is escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def server_table(rows: list[dict]) -> str:
    """The servers at 16 clients; the reason in place of the figures where one failed."""
    header = ["server", "texts/s", "of ours", "p50 ms", "p95 ms", "p99 ms", "memory MB", "start s"]
    header += ["change in a crowd", "change in a batch", "from fp32", "failures"]
    ours = _at(rows[0], AIM_CLIENTS)
    lines = []
    for row in rows:
        load = _at(row, AIM_CLIENTS)
        if load is None:
            lines.append([row["title"], f"failed: {row['failed']}", *[""] * (len(header) - 2)])
            continue
        ratio = f"{load['per_second'] / ours['per_second']:.2f}" if ours else ""
        lines.append(
            [row["title"], f"{load['per_second']:.0f}", ratio]
            + [f"{load[name]:.0f}" for name in ("p50_ms", "p95_ms", "p99_ms")]
            + [f"{row['memory_mb']:.0f}", f"{row['start_seconds']:.1f}"]
            + [_change(row[name]) for name in ("change_in_crowd", "change_in_batch", "change_from_fp32")]
            + [f"{sum(found['failures'] for found in row['loads']):.0f}"]
        )
    return markdown(header, lines)


def clients_table(rows: list[dict]) -> str:
    """Texts a second, and p95 in milliseconds, for each number of clients."""
    good = [row for row in rows if "failed" not in row]
    if not good:
        return ""
    header = ["server, texts/s (p95 ms)", *(f"{found['clients']:.0f} clients" for found in good[0]["loads"])]
    return markdown(
        header,
        [[row["title"], *(f"{f['per_second']:.0f} ({f['p95_ms']:.0f})" for f in row["loads"])] for row in good],
    )


def kernel_table(rows: list[dict]) -> str:
    """Texts a second of the bare loops; (1) one run on all CPUs was the better setting, else runs side by side."""
    good = [row for row in rows if "failed" not in row]
    shapes = list(good[0]["shapes"]) if good else []
    lines = []
    for row in rows:
        if "failed" in row:
            lines.append([row["title"], f"failed: {row['failed']}", *[""] * (len(shapes) + 3)])
            continue
        cells = [
            f"{f['per_second']:.0f}{' (1)' if f['setting'].startswith('one') else ''}" for f in row["shapes"].values()
        ]
        changes = [_change(row["change_in_batch"]), _change(row.get("change_from_fp32"))]
        costs = [f"{row['memory_mb']:.0f}", f"{row['start_seconds']:.1f}"]
        lines.append([row["title"], *cells, *changes, *costs])
    header = ["engine, texts/s", *shapes, "change in a batch", "from fp32", "memory MB", "start s"]
    return markdown(header, lines)


def setting_table(rows: list[dict]) -> str:
    """Which setting each server was measured with, and what was tried."""
    lines = []
    for row in rows:
        for words, found in row.get("tried", {}).items():
            figure = found if isinstance(found, str) else f"{found:.0f} texts/s"
            lines.append([row["title"], words, figure, "yes" if words == row.get("setting") else ""])
    return markdown(["server", "setting", "trial, 16 clients", "chosen"], lines)


def verdicts(rows: list[dict], base_size: bool = False) -> list[str]:
    """What was aimed at, and what came: ours without and with early exits against the best others at 16 clients."""
    ran = [row for row in rows if "failed" not in row]
    ours = [row for row in ran if row["kind"] == "ours"]
    lines = []
    for kind, words, aims in (
        ("bare", "the fastest bare server", BASE_AIM if base_size else BARE_AIM),
        ("server", "the fastest other server", OTHERS_AIM),
    ):
        others = [row for row in ran if row["kind"] == kind]
        if not ours or not others:
            lines.append(f"Nothing to compare with {words}.")
            continue
        best = max(others, key=_per_second)
        for row, aim in zip(rows, aims, strict=False):
            if row in ours:
                ratio = _per_second(row) / _per_second(best)
                said = "" if aim is None else f" ({_aim(ratio >= aim)}: {aim} times)"
                lines.append(f"texts/s at 16 clients: {row['title']}, {ratio:.2f} times {best['title']}, {words}{said}")
        if kind == "bare":
            memory = ours[0]["memory_mb"] / best["memory_mb"]
            lines.append(f"memory: {memory:.2f} of its ({_aim(memory <= MEMORY_AIM)}: {MEMORY_AIM})")
    if ours:
        change = max(row[name] for row in ours for name in ("change_in_crowd", "change_in_batch"))
        lines.append(f"change of a score of ours in a crowd or a batch: {_change(change)} ({_aim(change == 0)}: 0.0)")
    return lines


def _per_second(row: dict) -> float:
    load = _at(row, AIM_CLIENTS)
    return load["per_second"] if load else 0.0


def _at(row: dict, clients: int) -> dict | None:
    return next((load for load in row.get("loads", []) if load["clients"] == clients and "failed" not in row), None)


def _change(value: float | None) -> str:
    if value is None:
        return "–"
    return "0.0" if value == 0 else f"{value:.1e}" if value < 1e-3 else f"{value:.4f}"


def _aim(reached: bool) -> str:
    return "aim reached" if reached else "aim NOT reached"
