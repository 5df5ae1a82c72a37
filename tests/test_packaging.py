"""The wheel: one version, the requirement files' dependencies, a command that works without the repository."""

import os
import re
import subprocess
import sys
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from structbert_lite import __version__
from structbert_lite.settings import PREFIX, PROJECT
from tests.running import PATIENCE, Running, free_port

FILES = {path.stem.partition("-")[2]: path for path in PROJECT.glob("requirements*.txt")}
EXTRAS = FILES.keys() - {"", "dev", "audit"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by what pyproject.toml names, without a network; unpacked, as an installation would."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as file:
        file.extractall(folder / "site")
    return folder / "site"


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    return message_from_string(next(wheel.glob("*.dist-info/METADATA")).read_text(encoding="utf-8"))


def test_there_is_one_version(metadata: Message) -> None:
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(\d.*?)\] - \d{4}-\d\d-\d\d$", changelog, re.MULTILINE)[1]
    tag = re.search(r"newTag: (\S+)", (PROJECT / "deploy/kubernetes/base/kustomization.yaml").read_text())[1]
    image = re.search(r"structbert-lite:(\d[\d.]*\d)", (PROJECT / "docs/deployment.md").read_text(encoding="utf-8"))[1]
    assert {metadata["Version"], newest, tag, image} == {__version__}


def test_the_api_says_the_version(client) -> None:
    assert client.get("/openapi.json").get_json()["info"]["version"] == __version__


def test_the_wheel_shows_the_readme(metadata: Message) -> None:
    assert metadata.get_payload() == (PROJECT / "README.md").read_text(encoding="utf-8")


def test_dependencies_are_those_of_the_requirement_files(metadata: Message) -> None:
    packed: dict[str, set[str]] = {"": set()} | {extra: set() for extra in EXTRAS}
    for line in metadata.get_all("Requires-Dist"):
        wanted = Requirement(line)
        extra = re.search(r"'(\w+)'", str(wanted.marker).replace('"', "'"))[1] if wanted.marker else ""
        of_its = f"[{','.join(sorted(wanted.extras))}]" if wanted.extras else ""
        packed[extra].add(f"{wanted.name}{of_its}{wanted.specifier}".lower())
    assert set(metadata.get_all("Provides-Extra")) == EXTRAS
    assert packed == {name: listed(FILES[name]) for name in packed}


def test_the_development_environment_is_made_anew_when_a_file_of_it_changes() -> None:
    """What requirements-dev.txt includes, directly or not, is what the Makefile's stamp depends on."""
    done = subprocess.run(["make", "-npq", "-C", PROJECT], capture_output=True, text=True, check=False)
    stamp = next(line for line in done.stdout.splitlines() if line.startswith(".venv-dev/.done:"))
    assert included(FILES["dev"]) <= set(stamp.split()[1:])


def test_a_wheel_has_the_server_and_no_model(wheel: Path) -> None:
    there = {path.relative_to(wheel).as_posix() for path in wheel.rglob("*") if path.is_file()}
    for name in ("app.py", "gunicorn.conf.py", "templates/base.html", "static/style.css"):
        assert f"structbert_lite/project/{name}" in there
    assert "structbert_lite/evaluate/data/perturbation.tsv" in there
    assert not [name for name in there if name.endswith((".onnx", ".pyc", ".npz"))]
    assert {name.split("/")[0] for name in there if ".dist-info" not in name} == {"structbert_lite"}


def test_the_command_says_its_version_and_that_it_has_no_models(wheel: Path, tmp_path: Path) -> None:
    assert run(wheel, tmp_path, "--version").stdout == f"structbert-lite, version {__version__}\n"
    (tmp_path / "rows.csv").write_text("text\n好\n", encoding="utf-8")
    for arguments in (["serve"], ["score", "rows.csv", "--task", "sentiment", "-o", "out.csv"]):
        done = run(wheel, tmp_path, *arguments)
        assert done.returncode == 1
        assert "STRUCTBERT_MODELS=FOLDER names a folder" in done.stderr
        assert "Traceback" not in done.stderr


def test_the_command_serves(wheel: Path, tiny_models: Path, tmp_path: Path) -> None:
    port, log_file = free_port(), tmp_path / "log"
    ours = {"PORT": str(port), "MODELS": str(tiny_models), "LOAD": "lazy", "DRAIN_SECONDS": "0"}
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command(wheel, "serve"), cwd=tmp_path, stdout=log, stderr=log, env=environment(wheel, ours)
        )
    try:
        server = Running(process, port, log_file)
        server.wait_until_ready()
        assert {model["task"] for model in server.get("/models")[1]["models"]} >= {"sentiment", "rerank"}
    finally:
        process.terminate()
        process.wait(PATIENCE)
    assert process.returncode == 0


def listed(path: Path) -> set[str]:
    """Requirements of a file and of those it includes, but for the server's own, which every installation has."""
    own = {one for one in path.read_text(encoding="utf-8").lower().splitlines() if one and one[0] not in "#-"}
    return own.union(*(listed(PROJECT / name) for name in includes(path) if name != "requirements.txt"))


def included(path: Path) -> set[str]:
    return {path.name}.union(*(included(PROJECT / name) for name in includes(path)))


def includes(path: Path) -> list[str]:
    return re.findall(r"^-r (\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)


def command(wheel: Path, *arguments: str) -> list[str]:
    """What pip's script for the entry point does."""
    points = next(wheel.glob("*.dist-info/entry_points.txt")).read_text(encoding="utf-8")
    module, name = re.search(r"^structbert-lite = (\S+):(\S+)$", points, re.MULTILINE).groups()
    return [sys.executable, "-c", f"import sys; from {module} import {name}; sys.exit({name}())", *arguments]


def environment(wheel: Path, settings: dict[str, str]) -> dict[str, str]:

    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return kept | {"PYTHONPATH": str(wheel)} | {PREFIX + name: value for name, value in settings.items()}


def run(wheel: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(wheel, *arguments),
        cwd=folder,
        env=environment(wheel, {}),
        capture_output=True,
        text=True,
        check=False,
    )
