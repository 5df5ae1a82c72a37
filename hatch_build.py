"""What packaging takes from other files: dependencies from requirements*.txt, the server's files beside the package."""

import re
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

RUNTIME = "requirements.txt"
# What stands beside the package in a checkout and inside it in a wheel (structbert_lite/settings.py, PROJECT).
SERVER = ("app.py", "gunicorn.conf.py", "templates", "static")
EXTRA = re.compile(r"requirements-(\w+)\.txt")
NO_EXTRAS = {"dev", "audit"}  # a checkout's alone


class RequirementFiles(MetadataHookInterface):
    """`dependencies` is requirements.txt, an extra each of the other files."""

    def update(self, metadata: dict) -> None:
        root = Path(self.root)
        found = {EXTRA.fullmatch(path.name)[1]: path for path in sorted(root.glob("requirements-*.txt"))}
        metadata["dependencies"] = read_requirements(root / RUNTIME)
        metadata["optional-dependencies"] = {
            name: read_requirements(path) for name, path in found.items() if name not in NO_EXTRAS
        }


class ServerFiles(BuildHookInterface):
    """Puts the server's files into a wheel; an editable installation has them where they are."""

    def initialize(self, version: str, build_data: dict) -> None:
        if self.target_name == "wheel" and version == "standard":
            build_data["force_include"].update(
                {str(Path(self.root) / name): f"structbert_lite/project/{name}" for name in SERVER}
            )


def read_requirements(path: Path) -> list[str]:
    """The requirements in a file and in those that it includes with -r, but for what every installation has."""
    found: list[str] = []
    for line in map(str.strip, path.read_text(encoding="utf-8").splitlines()):
        if line.startswith("-r "):
            other = path.parent / line.removeprefix("-r ").strip()
            found += [] if other.name == RUNTIME else read_requirements(other)
        elif line and not line.startswith("#"):
            found.append(line)
    return list(dict.fromkeys(found))
