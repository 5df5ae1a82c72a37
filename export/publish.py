"""A model folder appears whole or not at all: it is built aside on the same file system, then renamed."""

import ctypes
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from export.refusal import ExportRefused
from structbert_lite.manifest import MANIFEST_NAME

RENAME_EXCHANGE = 2  # linux/fs.h
AT_FDCWD = -100  # linux/fcntl.h


def check_target(out: Path, replace: bool) -> Path:
    """`out` as an absolute path, after the checks that need no work.

    Raises ExportRefused when it exists and may not be replaced, or exists and is no model: replacing
    removes the old folder, and a mistyped path must not cost anybody's files.
    """
    out = Path(os.path.abspath(out))
    if not out.name or out.name.startswith("."):
        raise ExportRefused(f"{out} cannot be a model's folder: its name is empty or hidden")
    if os.path.lexists(out):
        if not replace:
            raise ExportRefused(f"{out} exists already; give another --out, or --force to replace it")
        if out.is_symlink() or not (out / MANIFEST_NAME).is_file():
            raise ExportRefused(
                f"{out} exists and is not a model folder (it has no {MANIFEST_NAME}), so it is not replaced"
            )
    return out


@contextmanager
def build_aside(out: Path) -> Iterator[Path]:
    """A hidden folder beside `out` to build in, removed again whatever happens."""
    aside = out.parent / f".{out.name}.export-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        aside.mkdir()
    except OSError as error:
        raise ExportRefused(f"no folder can be made in {out.parent}: {error.strerror}") from None
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def publish(model: Path, out: Path, replace: bool) -> None:
    """Renames the folder `model` to `out`; an old model there ends up at `model`, to be removed with it.

    Raises ExportRefused when a folder has appeared at `out` meanwhile and `replace` is false.
    """
    for path in [*model.iterdir(), model]:
        _flush(path)
    if replace and out.exists():
        _exchange(model, out)
    else:
        try:
            model.rename(out)
        except OSError as error:
            raise ExportRefused(f"the finished model cannot be moved to {out}: {error.strerror}") from None
    _flush(out.parent)


def _exchange(model: Path, out: Path) -> None:
    """Swaps two folders in one step where the system can; else the old one steps aside first."""
    if not _exchange_at_once(model, out):
        old = model.with_name("old")
        out.rename(old)
        try:
            model.rename(out)
        except BaseException:
            old.rename(out)
            raise


def _exchange_at_once(first: Path, second: Path) -> bool:
    """renameat2(2) with RENAME_EXCHANGE: no moment without a model, even if the machine stops."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False  # not Linux, or a C library without it
    failed: int = rename(AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second), RENAME_EXCHANGE)
    return failed == 0


def _flush(path: Path) -> None:
    """Puts a file or folder on the disk, so that a power cut after the rename leaves no empty files."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return  # a folder cannot be opened everywhere
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
