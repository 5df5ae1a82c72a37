"""Sentiment labels: index 0 is Negative, 1 is Positive, as in ModelScope's StructBERT sentiment models.

The order cannot be seen in the weights, so a checkpoint that names its labels otherwise is refused.
"""

import re
from pathlib import Path
from typing import Any

from export.json_file import read_json
from export.refusal import ExportRefused

LABELS = ("Negative", "Positive")
WORDS = {
    "Negative": ("负面", "负向", "负", "消极", "negative", "neg"),
    "Positive": ("正面", "正向", "正", "积极", "positive", "pos"),
}
UNNAMED = re.compile(r"(label_?)?\d+", re.IGNORECASE)  # '0', 'LABEL_1'
# ModelScope tasks with two labels and the same architecture, whose answer is not a sentiment.
OTHER_TASKS = ("sentence-similarity", "nli", "zero-shot-classification", "faq-question-answering", "text-ranking")


def check_labels(folder: Path) -> str:
    """Where the checkpoint's own label names were found and agree, e.g. "config.json id2label"; "none" without any.

    Raises ExportRefused when the names contradict LABELS, are not a sentiment's or are not two.
    """
    task = read_json(folder / "configuration.json").get("task")
    if task in OTHER_TASKS:
        raise ExportRefused(f"configuration.json says that the checkpoint is for {task}, not for sentiment")
    where, names = find_names(folder)
    if names is None:
        return "none"
    if sorted(names) != [0, 1]:
        raise ExportRefused(f"{where} names {len(names)} labels, {list(names.values())}; sentiment has two, 0 and 1")
    if all(UNNAMED.fullmatch(name) for name in names.values()):
        return "none"
    for index, label in enumerate(LABELS):
        name = names[index].strip().lower()
        if name not in WORDS[label]:
            wrong = "contradicts" if any(name in words for words in WORDS.values()) else "is not known as"
            raise ExportRefused(f"{where} calls label {index} {names[index]!r}, which {wrong} {label}")
    return where


def find_names(folder: Path) -> tuple[str, dict[int, str] | None]:
    """(place, names by index) from the first place that has any, in ModelScope's own order of look-up.

    That order is `parse_label_mapping`'s in modelscope/utils/hub.py.
    """
    configuration = read_json(folder / "configuration.json")
    config = read_json(folder / "config.json")
    model, preprocessor = (_section(configuration, name) for name in ("model", "preprocessor"))
    places = [("label_mapping.json", read_json(folder / "label_mapping.json"), "label2id")]
    for file, section in (("configuration.json model", model), ("configuration.json preprocessor", preprocessor)):
        places += [(f"{file}.{kind}", section.get(kind), kind) for kind in ("label2id", "id2label")]
    places += [(f"config.json {kind}", config.get(kind), kind) for kind in ("label2id", "id2label")]
    for where, mapping, kind in places:
        if mapping:
            return where, _by_index(where, mapping, kind)
    return "nowhere", None


def _section(configuration: dict[str, Any], name: str) -> dict[str, Any]:
    section = configuration.get(name)
    return section if isinstance(section, dict) else {}


def _by_index(where: str, mapping: Any, kind: str) -> dict[int, str]:
    try:
        pairs = mapping.items() if kind == "id2label" else ((index, name) for name, index in mapping.items())
        return {int(index): str(name) for index, name in pairs}
    except (AttributeError, TypeError, ValueError):
        raise ExportRefused(f"{where} is not a mapping between names and whole numbers") from None
