"""The licence that a checkpoint states for itself."""

from pathlib import Path
from typing import Any

import yaml

from export.json_file import read_json

UNKNOWN = "not stated by the checkpoint"
CARDS = ("MODEL_CARD.md", "README.md")


def read_licence(folder: Path) -> str:
    """From the front matter of MODEL_CARD.md or README.md, else configuration.json, else UNKNOWN; one line."""
    facts = [split_front_matter(_read(folder / name))[0] for name in CARDS]
    for fact in [*facts, read_json(folder / "configuration.json")]:
        licence = fact.get("license")
        if licence == "other":  # Hugging Face's word for a licence that only license_name names
            licence = fact.get("license_name", licence)
        if isinstance(licence, list):
            licence = ", ".join(map(str, licence))
        if licence and isinstance(licence, str):
            return " ".join(licence.split())
    return UNKNOWN


def read_card(folder: Path) -> str:
    """The body of the checkpoint's MODEL_CARD.md without its front matter; empty where there is none."""
    return split_front_matter(_read(folder / "MODEL_CARD.md"))[1].strip()


def split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """(the YAML between two `---` lines at the very start, the rest); ({}, text) where there is none."""
    lines = text.splitlines(keepends=True)
    if not lines or lines[0].strip() != "---":
        return {}, text
    end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == "---"), None)
    if end is None:
        return {}, text
    try:
        facts = yaml.safe_load("".join(lines[1:end]))
    except yaml.YAMLError:
        facts = None
    return facts if isinstance(facts, dict) else {}, "".join(lines[end + 1 :])


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig", errors="replace") if path.is_file() else ""
