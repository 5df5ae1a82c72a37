"""What a model is: the facts that export/ wrote beside it, read back and checked.

A model is a folder with `manifest.json`, `model.onnx` (perhaps with external data) and
`tokenizer.json`. Nothing in the manifest is typed by hand.
"""

import hashlib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from structbert_lite.errors import ModelRefused

MANIFEST_NAME = "manifest.json"
MODEL_NAME = "model.onnx"
TOKENIZER_NAME = "tokenizer.json"

Task = Literal["sentiment"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class FileFact(_Frozen):
    """Size and digest of one file of the model."""

    bytes: PositiveInt
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Source(_Frozen):
    """Where the weights come from: the checkpoint's name as it was given, and the digest of its weights file."""

    checkpoint: str
    layout: str
    weights_sha256: str


class Manifest(_Frozen):
    """Facts about one model. `quantization`, `checks` and `tools` are records for people, not settings."""

    format: Literal[1] = 1
    name: str
    task: Task
    labels: tuple[str, ...] = Field(min_length=2)
    max_tokens: PositiveInt  # of one encoding, special tokens included
    pad_id: int
    inputs: tuple[str, ...]  # of the ONNX graph, int64 [batch, tokens] each
    files: dict[str, FileFact]
    source: Source
    license: str
    quantization: dict[str, Any]
    checks: dict[str, Any]
    tools: dict[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 over the names and digests of all files: two models with one digest give one answer."""
        lines = "".join(f"{name} {fact.sha256}\n" for name, fact in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the model in `folder`.

    Raises ModelRefused when it is missing or malformed.
    """
    path = folder / MANIFEST_NAME
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ModelRefused(f"{folder} is not a model: it has no {MANIFEST_NAME}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ModelRefused(f"{path} is malformed: {where}: {first['msg']}") from None


def check_files(folder: Path, manifest: Manifest) -> None:
    """Compares every file of the model with its recorded size and digest.

    Raises ModelRefused, with the file's name, at the first that differs.
    """
    for name in (MODEL_NAME, TOKENIZER_NAME):
        if name not in manifest.files:
            raise ModelRefused(f"{folder / MANIFEST_NAME} does not list {name}")
    for name, fact in manifest.files.items():
        path = folder / name
        try:
            if path.stat().st_size != fact.bytes:
                raise ModelRefused(f"{path} has {path.stat().st_size} bytes, its manifest says {fact.bytes}")
            if file_sha256(path) != fact.sha256:
                raise ModelRefused(f"{path} does not have the SHA-256 that its manifest records")
        except OSError as error:
            raise ModelRefused(f"{path} cannot be read: {error.strerror}") from None


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_models(models: Path) -> dict[str, Manifest]:
    """Manifests of all models below `models` by folder name, in order of name.

    Raises ModelRefused when one of them is malformed. A folder without a manifest is not a model.
    """
    folders = sorted(path.parent for path in models.glob(f"*/{MANIFEST_NAME}"))
    return {folder.name: read_manifest(folder) for folder in folders if not folder.name.startswith(".")}
