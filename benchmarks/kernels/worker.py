"""The loop around an engine: reads one JSON line a question, writes one JSON line an answer."""

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from structbert_lite.bench.http_client import run_in_threads

# int64 ids and mask [batch, tokens] -> float32 logits [batch, labels]
Run = Callable[[np.ndarray, np.ndarray], np.ndarray]


def answer(load: Callable[[Path, int, int], Run]) -> None:
    """Loads the engine from FOLDER and answers until the questions end.

    `load` gets the folder, the threads inside one run and the callers that run side by side. Questions:
    {"batch", "tokens", "seconds"} asks for texts a second, {"ids"} (unpadded rows) for the logits.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print must not mix with the answers
    callers = int(sys.argv[3])
    run = load(Path(sys.argv[1]), int(sys.argv[2]), callers)
    print(json.dumps("ready"), file=answers)
    for line in sys.stdin:
        question = json.loads(line)
        if "ids" in question:
            found = _logits(run, question["ids"])
        else:
            found = _texts_a_second(run, question["batch"], question["tokens"], question["seconds"], callers)
        print(json.dumps(found), file=answers)


def _logits(run: Run, rows: list[list[int]]) -> list[list[float]]:
    shape = len(rows), max(map(len, rows))
    ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return np.asarray(run(ids, mask)).tolist()


def _texts_a_second(run: Run, batch: int, tokens: int, seconds: float, callers: int) -> float:
    """Runs of equal shape from `callers` threads for about `seconds`."""
    ids = np.random.default_rng(0).integers(700, 8000, (batch, tokens))
    mask = np.ones_like(ids)

    def loop(taken: Iterator[None]) -> None:
        for _ in taken:
            run(ids, mask)

    run_in_threads([None] * callers, callers, loop)  # the first runs meet cold caches
    began = time.perf_counter()
    run(ids, mask)
    once = time.perf_counter() - began
    runs = callers * max(1, math.ceil(seconds / once))
    return runs * batch / run_in_threads([None] * runs, callers, loop)
