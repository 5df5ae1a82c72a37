"""`python -m benchmarks.scaling`: how cost grows with text, labels, documents, clients, CPUs and the cache.

Real servers of this tree on loopback, one at a time; every round goes through all points in turn, and medians over the
rounds are kept. Writes scaling.json, scaling.md and a picture of the curves. About 11 minutes with the defaults.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np

from benchmarks.medians import median_of
from benchmarks.scaling_page import page
from benchmarks.trees import Tree
from benchmarks.wrk import CLIENT, closed_load, predict_body
from structbert_lite.bench.http_client import Client, closed_loop, write_request
from structbert_lite.bench.machine import describe_machine, proportional_mb
from structbert_lite.bench.server_process import Server
from structbert_lite.bench.synthetic_texts import CLAUSES, make_texts
from structbert_lite.cache.memory import MemoryCache, ModelOutput, make_key
from structbert_lite.inference.model import Session
from structbert_lite.inference.tokenizer import Tokenizer
from structbert_lite.manifest import MODEL_NAME, TOKENIZER_NAME, read_manifest
from structbert_lite.settings import PROJECT

TOKENS = (8, 16, 32, 64, 128, 256, 512)
CLIENTS = (1, 2, 4, 8, 16, 32, 64)
CPUS = (1, 2)
LABELS = (1, 2, 8, 32, 128, 512)
DOCUMENTS = (1, 5, 20, 50, 100, 200, 500)
ENTRIES = (0, 1_000, 10_000, 100_000, 1_000_000)
BUSY = 16  # clients that keep the server busy
TEXTS = 64  # of each length, more than there are clients: none is computed twice at once
WARM_UP_SECONDS = 1
REST_SECONDS = 2  # between loads: what the last one left under way would be clients too many, which are refused
LEAST_REQUESTS = 2  # of one that takes longer than a load
LONG = 128  # tokens of a text from which on loads last longer, for enough answers
TIMEOUT_MS = 300_000  # of the largest requests on a slow machine
LOOKED_UP = 5_000  # entries that are asked for, and as many that are not there
TASKS_MODELS = PROJECT / "models"
MODEL = TASKS_MODELS / "sentiment"
MAX_ITEMS = max(*LABELS, *DOCUMENTS)

Row = dict[str, float]


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--seconds", type=click.FloatRange(1), default=2, show_default=True, help="Length of one load.")
@click.option(
    "--entries", type=click.IntRange(1), default=max(ENTRIES), show_default=True, help="Of the cache, at most."
)
@click.option("--largest", type=click.IntRange(32), default=512, show_default=True, help="Tokens, labels and so on.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=PROJECT / "docs", show_default="docs")
def main(rounds: int, seconds: float, entries: int, largest: int, out: Path) -> None:
    tree = Tree("this tree", PROJECT, sys.executable, TASKS_MODELS)
    texts = texts_by_tokens(Tokenizer(MODEL / TOKENIZER_NAME, read_manifest(MODEL).max_tokens))
    found: list[dict[str, list[Row]]] = []
    try:
        with tree.running():
            pass  # a first start compiles Python files and may write what later ones read
        for number in range(rounds):
            click.echo(f"round {number + 1} of {rounds}", err=True)
            found.append(measure_round(tree, texts, seconds, largest))
    except (RuntimeError, OSError) as error:
        raise click.ClickException(str(error)) from None
    figures = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "client": CLIENT,
        "rounds": rounds,
        "seconds": seconds,
        "in_process_cpu_ms": in_process_cpu_ms(make_texts(300, seed=0)),
        "curves": {
            name: [median_of(rows) for rows in zip(*(one[name] for one in found), strict=True)] for name in found[0]
        },
    }
    figures["curves"]["cache"] = cache_points([count for count in ENTRIES if count <= entries])
    write(figures, out)


def write(figures: dict[str, Any], out: Path) -> None:
    from benchmarks.plot import draw_curves

    out.mkdir(parents=True, exist_ok=True)
    (out / "scaling.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (out / "scaling.md").write_text(page(figures), encoding="utf-8")
    draw_curves(figures["curves"], out / "images" / "scaling.png")


def texts_by_tokens(tokenizer: Tokenizer) -> dict[int, list[str]]:
    """TEXTS different texts of exactly so many tokens, [CLS] and [SEP] included, for each of TOKENS."""

    def count_tokens(text: str) -> int:
        return len(tokenizer.encode([text])[0].ids)

    source, made = "，".join(make_texts(400, seed=11)), {}
    for tokens in TOKENS:
        texts: list[str] = []
        for start in range(0, len(source), 7):
            if len(texts) == TEXTS:
                break
            low, high = 1, 4 * tokens  # far more characters than so many tokens have
            while low < high:
                middle = (low + high) // 2
                if count_tokens(source[start : start + middle]) < tokens:
                    low = middle + 1
                else:
                    high = middle
            text = source[start : start + low]
            if count_tokens(text) == tokens:
                texts.append(text)
        made[tokens] = texts
    return made


def measure_round(tree: Tree, texts: dict[int, list[str]], seconds: float, largest: int) -> dict[str, list[Row]]:
    """One row for each point of each curve up to `largest`."""
    lengths: list[Row] = [{"tokens": tokens} for tokens in TOKENS if tokens <= largest]
    for name, early_exit in (("", 0), ("_early_exit", 1)):
        with tree.running(cache_mb=0, early_exit=early_exit) as server:
            closed_load(server.port, texts[32], BUSY, WARM_UP_SECONDS)
            for row in lengths:
                sent = texts[int(row["tokens"])]
                row[f"p50_ms{name}"] = alone(server, "/predict", map(predict_body, cycle(sent)), seconds)["p50_ms"]
                loaded = busy(server, sent, BUSY, seconds * max(1, row["tokens"] / LONG))
                row |= {f"{key}{name}": loaded[key] for key in ("per_second", "cpu_ms")}
    mixed = make_texts(2000, seed=0)
    clients: list[Row] = [{"clients": count} for count in CLIENTS if count <= largest]
    for cpus in CPUS:
        with running_on(tree, cpus, cache_mb=0) as server:
            closed_load(server.port, mixed, BUSY, WARM_UP_SECONDS)
            for row in clients:
                time.sleep(REST_SECONDS)
                loaded = busy(server, mixed, int(row["clients"]), seconds)
                row |= {f"{key}_{cpus}": value for key, value in loaded.items()}
    return {
        "tokens": lengths,
        "clients": clients,
        **heavy_requests(tree, texts[32], seconds, largest),
        "cached": [cached(tree, mixed[:200], seconds)],
    }


def busy(server: Server, texts: Sequence[str], clients: int, seconds: float) -> Row:
    """Texts a second, median latency and the server's CPU time a text. Raises RuntimeError where an answer failed."""
    before = server.cpu_seconds()
    load = closed_load(server.port, texts, clients, seconds)
    if load.failures:
        raise RuntimeError(f"{load.failures} of {load.requests} requests failed")
    used = server.cpu_seconds() - before
    return {"per_second": load.per_second, "p50_ms": load.p50_ms, "cpu_ms": used * 1000 / load.requests}


def heavy_requests(tree: Tree, texts: Sequence[str], seconds: float, largest: int) -> dict[str, list[Row]]:
    """One request at a time with many labels, and with many documents, texts of 32 tokens."""
    labels = [f"{CLAUSES[i % len(CLAUSES)]}{i // len(CLAUSES)}" for i in range(max(LABELS))]
    documents = make_texts(max(DOCUMENTS), seed=4)
    found: dict[str, list[Row]] = {"labels": [], "documents": []}
    with tree.running(cache_mb=0, max_items=MAX_ITEMS, timeout_ms=TIMEOUT_MS) as server:
        for count in (count for count in LABELS if count <= largest):
            bodies = ({"text": text, "labels": labels[:count]} for text in cycle(texts))
            found["labels"].append({"labels": count} | alone(server, "/classify", bodies, seconds))
        for count in (count for count in DOCUMENTS if count <= largest):
            bodies = ({"query": text, "documents": documents[:count]} for text in cycle(texts))
            found["documents"].append({"documents": count} | alone(server, "/rerank", bodies, seconds))
    return found


def alone(server: Server, path: str, bodies: Iterator[Any], seconds: float) -> Row:
    """Median latency and CPU time of requests one after another, for `seconds` but LEAST_REQUESTS at least."""
    client, times = Client(server.port), []
    before, until = server.cpu_seconds(), time.monotonic() + seconds
    while len(times) < LEAST_REQUESTS or time.monotonic() < until:
        answer = client.ask(write_request(server.port, path, next(bodies)))
        if answer is None or not answer.good:
            raise RuntimeError(f"{path} gave no answer of 200")
        times.append(answer.seconds * 1000)
    used = server.cpu_seconds() - before
    client.close()
    return {"p50_ms": median(times), "cpu_ms": used * 1000 / len(times)}


def cached(tree: Tree, texts: Sequence[str], seconds: float) -> Row:
    """The same figures of requests that the cache answers."""
    with tree.running() as server:
        closed_loop(server.port, "/predict", [predict_body(text) for text in texts], BUSY)
        return busy(server, texts, BUSY, seconds)


def in_process_cpu_ms(texts: Sequence[str]) -> float:
    """Mean CPU time of tokenization and inference, one text after another on one thread, exits as by default."""
    manifest = read_manifest(MODEL)
    session = Session(MODEL / MODEL_NAME, manifest.inputs, manifest.pad_id)
    tokenizer = Tokenizer(MODEL / TOKENIZER_NAME, manifest.max_tokens)
    session.run(tokenizer.encode(list(texts[:1])))
    before = time.process_time()
    for text in texts:
        session.run(tokenizer.encode([text]))
    return (time.process_time() - before) * 1000 / len(texts)


def cache_points(counts: Sequence[int]) -> list[Row]:
    """Memory, and the time of a hit, of a miss and of a new entry that drops an old one, with so many entries."""
    rng = np.random.default_rng(0)
    cache, made, before = MemoryCache(1 << 50), 0, proportional_mb(os.getpid())
    rows = []
    for count in counts:
        while len(cache) < count:
            cache.put(cache_key(made), ModelOutput(np.zeros(3, np.float32), False))
            made += 1
        memory = proportional_mb(os.getpid()) - before
        there = [cache_key(int(number)) for number in rng.integers(made - count, made, LOOKED_UP if count else 0)]
        absent = [cache_key(-1 - number) for number in range(LOOKED_UP)]
        row: Row = {"entries": count, "memory_mb": memory}
        for name, keys in (("hit_us", there), ("miss_us", absent)):
            began = time.perf_counter()
            for key in keys:
                cache.get_many((key,), 3, 0.0)
            row[name] = (time.perf_counter() - began) * 1e6 / max(1, len(keys))
        cache.capacity = max(cache.size, 10_000)  # full: each new entry drops the oldest
        new = [cache_key(number) for number in range(made, made + LOOKED_UP)]
        began = time.perf_counter()
        for key in new:
            cache.put(key, ModelOutput(np.zeros(3, np.float32), False))
        row["put_us"] = (time.perf_counter() - began) * 1e6 / LOOKED_UP
        made += LOOKED_UP
        cache.capacity = 1 << 50
        rows.append(row)
    return rows


def cache_key(number: int) -> bytes:
    return make_key("a model's digest", (f"文本{number}",))


@contextmanager
def running_on(tree: Tree, cpus: int, **settings: object) -> Iterator[Server]:
    """The tree's server on the first `cpus` CPUs; what is started inside the block may run on all."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:cpus])
    try:
        with tree.running(**settings) as server:
            os.sched_setaffinity(0, before)
            yield server
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.scaling")
