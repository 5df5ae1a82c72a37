"""`python -m structbert_lite evaluate quality`: a task's usual figures on labelled data."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import get_args

import click

from structbert_lite.cli.evaluate.quality_inputs import own_labels, read_inputs
from structbert_lite.cli.evaluate.quality_report import plain, table
from structbert_lite.cli.evaluate.quality_rows import GRADED, sentiment, zero_shot
from structbert_lite.cli.evaluate.quality_study import Result, study_collection, study_rows
from structbert_lite.cli.evaluate.reference import open_reference
from structbert_lite.errors import StructBertError
from structbert_lite.manifest import Task, read_manifest
from structbert_lite.model_selection import serving_folder
from structbert_lite.registry import open_pipeline

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


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
        with ExitStack() as stack:
            pipelines = {"light int8": stack.enter_context(open_pipeline(task, folder))}
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
