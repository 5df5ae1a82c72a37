"""Side by side with other engines and servers: the same weights, the same texts, in turn in one run.

    make compare PAIRS="--pair default=runs/sentiment:models/sentiment"

Each --pair is a Hugging Face folder and the model folder exported from it. The other systems run in environments of
their own, which `make compare` sets up under .venv-bench. Writes side-by-side.md, side-by-side.json and a picture.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks.engines import measure_kernels
from benchmarks.report import page, summary
from benchmarks.served import CLIENTS, measure_servers
from benchmarks.systems import EMBEDDERS, SYSTEMS, stock_file
from benchmarks.tables import verdicts
from benchmarks.work import VENVS, Pair, prepare, python_of, versions_of
from benchmarks.wrk import CLIENT
from structbert_lite.bench.machine import describe_machine
from structbert_lite.bench.synthetic_texts import make_texts
from structbert_lite.errors import StructBertError
from structbert_lite.settings import PROJECT

TEXTS = 2000
BASE_WIDTH = 768  # of BERT-base
EMBEDDING_MODEL = PROJECT / "models" / "similarity"


def pair_from(text: str) -> Pair:
    """NAME=CHECKPOINT:MODEL_FOLDER. Raises click.BadParameter when it is not that, or a folder is missing."""
    found = re.fullmatch(r"([\w-]+)=([^:]+):([^:]+)", text)
    if not found:
        raise click.BadParameter(f"{text} is not NAME=CHECKPOINT:MODEL_FOLDER")
    name, *folders = found.groups()
    for folder in folders:
        if not Path(folder).is_dir():
            raise click.BadParameter(f"{folder} is not a folder")
    return Pair(name, *(Path(folder).resolve() for folder in folders))


@click.command(help=__doc__)
@click.option("--pair", "pairs", multiple=True, required=True, metavar="NAME=CHECKPOINT:MODEL_FOLDER")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--seconds", type=click.FloatRange(1), default=10, show_default=True, help="Length of one load.")
@click.option("--loop-seconds", type=float, default=1.0, show_default=True, help="Length of one bare loop.")
@click.option(
    "--scored", type=click.IntRange(1), default=200, show_default=True, help="Texts whose scores are compared."
)
@click.option("--quick", is_flag=True, help="Loads of 3 s from 1 and 16 clients, short loops: about 12 minutes a pair.")
@click.option("--only", type=click.Choice(["files", "kernels", "servers"]), help="A part; files: nothing measured.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=PROJECT / "docs", show_default="docs")
def main(
    pairs: tuple[str, ...],
    rounds: int,
    seconds: float,
    loop_seconds: float,
    scored: int,
    quick: bool,
    only: str | None,
    out: Path,
) -> None:
    clients = CLIENTS
    if quick:
        seconds, loop_seconds, scored, clients = min(seconds, 3.0), min(loop_seconds, 0.2), min(scored, 64), (1, 16)
    texts, compared = make_texts(TEXTS, seed=0), make_texts(scored, seed=3)
    figures = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "client": CLIENT,
        "rounds": rounds,
        "seconds": seconds,
        "scored": scored,
        "stock": stock_file().removeprefix("onnx/"),
        "versions": {venv.name: versions_of(python_of(venv.name)) for venv in sorted(VENVS.iterdir()) if venv.is_dir()},
        "pairs": {},
    }
    for pair in map(pair_from, pairs):
        try:
            layers, width = _size(pair)
            found = {"not_made": prepare(pair), "size": f"{layers} layers of {width}"}
        except (StructBertError, ValueError) as error:
            raise click.ClickException(str(error)) from None
        if only in {None, "servers"}:
            found["servers"] = measure_servers(SYSTEMS, pair, texts, compared, rounds, seconds, clients)
            found["verdicts"] = verdicts(found["servers"], base_size=width >= BASE_WIDTH)
        if only in {None, "kernels"}:
            found["kernels"] = measure_kernels(pair, compared[:64], rounds, loop_seconds)
        figures["pairs"][pair.name] = found
    if only == "files":
        return
    if only != "kernels":
        pair = Pair("embedding", EMBEDDING_MODEL, EMBEDDING_MODEL)
        figures["embedders"] = measure_servers(EMBEDDERS, pair, texts, compared, rounds, seconds, clients)
    _write(figures, out)
    click.echo(summary(figures))


def _write(figures: dict, out: Path) -> None:
    from benchmarks.plot import draw

    out.mkdir(parents=True, exist_ok=True)
    (out / "side-by-side.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (out / "side-by-side.md").write_text(page(figures), encoding="utf-8")
    draw(figures, out / "images" / "side-by-side.png")


def _size(pair: Pair) -> tuple[int, int]:
    config = json.loads((pair.checkpoint / "config.json").read_text(encoding="utf-8"))
    return config["num_hidden_layers"], config["hidden_size"]
