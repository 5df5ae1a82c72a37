"""`python -m benchmarks.read_once`: what it saves to read a text once for all its labels.

The same model in one process, both ways in turn: each label with the text as a pair, and the text once with all labels
behind it. CPU time of a request, user and system, one thread, no cache of results; every text is new, but for the last
column: another label of a text that was just read.
"""

import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from statistics import median

import click

from benchmarks.tables import markdown
from structbert_lite.bench.machine import describe_machine
from structbert_lite.bench.synthetic_texts import make_texts
from structbert_lite.inference.bulk_runner import BulkRunner
from structbert_lite.inference.model import Model
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import PROJECT

LABELS = tuple(
    "财经 房产 教育 科技 社会 时政 体育 游戏 娱乐 汽车 军事 旅游 国际 农业 文化 故事 股票 健康 美食 天气 "
    "物流 售后 投诉 表扬 价格 质量 服务 退款 发票 招聘".split()
)
COUNTS = (1, 2, 5, 10, 30)
TOKENS = 60  # of a text, about


@click.command(help=__doc__)
@click.argument(
    "model", type=click.Path(exists=True, file_okay=False, path_type=Path), default=PROJECT / "models" / "zero-shot"
)
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--requests", type=click.IntRange(1), default=4, show_default=True, help="Of each kind in a round.")
def main(model: Path, rounds: int, requests: int) -> None:
    loaded = Model.load(model)
    if not loaded.manifest.prefix:
        raise click.ClickException(f"{model} was not trained to read a text once")
    runner = BulkRunner(loaded, 1)
    texts = _texts(loaded)
    table = []
    for count in COUNTS:
        found: list[tuple[float, float, float]] = []
        for _ in range(rounds):
            new = [next(texts) for _ in range(requests)]
            pairs, once = (_cpu_ms(runner, new, LABELS[:count], read_once) for read_once in (False, True))
            found.append((pairs, once, _cpu_ms(runner, new[-1:], ("另一个标签",), True)))
        pairs, once, another = (median(column) for column in zip(*found, strict=True))
        table.append((str(count), f"{pairs:.1f}", f"{once:.1f}", f"{pairs / once:.2f}", f"{another:.1f}"))
    click.echo(f"{describe_machine()}; {rounds} rounds of {requests} requests")
    head = ("labels", "as pairs, ms", "text read once, ms", "ratio", "one more label of a text just read, ms")
    click.echo(markdown(head, table))


def _texts(model: Model) -> Iterator[str]:
    """Texts of about TOKENS tokens, no two alike."""
    parts = cycle(make_texts(2000, seed=3))
    for number in range(1_000_000):
        text = f"{number}，"
        while len(model.tokenize([(text, "")])[0]) < TOKENS:
            text += next(parts) + "，"
        yield text[: 2 * TOKENS]


def _cpu_ms(runner: BulkRunner, texts: list[str], labels: tuple[str, ...], read_once: bool) -> float:
    began = time.process_time()
    for text in texts:
        runner.run([(text, label) for label in labels], RequestContext(), read_once=read_once)
    return (time.process_time() - began) * 1000 / len(texts)


if __name__ == "__main__":
    main()
