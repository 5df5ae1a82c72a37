"""Weights that processes share: the same bits as without, whatever happens to the files."""

import logging
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from structbert_lite.engine import Engine
from structbert_lite.inference.model import Model
from structbert_lite.inference.prepacked import ABANDONED_SECONDS, DIGESTS, UNFINISHED, PrepackedGraphs
from structbert_lite.manifest import MODEL_NAME
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import PROJECT, Settings

TEXTS = ["好", "房间很干净，服务也周到。", "x" * 30 + "不太好" * 50]
FILES = {MODEL_NAME, f"{MODEL_NAME}.data", DIGESTS}
REFUSED = "each process keeps its weights for itself"
IN_A_PROCESS = """
import sys
from pathlib import Path
from tests.inference.test_prepacked import bits
from structbert_lite.inference.model import Model
from structbert_lite.inference.prepacked import PrepackedGraphs
print(bits(Model.load(Path(sys.argv[1]), prepacked=PrepackedGraphs(Path(sys.argv[2])))))
"""


def bits(model: Model) -> str:
    return sha256(model.infer(model.tokenize([(text,) for text in TEXTS])).tobytes()).hexdigest()


@pytest.fixture(scope="module")
def usual(model_folder: Path) -> str:
    """What the default sentiment model gives without prepacked weights."""
    return bits(Model.load(model_folder))


def entries(folder: Path) -> list[Path]:
    return sorted((folder / "prepacked").iterdir())


def is_mapped(folder: Path) -> bool:
    return str(folder) in Path("/proc/self/maps").read_text()


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["sentiment", "similarity", "zero-shot", "rerank", "sentiment-research"])
def test_a_default_model_gives_the_same_bits(tmp_path: Path, name: str) -> None:
    folder = PROJECT / "models" / name
    wanted = bits(Model.load(folder))
    made = Model.load(folder, prepacked=PrepackedGraphs(tmp_path))
    assert is_mapped(tmp_path)
    (entry,) = entries(tmp_path)
    assert {path.name for path in entry.iterdir()} == FILES
    before = (entry / MODEL_NAME).stat()
    used = Model.load(folder, prepacked=PrepackedGraphs(tmp_path))
    assert (bits(made), bits(used)) == (wanted, wanted)
    assert entries(tmp_path) == [entry]
    assert (entry / MODEL_NAME).stat().st_ino == before.st_ino  # not made a second time


def test_tiny_models_answer_as_without(tmp_path: Path, tiny_models: Path) -> None:
    inputs = {"similarity": [("好", "不好")], "sentiment": ["好", "不太好"]}
    answers = []
    for prepacked in ("off", str(tmp_path), str(tmp_path)):
        engine = Engine(Settings(models=tiny_models, prepacked=prepacked))
        answers.append([engine.predict(task, given, RequestContext.within(60)) for task, given in inputs.items()])
        assert (tmp_path / "prepacked").exists() == (prepacked != "off")
        engine.close()
    assert answers[0] == answers[1] == answers[2]
    assert len(entries(tmp_path)) == 4


def remove(path: Path) -> None:
    path.unlink()


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [flip, cut_off, remove])
@pytest.mark.parametrize("file", sorted(FILES))
def test_what_is_damaged_is_made_anew(
    tmp_path: Path, model_folder: Path, usual: str, file: str, damage: Callable[[Path], None]
) -> None:
    Model.load(model_folder, prepacked=PrepackedGraphs(tmp_path))
    (entry,) = entries(tmp_path)
    whole = (entry / file).read_bytes()
    damage(entry / file)
    assert bits(Model.load(model_folder, prepacked=PrepackedGraphs(tmp_path))) == usual
    assert entries(tmp_path) == [entry]
    assert (entry / file).read_bytes() == whole


def in_a_file(folder: Path) -> Path:
    file = folder / "file"
    file.touch()
    return file


def open_to_others(folder: Path) -> Path:
    (folder / "prepacked").mkdir()
    (folder / "prepacked").chmod(0o777)
    return folder


@pytest.mark.parametrize("place", [in_a_file, open_to_others])
def test_a_folder_that_cannot_be_used_costs_one_line(
    tmp_path: Path, model_folder: Path, usual: str, place: Callable[[Path], Path], caplog: pytest.LogCaptureFixture
) -> None:
    graphs = PrepackedGraphs(place(tmp_path))
    models = [Model.load(model_folder, prepacked=graphs) for _ in range(2)]
    assert [bits(model) for model in models] == [usual, usual]
    assert not is_mapped(tmp_path)
    assert [(r.levelno, REFUSED in r.getMessage()) for r in caplog.records] == [(logging.WARNING, True)]


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file of this process can grow beyond `size`, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 64 << 10, 16 << 20, 29 << 20])
def test_a_write_that_fails_leaves_nothing(
    tmp_path: Path, model_folder: Path, usual: str, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    with files_up_to(size):
        model = Model.load(model_folder, prepacked=PrepackedGraphs(tmp_path))
    assert bits(model) == usual
    assert REFUSED in caplog.text
    assert entries(tmp_path) == []
    assert bits(Model.load(model_folder, prepacked=PrepackedGraphs(tmp_path))) == usual
    assert len(entries(tmp_path)) == 1


def test_processes_may_begin_at_the_same_time(tmp_path: Path, model_folder: Path, usual: str) -> None:
    command = [sys.executable, "-c", IN_A_PROCESS, str(model_folder), str(tmp_path)]
    running = [subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    said = [process.communicate(timeout=120) for process in running]
    assert [out.decode().strip() for out, _ in said] == [usual] * 3, said
    assert REFUSED not in str(said)
    (entry,) = entries(tmp_path)
    assert {path.name for path in entry.iterdir()} == FILES


def write(path: Path) -> None:
    path.write_bytes(bytes(1000))


def test_what_a_killed_process_left_is_removed_later(tmp_path: Path) -> None:
    graphs = PrepackedGraphs(tmp_path)
    graphs.find("one", 0, write)
    for name in ("old", "new"):
        left = tmp_path / "prepacked" / f"{UNFINISHED}{name}"
        left.mkdir()
        write(left / MODEL_NAME)
    then = time.time() - ABANDONED_SECONDS - 1
    os.utime(tmp_path / "prepacked" / f"{UNFINISHED}old", (then, then))
    graphs.find("two", 0, write)
    assert [path.name for path in entries(tmp_path)] == [f"{UNFINISHED}new", "one", "two"]


def test_those_longest_unused_go_first(tmp_path: Path) -> None:
    graphs = PrepackedGraphs(tmp_path, most_bytes=3500)
    for age, name in [(3, "a"), (2, "b"), (1, "c")]:
        assert graphs.find(name, 0, write)
        then = time.time() - 100 * age
        os.utime(tmp_path / "prepacked" / name, (then, then))
    assert graphs.find("a", 0, write)  # in use again
    assert graphs.find("d", 0, write)
    assert [path.name for path in entries(tmp_path)] == ["a", "c", "d"]
    assert PrepackedGraphs(tmp_path, most_bytes=1).find("e", 0, write)
    assert [path.name for path in entries(tmp_path)] == ["e"]


def test_a_disk_is_not_filled(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert PrepackedGraphs(tmp_path).find("one", 1 << 60, write) is None
    assert "too little space on the disk" in caplog.text
    assert entries(tmp_path) == []


def test_another_model_or_version_has_an_entry_of_its_own(tmp_path: Path, tiny_models: Path) -> None:
    graphs = PrepackedGraphs(tmp_path)
    for name in ("rerank", "zero-shot", "rerank"):
        Model.load(tiny_models / name, prepacked=graphs)
    names = [path.name for path in entries(tmp_path)]
    assert len(names) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names)
