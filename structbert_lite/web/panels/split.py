"""Several texts in one field of a form. static/split.js does the same."""

import re

BLANK_LINE = re.compile(r"\n\s*\n")
BETWEEN_LABELS = re.compile(r"[,，、;；\n]")


def split_lines(text: str) -> list[str]:
    """One text a line, without the empty ones."""
    return _kept(text.split("\n"))


def split_passages(text: str) -> list[str]:
    """Blocks with blank lines between them; one a line where there are no blank lines."""
    text = text.strip()
    return _kept(BLANK_LINE.split(text)) if BLANK_LINE.search(text) else split_lines(text)


def split_labels(text: str) -> list[str]:
    """Labels with commas or line ends between them, each once."""
    return list(dict.fromkeys(_kept(BETWEEN_LABELS.split(text))))


def _kept(parts: list[str]) -> list[str]:
    return [part.strip() for part in parts if part.strip()]
