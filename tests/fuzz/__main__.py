"""The long run: python -m tests.fuzz. Ends with an error at the first thing that is wrong."""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from structbert_lite.bench.server_process import Server
from tests.fuzz.contract import Contract
from tests.fuzz.runs import AT_ONCE, fuzz_raw, fuzz_routes
from tests.fuzz.schema_run import read_document, run_schemathesis
from tests.fuzz.servers import serve_tiny
from tests.tiny_models import make_all

KEY = "a-key-for-the-fuzz-run-alone-0123456789"
PARTS = 4  # of a long run, with the memory of the server after each


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Bad input, much of it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--schema", type=int, default=300, help="random cases an operation in each phase, with and without keys"
    )
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--batches", type=int, default=400, help=f"of {AT_ONCE} raw connections")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = make_all(Path(folder))
        for key in ("", KEY):
            with serve_tiny(models, API_KEYS=key) as server:
                report = run_schemathesis(server, given.seed, given.schema, key)
                cases, seconds = report["test_cases"], report["running_time"]
                print(
                    f"schemathesis, {'' if key else 'no '}keys, seed {given.seed}: {cases['generated']} cases, "
                    f"{cases['with_failures']} failed, in {seconds:.0f} s, then {server.memory_mb():.0f} MB",
                    flush=True,
                )
        with serve_tiny(models) as server:
            contract = Contract(read_document(server))
            for seed in range(given.seed, given.seed + PARTS):
                _say("requests", seed, server, partial(fuzz_routes, server, contract, given.requests // PARTS, seed))
            for seed in range(given.seed, given.seed + PARTS):
                _say("raw", seed, server, partial(fuzz_raw, server, given.batches // PARTS, seed))


def _say(name: str, seed: int, server: Server, run: Callable[[], Counter[int]]) -> None:
    before, began = server.memory_mb(), time.monotonic()
    statuses = run()
    print(
        f"{name}, seed {seed}: {sum(statuses.values())} answers in {time.monotonic() - began:.0f} s, "
        f"{before:.0f} -> {server.memory_mb():.0f} MB, {dict(sorted(statuses.items()))}",
        flush=True,
    )


if __name__ == "__main__":
    main()
