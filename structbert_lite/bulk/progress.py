"""How far a job is, on standard error."""

import sys
import time

from tqdm import tqdm

from structbert_lite.bulk.job import Counts


class Progress:
    """A bar with rate and time left on a terminal, a line at the end elsewhere; `quiet`: neither."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: tqdm | None = None
        self._began = time.monotonic()
        self.counts = Counts()

    def begin(self, total: int | None, counts: Counts) -> None:
        """The model is loaded; `counts` holds what an earlier run has done."""
        self._began = time.monotonic()
        self.counts = counts
        if not self._quiet and sys.stderr.isatty():
            self._bar = tqdm(total=total, initial=counts.before, unit=" rows", dynamic_ncols=True, smoothing=0.1)

    def advance(self, rows: int) -> None:
        """So many rows more are written; `counts` has them already."""
        if self._bar is not None:
            if self.counts.errors:
                self._bar.set_postfix_str(f"{self.counts.errors} with an error", refresh=False)
            self._bar.update(rows)

    def end(self) -> None:
        """Takes the bar away, or leaves it as it stands."""
        if self._bar is not None:
            self._bar.close()

    def report(self, where: str) -> None:
        """One line about the finished job."""
        if self._quiet:
            return
        counts, seconds = self.counts, time.monotonic() - self._began
        new = counts.rows - counts.before
        line = f"{counts.rows} rows in {where}, {counts.errors} with an error; {seconds:.1f} s"
        if counts.before:
            line += f", {counts.before} rows of an earlier run kept"
        print(f"{line}, {new / max(seconds, 1e-9):.0f} rows/s", file=sys.stderr)  # noqa: T201
