"""Labelled texts from tab-separated files, and batches of them under a budget of padded tokens."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from structbert_lite.tables.table import read_table


@dataclass(frozen=True, slots=True)
class Example:
    """One text and the probability that it is positive: 0 or 1 for a label, between for a teacher's."""

    text: str
    positive: float
    source: str = ""


def read_tsv(path: Path) -> list[dict[str, str]]:
    """Rows of a tab-separated file with a header line; quotes are ordinary characters."""
    records = read_table(path, form="tsv").records
    if wrong := next((record.fault for record in records if record.fault), None):
        raise ValueError(f"{path}: {wrong}")
    return [record.values for record in records]


def read_labelled(path: Path) -> list[Example]:
    """Examples from a file with the columns `label` (0 or 1) and `text`, and perhaps `source`."""
    return [Example(row["text"], float(row["label"]), row.get("source", "")) for row in read_tsv(path)]


def hold_out(examples: list[Example], per_source: dict[str, int], seed: int) -> tuple[list[Example], list[Example]]:
    """Splits off `per_source[name]` random examples of each named source: (kept, held out)."""
    order = np.random.default_rng(seed).permutation(len(examples))
    left = dict(per_source)
    out = set()
    for i in order:
        if left.get(examples[i].source, 0) > 0:
            left[examples[i].source] -= 1
            out.add(int(i))
    kept = [example for i, example in enumerate(examples) if i not in out]
    return kept, [examples[i] for i in sorted(out)]


def encode(tokenizer: Tokenizer, texts: list[str], max_length: int) -> list[list[int]]:
    """Token ids of each text, truncated to `max_length` with the special tokens counted."""
    tokenizer.enable_truncation(max_length)
    return [e.ids for e in tokenizer.encode_batch_fast(texts)]


def batches(lengths: list[int], budget: int, rng: np.random.Generator | None) -> Iterator[np.ndarray]:
    """Groups of row numbers of about equal length, longest × rows ≤ `budget`, in random order.

    With an `rng` neighbours in length are mixed a little so that batches differ between epochs;
    without one the order is by length and every call gives the same batches.
    """
    keys = np.asarray(lengths, dtype=np.float64)
    if rng is not None:
        keys = keys * rng.uniform(0.9, 1.1, len(keys)) + rng.uniform(0, 1, len(keys))
    groups: list[list[int]] = []
    longest = 0
    for i in np.argsort(keys, kind="stable"):
        longest = max(longest, lengths[i])
        if not groups or longest * (len(groups[-1]) + 1) > budget:
            groups.append([])
            longest = lengths[i]
        groups[-1].append(int(i))
    order = rng.permutation(len(groups)) if rng is not None else range(len(groups))
    for g in order:
        yield np.array(groups[g])
