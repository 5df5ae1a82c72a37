"""A model in a process of its own, asked over JSON lines; the same loop times every kind of model.

First line out: {"ready": facts} or {"error": sentence}. Then, for each line in,
{"batches": [[input, ...], ...], "threads": n}, one line out with `logits` [inputs][labels] in the order asked,
`seconds` of each batch, and `wall`, the seconds of all of them, `threads` batches being run side by side. An input is
a text or, for a similarity model, a pair [text, text].

Nothing is imported here but the standard library: the model's end may still find out that a package is missing.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from structbert_lite.bench.machine import forget_peak, peak_mb, proportional_mb

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CLOSE_SECONDS = 10.0
Run = Callable[[list[Any]], "NDArray[np.float32]"]  # the inputs of one batch -> float32 [inputs, labels]


def serve_model(load: Callable[[], tuple[dict[str, Any], Run]], refusals: tuple[type[Exception], ...]) -> None:
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


@dataclass(frozen=True, slots=True)
class Answer:
    """`logits` float32 [texts, labels]; `seconds` float64 [batches]; `wall`: seconds of all batches together."""

    logits: "NDArray[np.float32]"
    seconds: "NDArray[np.float64]"
    wall: float


class ModelProcess:
    """A running process. `facts` is what it said of its model, `started_in` the seconds until it was ready."""

    def __init__(self, process: subprocess.Popen[bytes], command: Sequence[str], log: BinaryIO, began: float) -> None:
        """Waits until `process`, started at `began`, is ready. Raises RuntimeError with its words when it is not."""
        self._process, self._command = process, command
        self._in, self._out = _pipes(process)
        self._log = log
        message = self._receive()
        if "error" in message:
            raise RuntimeError(message["error"])
        self.facts: dict[str, Any] = message["ready"]
        self.started_in = time.perf_counter() - began

    def ask(self, batches: Sequence[Sequence[str | Sequence[str]]], threads: int = 1) -> Answer:
        """The logits of each batch's texts or pairs, in order. Raises RuntimeError when the process ends instead."""
        import numpy as np

        with suppress(BrokenPipeError):  # it has ended; what it said is read below
            self._in.write(json.dumps({"batches": batches, "threads": threads}).encode() + b"\n")
            self._in.flush()
        message = self._receive()
        return Answer(np.array(message["logits"], np.float32), np.array(message["seconds"]), message["wall"])

    def memory_mb(self) -> float:
        """Resident memory now, shared pages in proportion."""
        return proportional_mb(self._process.pid)

    def forget_peak(self) -> None:
        forget_peak(self._process.pid)

    def peak_mb(self) -> float:
        """The most resident memory since `forget_peak`."""
        return peak_mb(self._process.pid)

    def _receive(self) -> dict[str, Any]:
        line = self._out.readline()
        if not line:
            self._log.seek(0)
            said = self._log.read().decode(errors="replace").strip() or "it said nothing"
            raise RuntimeError(f"{' '.join(self._command[:3])} stopped: {said}")
        message: dict[str, Any] = json.loads(line)
        return message


@contextmanager
def start_model(command: Sequence[str]) -> Iterator[ModelProcess]:
    """Runs `command` from the project's folder. Raises RuntimeError when it does not become ready."""
    from structbert_lite.settings import PROJECT

    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        try:
            process = subprocess.Popen(
                list(command), cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        except OSError as error:
            raise RuntimeError(f"{command[0]} cannot be run: {error.strerror}") from None
        its_input, its_output = _pipes(process)
        try:
            yield ModelProcess(process, command, log, began)
        finally:
            with suppress(BrokenPipeError):
                its_input.close()  # the end of its input is the end of its work
            try:
                process.wait(CLOSE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            its_output.close()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    """Where to write to and read from a process that was started with pipes."""
    if process.stdin is None or process.stdout is None:
        raise ValueError("the process was started without pipes")
    return process.stdin, process.stdout


def exported_command(folder: Path, file: Path | None = None) -> list[str]:
    """What starts the exported model in `folder`, or another ONNX file with its tokenizer."""
    return [sys.executable, "-m", "structbert_lite.evaluate.onnx_process", str(folder), *([str(file)] if file else [])]
