import json
from pathlib import Path

import pytest

from training.task_card import CARDS, write_task_card

REPORT = {
    "task": "rerank",
    "results": [
        {
            "data": "cmrc2018",
            "about": "9 queries",
            "figures": {"BM25": {"nDCG@10": 0.5}, "light int8": {"nDCG@10": 0.75, "MRR@10": None}},
        }
    ],
}


@pytest.mark.parametrize("task", [path.stem for path in CARDS.glob("*.md")])
def test_a_card_has_its_figures_and_says_what_may_not_be_done(task: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps(REPORT), "utf-8")
    text = write_task_card(tmp_path, task, [report]).read_text("utf-8")
    assert text.startswith('---\nlicense: "research use only')
    assert "| nDCG@10 | 0.5000 | 0.7500 |" in text
    assert "| MRR@10 | – | – |" in text
    assert "Do not use this model commercially" in text
    assert "{figures}" not in text
