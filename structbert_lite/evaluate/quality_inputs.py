"""What `evaluate quality` is given: files of rows, collections, and the labels of a zero-shot test."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from structbert_lite.evaluate.perturbation import PERTURBATION
from structbert_lite.evaluate.quality_tasks import COLUMNS, Rows
from structbert_lite.evaluate.retrieval import PARTS, Collection, find_parts, read_collection
from structbert_lite.evaluate.rows import read_rows, take_sample

BUILT_IN = {"similarity", "embedding"}  # tasks that can be asked about the built-in pairs
ON_COLLECTIONS = {"embedding", "rerank"}


@dataclass(frozen=True, slots=True)
class Inputs:
    """Files and their rows by name, collections by name, and the column to report by."""

    files: dict[str, tuple[Path, Rows]]
    collections: dict[str, Collection]
    group: str | None


def read_inputs(
    task: str, data: Sequence[Path], parts: Sequence[Path | None], group: str | None, limit: int | None
) -> Inputs:
    """What `data` (files and folders) and `parts` (corpus, queries, qrels) hold.

    Where there are none, the built-in pairs by kind. Raises ValueError for what does not fit the task.
    """
    given = [part for part in parts if part is not None]
    if given and len(given) < len(parts):
        raise ValueError(f"{', '.join(f'--{part}' for part in PARTS)} belong together: give all three")
    sources = {folder: find_parts(folder) for folder in data if folder.is_dir()}
    if given:
        corpus, queries, qrels = given
        sources[corpus.parent] = corpus, queries, qrels
    if sources and task not in ON_COLLECTIONS:
        raise ValueError(f"{task} is asked about rows: --data has to be a file")
    files = [file for file in data if file.is_file()]
    if not sources and not files:
        if task not in BUILT_IN:
            raise ValueError(f"give --data: a file with the columns {', '.join(COLUMNS[task])}")
        files, group = [PERTURBATION], group or "kind"
    needed = [*COLUMNS[task], *([group] if group else [])]
    return Inputs(
        {name: (file, take_sample(read_rows(file, needed), limit)) for name, file in _name(files).items()},
        {name: read_collection(*sources[folder], limit) for name, folder in _name(list(sources)).items()},
        group,
    )


def own_labels(inputs: Inputs, labels: Path | None, names: Path | None) -> tuple[list[str], list[str]]:
    """The labels of a zero-shot test and what the model is asked about in place of each.

    `labels` has one a line, else they are those of the rows; `names` has the columns label and name. Raises
    ValueError for a label without a name.
    """
    if labels:
        found = list(filter(None, map(str.strip, labels.read_text(encoding="utf-8-sig").splitlines())))
    else:
        found = sorted({row["label"] for _, rows in inputs.files.values() for row in rows})
    if not names:
        return found, found
    known = {row["label"]: row["name"] for row in read_rows(names, ["label", "name"])}
    if absent := [label for label in found if label not in known]:
        raise ValueError(f"{names} has no name for the label {absent[0]}")
    return found, [known[label] for label in found]


def _name(paths: Sequence[Path]) -> dict[str, Path]:
    """The paths by what the report calls them: the last part, or the whole path where that is not enough."""
    short = [path.resolve().stem for path in paths]
    return dict(zip(short if len(set(short)) == len(paths) else map(str, paths), paths, strict=True))
