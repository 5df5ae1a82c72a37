"""What `score` was asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structbert_lite import __version__
from structbert_lite.cli.tables.formats import Format
from structbert_lite.manifest import MANIFEST_NAME, Task, file_sha256


@dataclass(frozen=True, slots=True)
class Job:
    """`source` and `out` None: standard input and output. `encoding` None: found out; None of `out`: the source's.

    `columns` hold what the task reads; `options` are those of its pipeline's `predict`; `quoted`: TSV has quotes too.
    """

    task: Task
    model: Path
    source: Path | None
    out: Path | None
    source_format: Format
    out_format: Format
    columns: tuple[str, ...]
    options: Mapping[str, Any]
    prefix: str = ""
    encoding: str | None = None
    out_encoding: str | None = None
    quoted: bool = False
    restart: bool = False
    threads: int = 1

    def fingerprint(self, digest: str) -> dict[str, Any]:
        """All that the output depends on, `digest` being the input's: an unfinished output is of one such job."""
        return {
            "input": digest,
            "task": self.task,
            "model": file_sha256(self.model / MANIFEST_NAME),
            "format": [self.source_format, self.out_format],
            "columns": list(self.columns),
            "options": {name: list(v) if isinstance(v, tuple) else v for name, v in self.options.items()},
            "prefix": self.prefix,
            "encoding": [self.encoding, self.out_encoding],
            "quoted": self.quoted,
            "version": __version__,
        }


@dataclass(slots=True)
class Tally:
    """Rows written, how many of them with an error, and how many of them by an earlier run of the same job."""

    rows: int = 0
    errors: int = 0
    before: int = 0
