"""Libraries that are in the repository are what deploy/vendor.sh took from their packages."""

import json
import re
from pathlib import Path

from structbert_lite.manifest import file_sha256
from structbert_lite.settings import PROJECT

FOLDERS = (PROJECT / "static" / "vendor", PROJECT / "tests" / "e2e" / "vendor")
SCRIPT = (PROJECT / "deploy" / "vendor.sh").read_text(encoding="utf-8")


def files() -> list[Path]:
    return [path for folder in FOLDERS for path in folder.rglob("*") if path.is_file()]


def test_no_file_was_changed_added_or_lost() -> None:
    lines = (PROJECT / "deploy" / "vendor.sha256").read_text(encoding="utf-8").splitlines()
    recorded = {name: digest for digest, name in (line.split() for line in lines)}
    assert {path.relative_to(PROJECT).as_posix(): file_sha256(path) for path in files()} == recorded


def test_each_has_its_licence_and_an_exact_version() -> None:
    fetched = dict(re.findall(r"^fetch \S+@(\d+\.\d+\.\d+) (\S+)", SCRIPT, re.MULTILINE))
    assert set(fetched.values()) == {path.parent.relative_to(PROJECT).as_posix() for path in files()}
    for version, folder in fetched.items():
        assert (PROJECT / folder / "LICENSE").stat().st_size > 500
        said = [path.read_text(encoding="utf-8")[:500] for path in (PROJECT / folder).glob("*.js")]
        if (package := PROJECT / folder / "package.json").exists():  # of a script that does not say it
            said = [f"v{json.loads(package.read_text(encoding='utf-8'))['version']}"]
        assert all(f"v{version}" in one for one in said)
