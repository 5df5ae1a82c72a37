"""`python -m structbert_lite evaluate accuracy`: how often a model is right on labelled texts."""

import json
import sys
from pathlib import Path

import click

from structbert_lite.cli.evaluate.rows import judged_labels, label_numbers, read_rows
from structbert_lite.engine import Engine
from structbert_lite.errors import StructBertError
from structbert_lite.evaluate.accuracy import Accuracy, accuracy_by_group
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings

CHUNK = 256  # texts asked for at once; the scores do not depend on it
PATIENCE = 600.0  # seconds for one chunk


@click.command("accuracy")
@click.argument("model", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("files", type=click.Path(exists=True, dir_okay=False, path_type=Path), nargs=-1, required=True)
@click.option("--by", "group", help="Column to report by; default: one figure for each file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(model: Path, files: tuple[Path, ...], group: str | None, as_json: bool) -> None:
    """Accuracy of the sentiment model in the folder MODEL on FILES.

    A file is UTF-8 with a header line and the columns `label` (a label's name, or its number in the model's
    order) and `text`; tab-separated, quotes being ordinary characters, or comma-separated where it ends in .csv.
    A model that knows Neutral is asked for Negative (0) or Positive (1), unless the file has Neutral, too.
    """
    model = model.resolve()
    try:
        engine = Engine(Settings(models=model.parent, sentiment_model=model.name, load="lazy", cache_mb=0))
        figures: dict[str, Accuracy] = {}
        for file in files:
            figures |= _measure(engine, file, group)
        engine.close()
    except (StructBertError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        shown = {name: {"rows": f.rows, "right": f.right, "accuracy": f.share} for name, f in figures.items()}
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        for name, f in figures.items():
            click.echo(f"{f.share:7.2%}  {f.right:6d} of {f.rows:6d}  {name}")


def _measure(engine: Engine, file: Path, group: str | None) -> dict[str, Accuracy]:
    rows = read_rows(file, ["label", "text", *([group] if group else [])])
    manifest = engine.manifest("sentiment")
    labels = judged_labels(manifest, rows)
    neutral = labels != manifest.answered_labels(neutral=False)
    expected = [labels[number] for number in label_numbers(file, rows, labels)]
    found: list[str] = []
    with click.progressbar(length=len(rows), label=file.stem, file=sys.stderr) as bar:
        for start in range(0, len(rows), CHUNK):
            texts = [row["text"] for row in rows[start : start + CHUNK]]
            results = engine.predict("sentiment", texts, RequestContext.within(PATIENCE), neutral=neutral)
            found += [result.label for result in results]
            bar.update(len(texts))
    return accuracy_by_group(found, expected, [row[group] if group else file.stem for row in rows])
