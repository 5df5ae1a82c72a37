"""The servers that `benchmarks.baseline` puts side by side: another commit's, this tree's and the bare one.

Each runs in an environment of its own requirements, so that none starts slower for packages that it does not need.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.work import environment, last_line
from structbert_lite.bench.server_process import Server, free_port, run_server
from structbert_lite.settings import PREFIX, PROJECT

PLACE = PROJECT / "build" / "baseline"  # the environments are kept there, a tree only while it is measured
INSTALL_SECONDS = 1200
BARE_THREADS = 2


@dataclass(frozen=True, slots=True)
class Tree:
    """The server of one checkout, with every model of `models`."""

    title: str
    folder: Path
    python: str
    models: Path

    @contextmanager
    def running(self, **settings: object) -> Iterator[Server]:
        """Its defaults but for `settings`. Raises RuntimeError when it does not start."""
        port = free_port()
        ours = {"host": "127.0.0.1", "port": port, "models": self.models, "drain_seconds": 0} | settings
        given = [f"{PREFIX}{name.upper()}={value}" for name, value in ours.items()]
        command = ["env", f"--chdir={self.folder}", *given, self.python, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
        with run_server(command, port, "/readyz", environment()) as server:
            yield server


@dataclass(frozen=True, slots=True)
class Bare:
    """benchmarks/servers/bare.py on granian with one ONNX file."""

    title: str
    python: str
    model: Path
    tokenizer: Path
    labels: Sequence[str]

    @contextmanager
    def running(self) -> Iterator[Server]:
        """Raises RuntimeError when it does not start."""
        port = free_port()
        given = bare_environment(self.model, self.tokenizer, self.labels)
        with run_server(bare_command(self.python, port, 1, BARE_THREADS), port, "/", environment() | given) as server:
            yield server


def bare_command(python: str, port: int, processes: int, threads: int) -> list[str]:
    """benchmarks/servers/bare.py on granian, `threads` requests at once in each of `processes`."""
    command = [python, "-m", "granian", "--interface", "wsgi", "--workers", str(processes)]
    command += ["--blocking-threads", str(threads), "--host", "127.0.0.1", "--port", str(port)]
    return [*command, "--log-level", "error", "benchmarks.servers.bare:app"]


def bare_environment(model: Path, tokenizer: Path, labels: Sequence[str]) -> dict[str, str]:
    """The settings of benchmarks/servers/bare.py."""
    return {"MODEL": str(model), "TOKENIZER": str(tokenizer), "LABELS": ",".join(labels)}


@contextmanager
def checkout(commit: str, folder: Path, repository: Path = PROJECT) -> Iterator[Path]:
    """The files of `commit` in `folder`, which is no more afterwards. Raises RuntimeError where git refuses."""
    remove = ("worktree", "remove", "--force", str(folder))
    if folder.exists():  # left by a run that was killed
        git(*remove, repository=repository)
    git("worktree", "add", "--detach", "--force", str(folder), commit, repository=repository)
    try:
        yield folder
    finally:
        git(*remove, repository=repository)


def git(*arguments: str, repository: Path = PROJECT) -> str:
    """What git says. Raises RuntimeError with its last line when it fails, or when there is no git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(repository), *arguments], capture_output=True, text=True, timeout=300, check=False
        )
    except OSError as error:
        raise RuntimeError(str(error)) from None
    if done.returncode:
        raise RuntimeError(last_line(done.stderr))
    return done.stdout.strip()


def python_with(name: str, requirements: Path, place: Path = PLACE) -> str:
    """The Python of the environment `name`, made where it is missing, with what `requirements` has now.

    Raises RuntimeError with pip's last line.
    """
    folder = place / name
    python = str(folder / "bin" / "python")
    steps = [[python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)]]
    if not Path(python).exists():
        steps.insert(0, [sys.executable, "-m", "venv", str(folder)])
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
        if done.returncode:
            raise RuntimeError(f"{requirements} could not be installed: {last_line(done.stderr or done.stdout)}")
    return python
