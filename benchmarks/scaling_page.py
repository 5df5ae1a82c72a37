"""The page of `python -m benchmarks.scaling`: tables, why a curve bends, and an estimate for larger machines."""

from collections.abc import Sequence
from math import log, log2
from typing import Any

from benchmarks.tables import markdown

MORE_CPUS = (1, 2, 4, 8, 16)
BUSY = 16  # clients of the busiest loads, whose figures the estimate takes

HEAD = """# How cost grows

Written by `python -m benchmarks.scaling`; do not edit. Measured {date} on {machine}. Medians of {rounds} round{s} of
{seconds:g} s a load; the default models; the cache is off except where it is the subject. The load generator
({client}) runs on the same machine: with two CPUs it takes its share of them, so CPU time is given beside the times.
CPU time is that of the server's processes. `python -m benchmarks.scaling --rounds 1 --seconds 1` is a short run.

"Growth" is the exponent between a line and the line above it: 1 means twice the size at twice the cost, 0 means that
size costs nothing, 2 is quadratic.

![Cost against size](images/scaling.png)
"""
TOKENS = """
## Length of a text
`/predict`, texts of exactly so many tokens ([CLS] and [SEP] included). p50 from one client, the
rest from {busy} clients.

{table}

- **Short texts cost more a token.** HTTP, JSON and the way through the threads cost the same whatever the length, and
  a product of few rows does not fill the CPU's registers. So growth begins well below 1.
- **In the middle growth is near 1**: the linear layers are nearly all of the work, and they do the same for every
  token.
- **Long texts cost more a token again**: attention compares every token with every other. In this model (width 384) a
  token costs 12·384² multiplications a layer in the linear layers, and 2·384·n in attention with n tokens in the
  text: 4 % of the whole at 100 tokens, 18 % at 512.
- 128 padded tokens are the most in one micro-batch, so from 65 tokens on every text runs by itself and company no
  longer helps.
- Early exit saves whole layers for a text that is clear by then. Made-up texts, a mixture of praise and blame, are
  seldom clear, and the longer the less; [benchmarks.md](benchmarks.md#early-exit) has real ones.
"""
CLIENTS = """
## Clients, on one CPU and on two
`/predict`, texts of mixed lengths, all different. Each client waits for its answer.
The server may use 1 CPU or 2, the load generator both.

{table}

- **Throughput bends at about as many clients as CPUs**: from there on no CPU is idle. What it still gains comes from
  waits for the network that others fill, and from micro-batches, which form from what queued meanwhile: little on a
  CPU without VNNI, where the CPU time of a text stays within a tenth.
- **Latency bends at the same place and then grows with the clients** (growth towards 1): in a closed loop clients =
  throughput × latency (Little's law), and throughput has reached its end.
- Two CPUs do less than twice one CPU's work: on one, the load generator has the other CPU to itself; on two it takes
  from them.
"""
LABELS = """
## Labels of a text
`/classify`, one text of 32 tokens, one request at a time.

{table}

- **A request has a fixed part**, HTTP and the text, which is read once ([export.md](export.md#a-text-read-once)). It
  hides what the first labels cost; then growth nears 1: each label costs its own few tokens, which attend to the text.
- **The first micro-batch of labels waits for the text and then runs alone**; it holds some two dozen short labels. From
  the next one on both CPUs work, and the time grows later than the CPU time.
- The sort of the answer and the JSON do not show.
"""
DOCUMENTS = """
## Documents of a query
`/rerank`, documents with the lengths of reviews, one request at a time, another query each time.

{table}

- **One document leaves a CPU idle**: a lone pair runs on one thread. From two micro-batches on both work, so five
  documents cost less than five times one.
- **From there on growth is 1**: pairs are sorted by length and cut into micro-batches of 128 padded tokens at the
  most; more documents make more of them and fill them better, which is worth little on a CPU.
- Nothing grows faster than the documents: no step compares documents with each other.
"""
CACHE = """
## Entries of the cache
In process: entries as the sentiment model leaves them (three logits under a key of 32 bytes),
none lost for want of room. A new entry is one that drops the oldest, the cache being full.

{table}

- **Time hardly depends on the number of entries**: a dictionary and a linked list. What growth there is comes from
  the CPU's own caches: a million entries do not fit into them, so a look-up waits for memory.
- **Memory grows by the entry**, about {bytes_each:.0f} bytes each here, and ends at `STRUCTBERT_CACHE_MB`, by an
  estimate of 350 bytes beside key and values: 32 MB hold about {default:,.0f} of these.
- Over HTTP a request that the cache answers costs {cached_ms:.2f} ms of CPU ({cached_rate:.0f} requests a second at
  {busy} clients), one that it does not answer {new_ms:.2f} ms.
"""
ESTIMATE = """
## More CPUs: an estimate, not a measurement
This machine has two CPUs. The table is arithmetic on the figures above,
for `/predict` with all texts new, the load generator elsewhere:

- A text costs **c = {c:.2f} ms** of the server's CPU time ({busy} clients, 2 CPUs). Tokenization and inference of one
  text after another in process cost {k:.2f} ms of that; the rest, **g = c − {k:.2f} = {g:.2f} ms**, is taken to be
  Python, of which one process runs one thread at a time.
- *By CPU time*: n CPUs have n × 1000 ms a second: 1000 · n / c texts a second.
- *One process*: 1000 / g texts a second at the most, however many CPUs. Several (`STRUCTBERT_WORKERS`) have that many
  times as much, and the weights once in memory, but a cache each.
- *If every doubling gains what the second CPU gained here* ({gain:.2f} times, the load generator's share included):
  {one:.0f} · {gain:.2f}^log2(n).

{table}

The first column supposes that CPUs are whole cores with the memory bandwidth of these; two hyperthreads of one core
are not. Nothing here has been run on such a machine.
"""


def page(figures: dict[str, Any]) -> str:
    """Markdown from what benchmarks.scaling collected."""
    curves = figures["curves"]
    cached, last = curves["cached"][0], curves["cache"][-1]
    each = last["memory_mb"] * 2**20 / last["entries"] if last["entries"] else 0.0
    busiest = next(row for row in curves["clients"] if row["clients"] == BUSY)
    tokens = {
        "tokens": "tokens",
        "p50_ms": "p50 ms, 1 client",
        "per_second": "texts/s",
        "cpu_ms": "CPU ms a text",
        "cpu_ms_early_exit": "CPU ms, early exit on",
    }
    clients = {"clients": "clients"} | {
        f"{key}_{cpus}": f"{words}, {cpus} CPU{'s' * (cpus > 1)}"
        for cpus in (1, 2)
        for key, words in (("per_second", "texts/s"), ("p50_ms", "p50 ms"), ("cpu_ms", "CPU ms a text"))
    }
    cost = {"p50_ms": "ms a request", "cpu_ms": "CPU ms a request"}
    cache = {
        "entries": "entries",
        "memory_mb": "MB",
        "hit_us": "hit µs",
        "miss_us": "miss µs",
        "put_us": "new entry µs",
    }
    return "".join(
        [
            HEAD.format(**figures, s="s" * (figures["rounds"] > 1)),
            TOKENS.format(busy=BUSY, table=table(curves["tokens"], tokens, "cpu_ms")),
            CLIENTS.format(table=table(curves["clients"], clients, "p50_ms_2")),
            LABELS.format(table=table(curves["labels"], {"labels": "labels"} | cost, "cpu_ms")),
            DOCUMENTS.format(table=table(curves["documents"], {"documents": "documents"} | cost, "cpu_ms")),
            CACHE.format(
                table=table(curves["cache"], cache, "hit_us"),
                bytes_each=each,
                default=32 * 2**20 / (32 + 12 + 350),
                cached_ms=cached["cpu_ms"],
                cached_rate=cached["per_second"],
                new_ms=busiest["cpu_ms_2"],
                busy=BUSY,
            ),
            estimate(busiest, figures["in_process_cpu_ms"]),
        ]
    )


def table(rows: Sequence[dict[str, float]], columns: dict[str, str], grows: str) -> str:
    """The columns of the rows, the size first, and the growth of the column `grows` at the end."""
    size, *_ = columns
    lines = []
    for i, row in enumerate(rows):
        cells = [f"{row[size]:,.0f}", *(number(row[key]) for key in list(columns)[1:])]
        lines.append([*cells, growth(rows[i - 1], row, size, grows) if i else "–"])
    return markdown([*columns.values(), f"growth of {columns[grows]}"], lines)


def growth(before: dict[str, float], after: dict[str, float], size: str, cost: str) -> str:
    """The exponent between two points: log of the ratio of costs over log of the ratio of sizes."""
    if min(before[size], before[cost], after[cost]) <= 0:
        return "–"
    return f"{log(after[cost] / before[cost]) / log(after[size] / before[size]):.2f}"


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def estimate(busiest: dict[str, float], in_process_ms: float) -> str:
    """What more CPUs would do by arithmetic; `busiest` is the row of BUSY clients."""
    c, one, gain = busiest["cpu_ms_2"], busiest["per_second_1"], busiest["per_second_2"] / busiest["per_second_1"]
    g = max(c - in_process_ms, 0.01)
    lines = []
    for cpus in MORE_CPUS:
        by_cpu = 1000 * cpus / c
        measured = busiest.get(f"per_second_{cpus}")
        lines.append(
            [
                str(cpus),
                f"{by_cpu:.0f}",
                f"{min(by_cpu, 1000 / g):.0f}",
                f"{one * gain ** log2(cpus):.0f}",
                "–" if measured is None else f"{measured:.0f}",
            ]
        )
    header = ["CPUs", "by CPU time", "of it with one process", "at the gain of the second CPU", "measured"]
    return ESTIMATE.format(c=c, k=in_process_ms, g=g, gain=gain, one=one, busy=BUSY, table=markdown(header, lines))
