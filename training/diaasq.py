"""DiaASQ's forum posts about phones (MIT): what each says of which aspects."""

from pathlib import Path

from training.examples import read_tsv

Polarities = set[str]  # pos, neg, amb (both), neu and doubt (no opinion)


def read_aspects(path: Path) -> dict[str, dict[str, Polarities]]:
    """By text and aspect: the polarities of all that is said of it, of whichever phone."""
    found: dict[str, dict[str, Polarities]] = {}
    for row in read_tsv(path):
        found.setdefault(row["text"], {}).setdefault(row["aspect"], set()).add(row["polarity"])
    return found
