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
def test_a_card_has_its_figures_and_says_who_may_use_the_model(task: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps(REPORT), "utf-8")
    text = write_task_card(tmp_path, task, [report]).read_text("utf-8")
    research = task == "sentiment-research"
    assert text.startswith('---\nlicense: "research use only' if research else '---\nlicense: "apache-2.0')
    assert ("**Anybody may use it**" in text) != research
    assert ("**Do not use this model" in text) == research
    assert all(name in text for name in ("intfloat, MIT", "the project's licence"))
    assert ("CC BY-SA" in text.split("---")[1]) == (task in ("similarity", "rerank"))
    assert "| nDCG@10 | 0.5000 | 0.7500 |" in text
    assert "| MRR@10 | – | – |" in text
    assert "{figures}" not in text
