"""`structbert-lite predict TEXT` and its sisters: a model answers at once, without a server.

With --json an answer is the server's, byte by byte. What is not given as an argument comes from standard input, a line
at a time, and each line is answered before the next is read.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from structbert_lite.errors import InvalidInput, StructBertError
from structbert_lite.manifest import Task, split_labels
from structbert_lite.model_selection import serving_folder
from structbert_lite.registry import open_pipeline
from structbert_lite.request_context import RequestContext
from structbert_lite.results import answer_embeddings, answer_ranking
from structbert_lite.settings import Settings

LINES_WITH_ERRORS = 3  # the exit code, as of `score`
# What the pipelines call the one text or pair that they are asked about, and what the server's fields are.
FIELDS = {"texts[0]": "text", "pairs[0][0]": "text_a", "pairs[0][1]": "text_b"}


class _Text(click.ParamType[str]):
    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Bytes that are not the terminal's encoding come as lone surrogates, which no tokenizer takes."""
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail("this is not UTF-8", param, ctx)
        return value


_model = click.option(
    "--model", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A model's folder."
)
_as_json = click.option("--json", "as_json", is_flag=True, help="The server's JSON, one answer a line.")


@dataclass(frozen=True, slots=True)
class _Command:
    """How a command asks its pipeline about one text or pair, and writes the result for people and as JSON."""

    task: Task
    ask: Callable[[Any, Any], Any]
    write: Callable[[Any], str]
    write_json: Callable[[Any], str] = lambda result: _write_json(result.answer())
    read_line: Callable[[str], Any] = str

    def run(self, given: Sequence[Any], model: Path | None, as_json: bool) -> None:
        """Answers each of `given`; where there is none, each line of standard input.

        A line that cannot be read is answered, too, so that answers stay beside their lines: by a JSON error or an
        empty line. Standard error says why, and the exit code is LINES_WITH_ERRORS in the end.
        """
        write = self.write_json if as_json else self.write
        failed = False
        with _open_pipeline(self.task, model) as pipeline:
            for one in given:
                click.echo(write(self.ask(pipeline, one)))
            for number, line in enumerate(() if given else _read_lines(), 1):
                try:
                    answer = write(self.ask(pipeline, self.read_line(line)))
                except InvalidInput as error:
                    if error.field not in FIELDS:  # an option's, and so of every line
                        raise
                    failed = True
                    click.echo(f"line {number}: {error}", err=True)
                    facts = {"type": "invalid_input", "message": str(error), "field": FIELDS[error.field]}
                    answer = _write_json({"error": facts}) if as_json else ""
                click.echo(answer)
                sys.stdout.flush()
        if failed:
            sys.exit(LINES_WITH_ERRORS)


@click.command("predict")
@click.argument("texts", metavar="[TEXT]...", nargs=-1, type=_Text())
@click.option("--neutral", is_flag=True, help="The label may be Neutral, where the model knows it.")
@_model
@_as_json
def predict(texts: tuple[str, ...], neutral: bool, model: Path | None, as_json: bool) -> None:
    """The sentiment of each TEXT, or of each line of standard input: its label and how probable that is."""

    def ask(pipeline: Any, text: str) -> Any:
        usual = Settings.from_environment().sentiment_neutral and pipeline.runner.manifest.has_neutral
        return pipeline.predict([text], RequestContext(), neutral=neutral or usual)[0]

    def write(result: Any) -> str:
        return _write_cells(result.label, result.score, *["uncertain"] * bool(result.uncertain))

    _Command("sentiment", ask, write).run(texts, model, as_json)


@click.command("similarity")
@click.argument("texts", metavar="[A B]", nargs=-1, type=_Text())
@_model
@_as_json
def similarity(texts: tuple[str, ...], model: Path | None, as_json: bool) -> None:
    """How alike A and B are, or the two texts of each line of standard input with a tab between them: level, score."""
    if len(texts) not in (0, 2):
        raise click.UsageError("give two texts, or none and lines of two texts with a tab between them")

    def ask(pipeline: Any, pair: tuple[str, ...]) -> Any:
        if len(pair) != 2:
            raise InvalidInput("there are not two texts with a tab between them", "pairs[0][1]")
        return pipeline.predict([pair], RequestContext())[0]

    _Command(
        "similarity",
        ask,
        lambda result: _write_cells(result.level, result.score),
        read_line=lambda line: tuple(line.split("\t")),
    ).run([texts] if texts else [], model, as_json)


@click.command("classify")
@click.argument("texts", metavar="[TEXT]...", nargs=-1, type=_Text())
@click.option(
    "--labels",
    required=True,
    type=_Text(),
    metavar="A,B,...",
    help="What may fit; a JSON array where labels have commas in them.",
)
@click.option("--multi-label", is_flag=True, help="Score each label by itself.")
@click.option("--template", default="{}", show_default=True, help="The hypothesis, {} being the label.")
@click.option("--none", "with_none", is_flag=True, help="Add the probability that no label fits.")
@_model
@_as_json
def classify(
    texts: tuple[str, ...],
    labels: str,
    multi_label: bool,
    template: str,
    with_none: bool,
    model: Path | None,
    as_json: bool,
) -> None:
    """Which label fits each TEXT, or each line of standard input: all labels with their scores, the best one first."""
    try:
        names = split_labels(labels)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--labels") from None
    options = {"labels": names, "multi_label": multi_label, "hypothesis_template": template, "none": with_none}

    def write(result: Any) -> str:
        cells = [cell for both in zip(result.labels, result.scores, strict=True) for cell in both]
        return _write_cells(*cells, *([] if result.none is None else ["(none)", result.none]))

    _Command("zero-shot", lambda pipeline, text: pipeline.predict([text], RequestContext(), **options)[0], write).run(
        texts, model, as_json
    )


@click.command("rerank")
@click.argument("query", metavar="QUERY", type=_Text())
@click.argument("documents", metavar="[DOCUMENT]...", nargs=-1, type=_Text())
@click.option("--top-n", type=click.IntRange(1), help="How many to write.  [default: all]")
@_model
@_as_json
def rerank(query: str, documents: tuple[str, ...], top_n: int | None, model: Path | None, as_json: bool) -> None:
    """The DOCUMENTs, or the lines of standard input, by how well they answer QUERY: score and document, best first.

    Empty lines are no documents.
    """
    with _open_pipeline("rerank", model) as pipeline:
        texts = list(documents) or [line for line in _read_lines() if line.strip()]
        if not texts:
            raise click.ClickException("there are no documents")
        ranked = pipeline.predict(texts, RequestContext(), query=query, top_n=top_n)
    if as_json:
        click.echo(_write_json(answer_ranking(ranked)))
        return
    for one in ranked:
        click.echo(_write_cells(one.score, " ".join(texts[one.index].split())))


@click.command("embed")
@click.argument("texts", metavar="[TEXT]...", nargs=-1, type=_Text())
@_model
@_as_json
def embed(texts: tuple[str, ...], model: Path | None, as_json: bool) -> None:
    """The vector of each TEXT, or of each line of standard input: numbers with blanks between them."""
    _Command(
        "embedding",
        lambda pipeline, text: answer_embeddings(pipeline.predict([text], RequestContext())),
        lambda answer: " ".join(map(str, answer["embeddings"][0])),
        write_json=_write_json,
    ).run(texts, model, as_json)


@contextmanager
def _open_pipeline(task: Task, model: Path | None) -> Iterator[Any]:
    """The pipeline of `task` by `model`, by default the one that the server would take. Errors become the command's."""
    try:
        with open_pipeline(task, (model or serving_folder(task)).resolve()) as pipeline:
            yield pipeline
    except InvalidInput as error:
        place = "" if error.field in FIELDS else f"{error.field}: "
        raise click.ClickException(f"{place}{error}") from None
    except StructBertError as error:
        raise click.ClickException(str(error)) from None


def _read_lines() -> Iterator[str]:
    """The lines of standard input, UTF-8 with or without a mark, as they come."""
    if sys.stdin.isatty():
        click.echo("one text a line; Ctrl-D ends", err=True)
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise click.ClickException(
                f"line {number} of standard input is not UTF-8; `structbert-lite score` reads files in other encodings"
            ) from None


def _write_cells(*cells: str | float) -> str:
    return "\t".join(map(str, cells))


def _write_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
