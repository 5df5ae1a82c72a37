"""`python -m structbert_lite evaluate quality`: a task's usual figures on labelled data."""

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, get_args

import click
import numpy as np

from structbert_lite.errors import StructBertError
from structbert_lite.evaluate.figures import confusion, retrieval_figures
from structbert_lite.evaluate.quality_tasks import COLUMNS, GRADED, Rows, RowTask, sentiment, zero_shot
from structbert_lite.evaluate.reference import open_reference
from structbert_lite.evaluate.retrieval import (
    CANDIDATES,
    PARTS,
    Collection,
    find_parts,
    rank_by_vectors,
    rank_by_words,
    read_collection,
    rerank_by_model,
)
from structbert_lite.evaluate.rows import PERTURBATION, read_rows, take_sample
from structbert_lite.inference.model import Model
from structbert_lite.manifest import Task, read_manifest
from structbert_lite.model_selection import serving_folder
from structbert_lite.registry import open_pipeline
from structbert_lite.settings import Settings
from structbert_lite.tables.source import read_text

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
BUILT_IN = {"similarity", "embedding"}  # tasks that can be asked about the built-in pairs
ON_COLLECTIONS = {"embedding", "rerank"}
Pipelines = Mapping[str, Any]  # by the system's name in the report


@click.command("quality")
@click.argument("model", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
@click.option("--task", type=click.Choice(get_args(Task)), required=True, help="What is measured.")
@click.option("--data", type=click.Path(exists=True, path_type=Path), multiple=True, help="May be given several times.")
@click.option("--corpus", type=FILE, help="Columns doc_id, text; with --queries and --qrels, in place of a folder.")
@click.option("--queries", type=FILE, help="Columns query_id, text.")
@click.option("--qrels", type=FILE, help="Columns query_id, doc_id, rel: a number, above 0 where it is relevant.")
@click.option("--by", "group", help="Column to report by as well.")
@click.option("--labels", type=FILE, help="zero-shot: the labels, one a line.  [default: those of the data]")
@click.option("--label-names", type=FILE, help="zero-shot: columns label, name; the model is asked about the name.")
@click.option("--template", default="{}", show_default=True, help="zero-shot: the hypothesis, {} being the name.")
@click.option("--limit", type=click.IntRange(1), help="Rows or queries to take at random, the same every time.")
@click.option("--reference", help="The checkpoint, a folder or an id: its float32 figures in PyTorch as well.")
@click.option("--python", help="Python with PyTorch.  [default: .venv-export's, else the one that runs this]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def command(
    model: Path | None,
    task: str,
    data: tuple[Path, ...],
    corpus: Path | None,
    queries: Path | None,
    qrels: Path | None,
    group: str | None,
    labels: Path | None,
    label_names: Path | None,
    template: str,
    limit: int | None,
    reference: str | None,
    python: str | None,
    as_json: bool,
) -> None:
    """The task's usual figures, on labelled data, of the model in the folder MODEL (default: the one that serves it).

    A file is tab-separated UTF-8 with a header line, comma-separated where it ends in .csv. Its columns: label and
    text (sentiment, zero-shot); text_a, text_b, label (similarity, embedding; without --data the built-in pairs);
    query, text, label (rerank). For embedding and rerank --data may also be a folder with corpus.tsv, queries.tsv
    and qrels.tsv. docs/quality.md says what the figures mean.
    """
    try:
        folder = (model or serving_folder(task)).resolve()
        inputs = read_inputs(task, data, (corpus, queries, qrels), group, limit)
        if task == "sentiment":
            manifest = read_manifest(folder)
            asked = {name: sentiment(manifest, rows) for name, (_, rows) in inputs.files.items()}
        elif task == "zero-shot":
            asked = dict.fromkeys(inputs.files, zero_shot(*own_labels(inputs, labels, label_names), template))
        else:
            asked = dict.fromkeys(inputs.files, GRADED[task])
        expected = {name: asked[name].expect(*given) for name, given in inputs.files.items()}  # before the work
        results: list[Result] = []
        settings = Settings.from_environment()
        load_model = partial(Model.load, early_exit=settings.early_exit, prefix_bytes=settings.prefix_bytes)
        with ExitStack() as stack:
            pipelines = {"light int8": stack.enter_context(open_pipeline(task, folder, load_model=load_model))}
            if reference:
                pipelines["PyTorch float32"] = stack.enter_context(open_reference(task, folder, reference, python))
            for name, (_, rows) in inputs.files.items():
                results += study_rows(asked[name], pipelines, name, expected[name], rows, inputs.group)
            for name, collection in inputs.collections.items():
                results.append(study_collection(task, pipelines, name, collection))
    except (StructBertError, RuntimeError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        shown = {"task": task, "model": folder.name, "results": plain(results)}
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        click.echo(table(results))


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
        found = list(filter(None, map(str.strip, read_text(labels)[0].split("\n"))))
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


@dataclass(frozen=True, slots=True)
class Result:
    """Figures by system. `about` says what they are of; `confusion[system][truth][label]` counts rows."""

    name: str
    about: str
    figures: dict[str, dict[str, float]]
    confusion: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)


def study_rows(
    task: RowTask, pipelines: Pipelines, title: str, expected: np.ndarray, rows: Rows, group: str | None
) -> list[Result]:
    """The figures of all rows and, with `group`, of the rows with each value of that column."""
    found = {name: task.ask(pipeline, rows, f"{title}, {name}") for name, pipeline in pipelines.items()}
    highest = int(expected.max())
    results = [_of_rows(task, title, found, expected, rows, highest)]
    if not group:
        return results
    for value in dict.fromkeys(row[group] for row in rows):
        own = [i for i, row in enumerate(rows) if row[group] == value]
        part = {name: numbers[own] for name, numbers in found.items()}
        name = f"{title}, {group} {value}"
        results.append(_of_rows(task, name, part, expected[own], [rows[i] for i in own], highest))
    return results


def study_collection(task: str, pipelines: Pipelines, name: str, collection: Collection) -> Result:
    """Rankings of the whole corpus by vectors, or of BM25's best documents by a reranker, beside BM25's own."""
    baseline = rank_by_words(collection)
    rankings = {"BM25": baseline}
    for system, pipeline in pipelines.items():
        title = f"{name}, {system}"
        if task == "rerank":
            rankings[system] = rerank_by_model(pipeline, collection, baseline, title)
        else:
            rankings[system] = rank_by_vectors(pipeline, collection, title)
    about = f"{len(collection.queries)} queries, {len(collection.documents)} documents"
    if task == "rerank":
        about += f", the first {CANDIDATES} of BM25 reranked"
    figures = {system: retrieval_figures(ranked, collection.judgements) for system, ranked in rankings.items()}
    return Result(name, about, figures)


def _of_rows(
    task: RowTask, name: str, found: Mapping[str, np.ndarray], expected: np.ndarray, rows: Rows, highest: int
) -> Result:
    figures = {system: task.figures(numbers, expected, rows, highest) for system, numbers in found.items()}
    counts = {}
    if task.labels:
        for system, numbers in found.items():
            table = confusion(numbers.argmax(1).tolist(), expected.tolist(), range(len(task.labels)))
            counts[system] = {
                truth: dict(zip(task.labels, row, strict=True))
                for truth, row in zip(task.labels, table.tolist(), strict=True)
            }
    return Result(name, f"{len(rows)} rows", figures, counts)


def table(results: Sequence[Result]) -> str:
    """For each data set one line a figure, one column a system."""
    parts = []
    for result in results:
        systems = list(result.figures)
        titles = list(dict.fromkeys(title for figures in result.figures.values() for title in figures))
        width = max(map(len, titles))
        columns = [max(len(system), 8) for system in systems]
        lines = ["".ljust(width) + "".join(f"  {s:>{w}}" for s, w in zip(systems, columns, strict=True))]
        for title in titles:
            cells = [_cell(result.figures[system].get(title, math.nan)) for system in systems]
            lines.append(title.ljust(width) + "".join(f"  {c:>{w}}" for c, w in zip(cells, columns, strict=True)))
        parts.append("\n".join([f"{result.name}: {result.about}", *lines]))
    return "\n\n".join(parts)


def plain(results: Sequence[Result]) -> list[dict[str, Any]]:
    """What --json prints; a figure that is not defined is null."""
    return [
        {
            "data": result.name,
            "about": result.about,
            "figures": {
                system: {title: None if math.isnan(value) else value for title, value in figures.items()}
                for system, figures in result.figures.items()
            },
            **({"confusion": result.confusion} if result.confusion else {}),
        }
        for result in results
    ]


def _cell(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"
