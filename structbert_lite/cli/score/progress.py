"""How far a job is, on standard error."""

import sys
import time

from tqdm import tqdm

from structbert_lite.cli.score.job import Tally


class Progress:
    """A bar with rate and time left on a terminal, a line at the end elsewhere; `quiet`: neither."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: tqdm | None = None
        self._began = time.monotonic()
        self.tally = Tally()

    def begin(self, total: int | None, tally: Tally) -> None:
        """The model is loaded; `tally` holds what an earlier run has done."""
        self._began = time.monotonic()
        self.tally = tally
        if not self._quiet and sys.stderr.isatty():
            self._bar = tqdm(total=total, initial=tally.before, unit=" rows", dynamic_ncols=True, smoothing=0.1)

    def advance(self, rows: int) -> None:
        """So many rows more are written; the tally counts them already."""
        if self._bar is not None:
            if self.tally.errors:
                self._bar.set_postfix_str(f"{self.tally.errors} with an error", refresh=False)
            self._bar.update(rows)

    def end(self) -> None:
        """Takes the bar away, or leaves it as it stands."""
        if self._bar is not None:
            self._bar.close()

    def report(self, where: str) -> None:
        """One line about the finished job."""
        if self._quiet:
            return
        tally, seconds = self.tally, time.monotonic() - self._began
        new = tally.rows - tally.before
        line = f"{tally.rows} rows in {where}, {tally.errors} with an error; {seconds:.1f} s"
        if tally.before:
            line += f", {tally.before} rows of an earlier run kept"
        print(f"{line}, {new / max(seconds, 1e-9):.0f} rows/s", file=sys.stderr)  # noqa: T201
