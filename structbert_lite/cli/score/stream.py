"""Standard output in place of a file."""

import os

from structbert_lite.cli.tables.window import Sink


class Stream:
    """Standard output in place of a Part: nothing to go on with."""

    rows = errors = 0
    is_new, finished = True, False

    def __init__(self) -> None:
        self._file = os.fdopen(os.dup(1), "wb")

    def append(self, data: bytes, rows: int = 0, errors: int = 0) -> None:
        self._file.write(data)
        self._file.flush()
        self.rows, self.errors = self.rows + rows, self.errors + errors

    def finish(self, _: Sink) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
