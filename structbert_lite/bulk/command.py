"""`python -m structbert_lite score`: every row of a file through a task's model."""

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

import click

from structbert_lite.bulk import local
from structbert_lite.bulk.job import SHARD_ROWS, Job, Progress, RayOptions, check_files
from structbert_lite.bulk.resumable_output import rows_kept
from structbert_lite.bulk.shards import shards_kept
from structbert_lite.errors import StructBertError
from structbert_lite.inference.resources import usable_cpus
from structbert_lite.manifest import Task, read_manifest, split_labels
from structbert_lite.model_selection import serving_folder
from structbert_lite.registry import models_of
from structbert_lite.settings import Settings
from structbert_lite.tables.formats import WHOLE_FILES, Format, format_of
from structbert_lite.tables.source import UnknownEncoding, read_text
from structbert_lite.tasks.aspect_words import DOMAINS, USUAL

# The options that name a task's columns, and what they are called where they are not given.
COLUMNS = {
    "sentiment": {"column": "text"},
    "embedding": {"column": "text"},
    "zero-shot": {"column": "text"},
    "aspects": {"column": "text"},
    "similarity": {"column_a": "text_a", "column_b": "text_b"},
    "rerank": {"query_column": "query", "document_column": "document"},
}
OPTIONS = {
    "sentiment": ("neutral",),
    "zero-shot": ("labels", "labels_file", "multi_label", "template"),
    "aspects": ("aspects", "domain"),
}
ROWS_WITH_ERRORS, INTERRUPTED = 3, 130  # exit codes
KEPT = ("prefix", "encoding", "out_encoding", "quoted", "sheet", "header_row", "restart")  # as the job has them
FORMAT = click.Choice(get_args(Format))
FILE = click.Path(allow_dash=True, path_type=Path)
LINES = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


@click.command("score")
@click.argument("source", type=FILE)
@click.option(
    "--task", type=click.Choice([*get_args(Task), "aspects"]), required=True, help="What is asked of each row."
)
@click.option("-o", "--out", type=FILE, required=True, help="The file to write; - is standard output.")
@click.option(
    "--column",
    help="sentiment, embedding, zero-shot, aspects: the column to read.  "
    "[default: text, else the one whose name says so]",
)
@click.option("--neutral", is_flag=True, help="sentiment: the label may be Neutral, where the model knows it.")
@click.option("--column-a", help="similarity: the first text's column.  [default: text_a]")
@click.option("--column-b", help="similarity: the second text's column.  [default: text_b]")
@click.option("--query-column", help="rerank: the query's column.  [default: query]")
@click.option("--document-column", help="rerank: the document's column.  [default: document]")
@click.option("--labels", help="zero-shot: the labels, with commas (or 、) between them.")
@click.option("--labels-file", type=LINES, metavar="FILENAME", help="zero-shot: the labels, one a line.")
@click.option("--multi-label", is_flag=True, help="zero-shot: score each label by itself.")
@click.option("--template", help="zero-shot: the hypothesis, {} being the label.  [default: {}]")
@click.option("--aspects", help="aspects: those to look for, with commas between them.  [default: the usual ones]")
@click.option("--domain", type=click.Choice(list(DOMAINS)), help="aspects: look for those of such reviews.")
@click.option("--model", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A model's folder.")
@click.option("--format", "source_format", type=FORMAT, help="Of SOURCE.  [default: by its ending; csv for -]")
@click.option("--out-format", type=FORMAT, help="Of the output.  [default: by its ending; as SOURCE for -]")
@click.option("--encoding", help="Of SOURCE.  [default: auto, which tells UTF-8, GB18030, Big5 and UTF-16 apart]")
@click.option("--delimiter", help="CSV, TSV: the character between cells; tab.  [default: found out]")
@click.option("--sheet", help="XLSX: a sheet's name or number.  [default: the first visible one with such a table]")
@click.option(
    "--header-row", type=click.IntRange(1), help="CSV, TSV, XLSX: the row with the names.  [default: found out]"
)
@click.option("--out-encoding", help="Of CSV and TSV.  [default: as SOURCE where that is UTF-8 or GB18030, else UTF-8]")
@click.option("--quoted", is_flag=True, help="TSV: cells may stand in double quotes, as in CSV.")
@click.option("--prefix", default="", help="Put before the name of each new column.")
@click.option("--threads", type=click.IntRange(1), help="[default: the CPUs that may be used; ray: 1 an actor]")
@click.option(
    "--executor",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="This machine in one process, or Ray, also on several machines.",
)
@click.option("--ray-address", help="ray: a cluster's address.  [default: a Ray of its own on this machine]")
@click.option("--actors", type=click.IntRange(1), help="ray: how many hold the model.  [default: the cluster's CPUs]")
@click.option("--shard-rows", type=click.IntRange(1), help=f"ray: of a file at the most.  [default: {SHARD_ROWS}]")
@click.option("--restart", is_flag=True, help="Begin anew, whatever is there already.")
@click.option("--quiet", is_flag=True, help="No progress and no closing line.")
def command(
    source: Path,
    task: Task | Literal["aspects"],
    out: Path,
    model: Path | None,
    source_format: Format | None,
    out_format: Format | None,
    quiet: bool,
    executor: str,
    threads: int | None,
    **given: Any,
) -> None:
    """Score every row of SOURCE (CSV, TSV, TXT, JSONL, Parquet, XLSX; - is standard input), and add columns.

    A job that was killed or stopped goes on where it was when the same command is run again. A row that cannot be
    scored says why in the column `error`; the exit code is then 3. docs/bulk.md has the columns and the formats.
    With --executor ray SOURCE is a Parquet file or a folder of them and the output a folder; see docs/scale.md.
    """
    progress = Progress(quiet)
    try:
        path, written = (None if str(name) == "-" else name for name in (source, out))
        cluster = _cluster(executor, given)
        check_files(path, written, source_format, cluster)
        form = "parquet" if cluster else format_of(path, source_format, "--format")
        asked = _columns(task, given)
        main, *rest = models_of(task)
        folder = (model or serving_folder(main)).resolve()
        settings = Settings.from_environment()
        job = Job(
            task=task,
            model=folder,
            source=path,
            out=written,
            source_format=form,
            threads=threads or (1 if cluster else usable_cpus()),
            out_format="parquet"
            if cluster
            else out_format or (form if written is None else format_of(written, None, "--out-format", written=True)),
            columns=asked,
            options=_options(task, folder, given),
            others=tuple(serving_folder(other).resolve() for other in rest),
            guess=COLUMNS[task] == {"column": "text"} and given["column"] is None,
            delimiter=_delimiter(given["delimiter"]),
            early_exit=settings.early_exit,
            prefix_bytes=settings.prefix_bytes,
            **{name: given[name] for name in KEPT},
        )
        if written is None and job.out_format in WHOLE_FILES:
            raise ValueError(f"{WHOLE_FILES[job.out_format]} can only be written to a file")
        counts = _choose_ray(cluster).run(job, progress, cluster) if cluster else local.run(job, progress)
    except KeyboardInterrupt:
        _say(f"\nStopped. {_how_to_go_on(written)}")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(1)  # whoever read the output has gone; there is nobody to tell
    except OSError as error:
        _say(f"Error: {error.filename or written or 'standard output'}: {error.strerror}")
        _say(_how_to_go_on(written))
        sys.exit(1)
    except (StructBertError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    progress.report(str(written or "standard output"))
    sys.exit(ROWS_WITH_ERRORS if counts.done.errors else 0)


def _columns(task: str, given: dict[str, Any]) -> tuple[str, ...]:
    """The columns to read. Raises ValueError for an option that the task does not have."""
    every = {option for options in COLUMNS.values() for option in options}
    every |= {option for options in OPTIONS.values() for option in options}
    for option in sorted(every - {*COLUMNS[task], *OPTIONS.get(task, ())}):
        if given[option]:
            raise ValueError(f"--{option.replace('_', '-')} is not an option of --task {task}")
    return tuple(given[option] or usual for option, usual in COLUMNS[task].items())


def _options(task: str, folder: Path, given: dict[str, Any]) -> dict[str, Any]:
    """What `predict` of the task's pipeline is asked, by the model in `folder`."""
    if task == "sentiment":
        usual = Settings.from_environment().sentiment_neutral and read_manifest(folder).has_neutral
        return {"neutral": True} if given["neutral"] or usual else {}
    if task == "aspects":
        if None not in (given["aspects"], given["domain"]):
            raise ValueError("give --aspects or --domain, not both")
        if given["aspects"] is not None:
            return {"aspects": split_labels(given["aspects"])}
        return {"aspects": DOMAINS[given["domain"]] if given["domain"] else USUAL}
    if task != "zero-shot":
        return {}
    if (given["labels"] is None) == (given["labels_file"] is None):
        raise ValueError("--task zero-shot needs --labels or --labels-file")
    if given["labels"] is not None:
        labels = split_labels(given["labels"])
    else:
        labels = tuple(filter(None, map(str.strip, _lines(given["labels_file"]))))
    if not labels:
        raise ValueError(f"--labels{'' if given['labels'] is not None else '-file'} holds no label")
    return {
        "labels": labels,
        "multi_label": given["multi_label"],
        "hypothesis_template": given["template"] or "{}",
    }


def _delimiter(given: str | None) -> str | None:
    """Raises ValueError for what is no single character."""
    delimiter = {"tab": "\t", "\\t": "\t"}.get(given or "", given)
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise ValueError(f"--delimiter is one character, or tab, not {given!r}")
    return delimiter


def _lines(path: Path) -> list[str]:
    try:
        return read_text(None if str(path) == "-" else path)[0].split("\n")
    except UnknownEncoding as error:
        raise ValueError(f"--labels-file: {error}; save it as UTF-8") from None


def _cluster(executor: str, given: dict[str, Any]) -> RayOptions | None:
    """Raises ValueError for an option that the executor does not have."""
    asked = {name: given[name] for name in ("ray_address", "actors", "shard_rows")}
    if executor == "ray":
        return RayOptions(asked["ray_address"], asked["actors"], asked["shard_rows"] or SHARD_ROWS)
    for name, value in asked.items():
        if value:
            raise ValueError(f"--{name.replace('_', '-')} needs --executor ray")
    return None


def _how_to_go_on(out: Path | None) -> str:
    if out is not None and out.is_dir() and (kept := shards_kept(out)):
        return f"{kept} finished shards are kept in {out}; the same command goes on from there."
    if out is None or not (kept := rows_kept(out)):
        return "Nothing is kept."
    return f"{kept} rows are kept in {out}.part; the same command goes on from there."


def _say(line: str) -> None:
    click.echo(line, err=True)


def _choose_ray(cluster: RayOptions) -> ModuleType:
    """The executor. Raises ValueError where Ray is not installed."""
    # Ray reads these when it is imported.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its C++ writes lines of its own to the terminal
    if cluster.address is None:
        # Then it listens on loopback alone; 127.0.0.1 as the node's address it would replace by an outer one.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        from structbert_lite.bulk import ray
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in {"ray", "pandas", "pyarrow"}:
            raise
        raise ValueError("--executor ray needs Ray: pip install -r requirements-ray.txt") from None
    return ray
