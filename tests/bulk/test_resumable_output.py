"""The unfinished output: whenever it is cut off, the same job ends with the same bytes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from structbert_lite.bulk.job import Counted
from structbert_lite.bulk.resumable_output import ResumableOutput

WINDOWS = [b"head\n", *(f"{i}{'x' * i}\n".encode() for i in range(6))]
JOB = {"input": "0" * 64, "task": "sentiment"}


class PlainSink:
    def head(self) -> bytes:
        return WINDOWS[0]

    def rows(self, window: object, results: list[tuple]) -> bytes:
        raise NotImplementedError

    def finish(self, path: str) -> str:
        return path


class OtherFileSink(PlainSink):
    """Makes the finished file of the stream, as Parquet does."""

    def finish(self, path: str) -> str:
        Path(f"{path}.made").write_bytes(Path(path).read_bytes())
        return f"{path}.made"


class Killed(BaseException):
    pass


def write(out: Path, sink: PlainSink, restart: bool = False) -> None:
    part = ResumableOutput(out, JOB, restart)
    try:
        if not part.finished:
            if part.is_new:
                part.append(WINDOWS[0])
            for window in WINDOWS[1 + part.done.rows :]:
                part.append(window, Counted(1))
        assert part.done.rows == 6
        part.finish(sink)
    finally:
        part.close()


@pytest.mark.parametrize("sink", [PlainSink(), OtherFileSink()], ids=["text", "made"])
def test_killed_before_or_behind_any_step_it_ends_with_the_same_bytes(
    tmp_path: Path, sink: PlainSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = {name: getattr(os, name) for name in ("fsync", "replace", "unlink")}

    def arm(number: int, behind: bool) -> None:
        """The call of that number of any of the steps is the last that this process does."""
        left = [number]

        def wrap(step: object) -> object:
            def call(*given: object, **named: object) -> object:
                left[0] -= 1
                if left[0] == 0 and not behind:
                    raise Killed
                found = step(*given, **named)
                if left[0] == 0:
                    raise Killed
                return found

            return call

        for name, step in steps.items():
            monkeypatch.setattr(os, name, wrap(step))

    cuts = 0
    for behind in (False, True):
        for number in range(1, 200):
            folder = tmp_path / f"{behind}{number}"
            folder.mkdir()
            arm(number, behind)
            try:
                write(folder / "out", sink)
            except Killed:
                cuts += 1
                again = True
            else:
                again = False
            arm(0, False)
            # Killed behind its very last step it is finished, and there is nothing to go on with.
            if again and not ((folder / "out").exists() and not (folder / "out.part.json").exists()):
                write(folder / "out", sink)
            assert (folder / "out").read_bytes() == b"".join(WINDOWS)
            assert [path.name for path in folder.iterdir()] == ["out"]
            if not again:
                break
    assert cuts > 30


def test_bytes_behind_the_journal_are_cut_off(tmp_path: Path) -> None:
    part = ResumableOutput(tmp_path / "out", JOB, False)
    part.append(WINDOWS[0])
    part.append(WINDOWS[1], Counted(1, 1, 0, 1))
    part.close()
    with (tmp_path / "out.part").open("ab") as file:
        file.write(b"half a wind")
    again = ResumableOutput(tmp_path / "out", JOB, False)
    assert again.done == (1, 1, 0, 1)
    again.close()
    write(tmp_path / "out", PlainSink())
    assert (tmp_path / "out").read_bytes() == b"".join(WINDOWS)


def test_another_job_is_refused_and_restart_begins_anew(tmp_path: Path) -> None:
    part = ResumableOutput(tmp_path / "out", JOB | {"task": "rerank"}, False)
    part.append(b"other", Counted(3))
    part.close()
    with pytest.raises(ValueError, match="of another job: other task; --restart begins anew"):
        ResumableOutput(tmp_path / "out", JOB, False)
    write(tmp_path / "out", PlainSink(), restart=True)
    assert (tmp_path / "out").read_bytes() == b"".join(WINDOWS)


@pytest.mark.parametrize("restart", [False, True])
def test_what_is_no_file_is_not_replaced(tmp_path: Path, restart: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with pytest.raises(ValueError, match=f"{name} is no file; -o - writes to standard output"):
            ResumableOutput(tmp_path / name, JOB, restart)
    assert (tmp_path / "pipe").is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe"]


def test_damage_is_named(tmp_path: Path) -> None:
    part = ResumableOutput(tmp_path / "out", JOB, False)
    part.append(b"much", Counted(3))
    part.close()
    (tmp_path / "out.part").write_bytes(b"")
    with pytest.raises(ValueError, match="has 0 bytes, its journal says 4"):
        ResumableOutput(tmp_path / "out", JOB, False)
    (tmp_path / "out.part.json").write_bytes(b"{")
    with pytest.raises(ValueError, match="is damaged"):
        ResumableOutput(tmp_path / "out", JOB, False)


def test_two_processes_do_not_write_one_output(tmp_path: Path) -> None:
    part = ResumableOutput(tmp_path / "out", JOB, False)
    given = f"Path({str(tmp_path / 'out')!r}), {JOB!r}, False"
    code = f"from pathlib import *; from structbert_lite.bulk import resumable_output as o; o.ResumableOutput({given})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    part.close()
    assert "another process is writing" in done.stderr
