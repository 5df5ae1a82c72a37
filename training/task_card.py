"""MODEL_CARD.md of a run from its task's text in training/cards/ and reports of `evaluate quality --json`."""

import json
from pathlib import Path

CARDS = Path(__file__).parent / "cards"
# Of the trained weights; the base encoder's own is MIT, and each source of training text is named in the card.
LICENSES = {
    "sentiment": "apache-2.0",
    "sentiment-research": "research use only (most of the public reviews that it was trained on allow nothing else)",
    "zero-shot": "apache-2.0",
    "similarity": "apache-2.0; trained among others on CMRC 2018 and DRCD (CC BY-SA)",
    "rerank": "apache-2.0; trained among others on CMRC 2018 and DRCD (CC BY-SA)",
}


def write_task_card(run: Path, task: str, reports: list[Path]) -> Path:
    """Writes the card of `run`, a table for each data set of the reports; returns its path."""
    results = [result for report in reports for result in json.loads(report.read_text("utf-8"))["results"]]
    text = (CARDS / f"{task}.md").read_text("utf-8")
    head = f"---\nlicense: {json.dumps(LICENSES[task])}\n---\n"
    card = run / "MODEL_CARD.md"
    card.write_text(head + text.replace("{figures}", "\n\n".join(map(_table, results))), encoding="utf-8")
    return card


def _table(result: dict) -> str:
    """A Markdown table: one line a figure, one column a system."""
    systems = result["figures"]
    titles = dict.fromkeys(title for figures in systems.values() for title in figures)
    lines = [
        f"**{result['data']}** ({result['about']})",
        "",
        f"| | {' | '.join(systems)} |",
        "|---" * (len(systems) + 1) + "|",
    ]
    for title in titles:
        cells = [_cell(figures.get(title)) for figures in systems.values()]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
