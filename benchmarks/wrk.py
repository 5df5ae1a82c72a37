"""A closed loop of one text a request by wrk: a client in Python would take from the server much of the CPU they share.

Where wrk is not installed (Debian: `apt-get install wrk`) threads of this process send the same texts.
"""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from benchmarks.work import last_line
from structbert_lite.bench.http_client import Answer, Client, run_in_threads, write_request
from structbert_lite.settings import PROJECT

SCRIPT = PROJECT / "benchmarks" / "wrk.lua"
WRK = shutil.which("wrk")
CLIENT = "wrk, one thread" if WRK else "Python threads, which take CPU from the server: wrk is not installed"
MARK = "TEXT"  # stands for the text in a body

BodyOf = Callable[[str], Any]


def predict_body(text: str) -> dict[str, str]:
    return {"text": text}


@dataclass(frozen=True, slots=True)
class Load:
    """What one closed loop gave. `per_second` counts answers of 200; `failures`: other answers, broken connections."""

    requests: int
    failures: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


def closed_load(
    port: int,
    texts: Sequence[str],
    clients: int,
    seconds: float,
    first: int | None = None,
    wrk: str | None = WRK,
    path: str = "/predict",
    body_of: BodyOf = predict_body,
) -> Load:
    """Asks for `seconds` with `clients` keep-alive connections, each its next text when it has its answer.

    The texts are those of `sent_texts`. Raises RuntimeError when wrk gives no figures.
    """
    if wrk is None:
        return _load_from_threads(port, sent_texts(texts, first), clients, seconds, path, body_of)
    before, after = json.dumps(body_of(MARK), ensure_ascii=False).split(MARK)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
        file.writelines(json.dumps(text, ensure_ascii=False)[1:-1] + "\n" for text in texts)
        file.flush()
        command = [wrk, "--threads", "1", "--connections", str(clients), "--duration", f"{max(1, round(seconds))}s"]
        command += ["--timeout", "30s", "--script", str(SCRIPT), f"http://127.0.0.1:{port}{path}", "--"]
        command += [file.name, before, after, *([] if first is None else [str(first)])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    return read_figures(done.stdout, done.stderr)


def sent_texts(texts: Sequence[str], first: int | None) -> Iterator[str]:
    """`texts` again and again, each with a number of its own before it, from `first` on; None: as they are."""
    for number in count():
        text = texts[number % len(texts)]
        yield text if first is None else f"{first + number}{text}"


def read_figures(output: str, errors: str = "") -> Load:
    """The line that wrk.lua writes below wrk's own report. Raises RuntimeError where it is missing, or nothing came."""
    line = last_line(output)
    if not line.startswith("{"):
        raise RuntimeError(f"wrk gave no figures: {last_line(errors or output)}")
    found = json.loads(line)
    if not found["requests"]:
        raise RuntimeError("the server gave wrk no answer")
    return Load(
        found["requests"],
        found["not_200"] + found["broken"],
        (found["requests"] - found["not_200"]) / found["seconds"],
        *(found[name] for name in ("p50_ms", "p95_ms", "p99_ms")),
    )


def _load_from_threads(
    port: int, texts: Iterator[str], clients: int, seconds: float, path: str, body_of: BodyOf
) -> Load:
    answers: list[Answer | None] = []
    until = time.monotonic() + seconds

    def send(taken: Iterator[str]) -> None:
        client = Client(port)
        for text in taken:
            if time.monotonic() > until:
                break
            answers.append(client.ask(write_request(port, path, body_of(text))))
        client.close()

    took = run_in_threads(texts, clients, send)
    good = [answer.seconds * 1000 for answer in answers if answer is not None and answer.good]
    if not good:
        raise RuntimeError("the server gave no answer of 200")
    return Load(len(answers), len(answers) - len(good), len(good) / took, *np.percentile(good, [50, 95, 99]).tolist())
