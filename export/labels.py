"""The order of a classifier's labels: what the checkpoint says, held against what is known of its kind."""

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from export.json_file import read_json
from export.refusal import ExportRefused
from export.tasks import TASKS, Task, spelling
from structbert_lite.manifest import THREE_WAY, split_labels

UNNAMED = re.compile(r"(label_?)?\d+", re.IGNORECASE)  # '0', 'LABEL_1'
COUNTS = {2: "two, 0 and 1", 3: "three, 0, 1 and 2"}
# ModelScope tasks with the same architecture and a head of another meaning, which no --task reads.
NO_TASK = ("faq-question-answering",)


def check_purpose(folder: Path, task: Task) -> None:
    """Raises ExportRefused when configuration.json says that the checkpoint is for another task."""
    stated = read_json(folder / "configuration.json").get("task")
    others = {name: other.name for other in TASKS.values() for name in other.modelscope} | dict.fromkeys(NO_TASK)
    if stated in others and others[stated] != task.name:
        hint = f"; it is exported by --task {others[stated]}" if others[stated] else ""
        raise ExportRefused(f"configuration.json says that the checkpoint is for {stated}, not for {task.name}{hint}")


def choose_labels(folder: Path, task: Task, given: Sequence[str] | None = None) -> tuple[tuple[str, ...], str]:
    """(labels in the order of the logits, where the checkpoint names them; "none" without any names).

    `given`: the order that the caller states. Raises ExportRefused when the names contradict it or the order that is
    known for such checkpoints, are not the task's, or when nothing tells the order.
    """
    check_purpose(folder, task)
    rule = task.labels
    if not rule.words:
        if given is not None:
            raise ExportRefused(f"--labels is for classifiers with labels; --task {task.name} has one logit")
        return (), "none"
    if given is not None and sorted(given) != sorted(rule.words):
        own = ", or two or more labels of the checkpoint's own, each once" if task.takes_own_labels else ""
        raise ExportRefused(f"--labels takes each of {', '.join(rule.words)} once, in the order of the logits{own}")
    stated = read_json(folder / "configuration.json").get("task")
    known = rule.orders.get(stated, rule.orders.get(None))
    where, names = _read_names(folder, task)
    if names is not None:
        found = _recognise(where, names, task, None if rule.own else known)
        if given is not None and found != tuple(given):
            raise ExportRefused(f"--labels says {', '.join(given)}, {where} says {', '.join(found)}")
        return found, where
    if given is not None:
        if known is not None and known != tuple(given):
            raise ExportRefused(f"--labels says {', '.join(given)}, checkpoints of this kind have {', '.join(known)}")
        return tuple(given), "--labels"
    if known is None:
        raise ExportRefused(
            "the checkpoint does not name its labels, and their order cannot be seen in the weights; "
            f"look at its card and pass --labels with {', '.join(rule.words)} in the order of the logits"
        )
    return known, "none"


def _read_names(folder: Path, task: Task) -> tuple[str, dict[int, str] | None]:
    where, names = find_names(folder)
    if names is None:
        return where, None
    count = len(task.labels.words)
    if sorted(names) != list(range(count)):
        has = f"--labels has {count}" if task.labels.own else f"{task.name} has {COUNTS[count]}"
        raise ExportRefused(f"{where} names {len(names)} labels, {list(names.values())}; {has}{_advise(task, names)}")
    numbered = all(UNNAMED.fullmatch(name) for name in names.values())
    meant = task.labels.own and set(names.values()) == set(task.labels.words)  # stars from 1 to 5
    return where, None if numbered and not meant else names


def _recognise(where: str, names: dict[int, str], task: Task, expected: Sequence[str] | None) -> tuple[str, ...]:
    """The labels that `names` spell, in the order of their indexes; `expected`: the order that they must have."""
    rule = task.labels
    labels = {word: label for label, words in rule.words.items() for word in words}
    found: list[str] = []
    for index in range(len(names)):
        label = labels.get(names[index].strip().lower()) or labels.get(spelling(names[index]))
        if label is None or (expected and label != expected[index]):
            wanted = expected[index] if expected else f"any of {', '.join(rule.words)}"
            wrong = "contradicts" if label else "is not known as"
            advice = _advise(task, names)
            raise ExportRefused(f"{where} calls label {index} {names[index]!r}, which {wrong} {wanted}{advice}")
        found.append(label)
    if len(set(found)) < len(found):
        raise ExportRefused(f"{where} gives two labels one meaning: {list(names.values())}{_advise(task, names)}")
    return tuple(found)


def _advise(task: Task, names: dict[int, str]) -> str:
    """What to type for a classifier with other labels than the task's; empty where there is nothing to be done so."""
    ordered = tuple(names[index].strip() for index in sorted(names))
    if not task.takes_own_labels or len(ordered) < 2 or not all(ordered) or len(set(ordered)) < len(ordered):
        return ""
    written = ",".join(ordered)
    if split_labels(written) != ordered:
        written = json.dumps(ordered, ensure_ascii=False)
    return (
        "; a classifier with labels of its own is exported by --labels with all of them, in the order of the logits: "
        f"--labels {shlex.quote(written)}"
    )


def is_multi_label(folder: Path, task: Task, labels: Sequence[str]) -> bool:
    """Whether config.json says that any number of the classifier's labels may fit.

    Raises ExportRefused where it says so of labels that exclude each other, or that the logits are no labels.
    """
    stated = read_json(folder / "config.json").get("problem_type")
    if len(labels) < 2 or stated in (None, "single_label_classification"):
        return False
    if stated != "multi_label_classification":
        raise ExportRefused(f"config.json says problem_type {stated}, so its logits are no labels")
    if not task.labels.own or sorted(labels) == sorted(THREE_WAY):
        raise ExportRefused(
            f"config.json says problem_type {stated}, and of {', '.join(labels)} only one can be right; if the "
            "checkpoint was trained to choose one, set it to single_label_classification there, else give its labels "
            "names of their own with --labels"
        )
    return True


def find_names(folder: Path) -> tuple[str, dict[int, str] | None]:
    """(place, names by index) from the first place that has any, in ModelScope's own order of look-up.

    That order is `parse_label_mapping`'s in modelscope/utils/hub.py.
    """
    configuration = read_json(folder / "configuration.json")
    config = read_json(folder / "config.json")
    model, preprocessor = (_section(configuration, name) for name in ("model", "preprocessor"))
    places: list[tuple[str, Any, str]] = [("label_mapping.json", read_json(folder / "label_mapping.json"), "label2id")]
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
