"""Traffic of all five tasks, every text a new one, so that the cache helps nobody."""

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from structbert_lite.bench.http_client import Client, run_in_threads, write_request
from structbert_lite.bench.synthetic_texts import make_texts

LABELS = ["咨询", "投诉", "表扬", "退款", "物流"]
# Of each kind so many in a hundred, and how many inputs the model reads for one: texts, texts with a label, passages.
SHARES = {"predict": 40, "predict_batch": 10, "similarity": 20, "embed": 10, "classify": 10, "rerank": 10}
INPUTS = {"predict": 1, "predict_batch": 8, "similarity": 2, "embed": 4, "classify": len(LABELS), "rerank": 10}


@dataclass(frozen=True, slots=True)
class Served:
    """One request: its route, whether the answer was a 200, and the seconds it took."""

    route: str
    good: bool
    seconds: float


def send_mixed(port: int, clients: int, seconds: float, seed: int) -> list[Served]:
    """What `clients` connections, each with one request at a time, were served in `seconds`."""
    served: list[Served] = []
    lock = threading.Lock()
    until = time.monotonic() + seconds

    def send(taken: Iterator[tuple[str, Any]]) -> None:
        client = Client(port)
        for route, body in taken:
            if time.monotonic() > until:
                break
            began = time.monotonic()
            answer = client.ask(write_request(port, f"/{route}", body))
            with lock:
                served.append(Served(route, answer is not None and answer.good, time.monotonic() - began))
        client.close()

    run_in_threads(_bodies(seed), clients, send)
    return served


def _bodies(seed: int) -> Iterator[tuple[str, Any]]:
    rng = random.Random(seed)
    texts = make_texts(2000, seed)
    number = 0

    def text() -> str:
        nonlocal number
        number += 1
        return f"{number}{texts[number % len(texts)]}"

    while True:
        (route,) = rng.choices(list(SHARES), list(SHARES.values()))
        several = [text() for _ in range(INPUTS[route])]
        yield (
            route,
            {
                "predict": lambda several: {"text": several[0]},
                "predict_batch": lambda several: {"texts": several},
                "similarity": lambda several: {"text_a": several[0], "text_b": several[1]},
                "embed": lambda several: {"texts": several},
                "classify": lambda several: {"text": several[0], "labels": LABELS},
                "rerank": lambda several: {"query": several[0][:20], "documents": several},
            }[route](several),
        )
