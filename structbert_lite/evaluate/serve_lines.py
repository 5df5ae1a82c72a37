"""A model in a process of its own, asked over JSON lines; the same loop times every kind of model.

First line out: {"ready": facts} or {"error": sentence}. Then, for each line in,
{"batches": [[input, ...], ...], "threads": n}, one line out with `logits` [inputs][labels] in the order asked,
`seconds` of each batch, and `wall`, the seconds of all of them, `threads` batches being run side by side. An input is
a text or, for a similarity model, a pair [text, text].

Nothing is imported here but the standard library: `load` may still find out that a package is missing.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Run = Callable[[list[Any]], "NDArray[np.float32]"]  # the inputs of one batch -> float32 [inputs, labels]


def serve_lines(load: Callable[[], tuple[dict[str, Any], Run]], refusals: tuple[type[Exception], ...]) -> None:
    """Loads the model, tells its facts and answers until the input ends; `refusals` are told, not raised."""
    out, sys.stdout = sys.stdout, sys.stderr  # a library that prints must not break the protocol

    def say(message: dict[str, Any]) -> None:
        print(json.dumps(message), file=out, flush=True)

    try:
        facts, run = load()
    except refusals as error:
        say({"error": str(error)})
        return
    say({"ready": facts})
    for line in sys.stdin:
        say(_answer(run, **json.loads(line)))


def _answer(run: Run, batches: list[list[Any]], threads: int) -> dict[str, Any]:
    def timed(batch: list[Any]) -> "tuple[NDArray[np.float32], float]":
        began = time.perf_counter()
        logits = run(batch)
        return logits, time.perf_counter() - began

    began = time.perf_counter()
    if threads == 1:
        done = [timed(batch) for batch in batches]
    else:
        with ThreadPoolExecutor(threads) as pool:
            done = list(pool.map(timed, batches))
    wall = time.perf_counter() - began
    # Every float32 has an exact double, and JSON keeps a double's digits: not a bit is lost on the way.
    rows = [row for logits, _ in done for row in logits.tolist()]
    return {"logits": rows, "seconds": [seconds for _, seconds in done], "wall": wall}
