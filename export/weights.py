"""Reads the tensors of a checkpoint without ever running code from it."""

import hashlib
import pickle
import re
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file

from export.json_file import read_json
from export.refusal import ExportRefused
from structbert_lite.manifest import file_sha256

NAMES = ("model.safetensors", "pytorch_model.bin")
SHARDS = "model.safetensors.index.json"


def find_weights(folder: Path) -> tuple[Path, ...]:
    """The weights file of the checkpoint in `folder`, or its safetensors shards; safetensors where both are there.

    Raises ExportRefused when there is none, a shard is missing, or a pytorch_model.bin is split.
    """
    if (folder / SHARDS).is_file() and not (folder / NAMES[0]).is_file():
        return _find_shards(folder)
    for name in NAMES:
        if (folder / name).is_file():
            return (folder / name,)
    if (folder / f"{NAMES[1]}.index.json").is_file():
        raise ExportRefused(f"{folder.name} holds {NAMES[1]} in shards; save it again as {NAMES[0]}")
    raise ExportRefused(f"{folder.name} has no {' and no '.join(NAMES)}, so it holds no PyTorch weights")


def _find_shards(folder: Path) -> tuple[Path, ...]:
    mapped = read_json(folder / SHARDS).get("weight_map")
    names = sorted(set(mapped.values())) if isinstance(mapped, dict) and all(map(_is_name, mapped.values())) else []
    if not names:
        raise ExportRefused(f"{SHARDS} has no weight_map from keys to the names of files beside it")
    for name in names:
        if not (folder / name).is_file():
            raise ExportRefused(f"{folder.name} lacks the shard {name}, which {SHARDS} names")
    return tuple(folder / name for name in names)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value == Path(value).name and value.endswith(".safetensors")


def read_weights(files: Sequence[Path]) -> dict[str, torch.Tensor]:
    """Tensors by key of one file or of all shards; memory of the safetensors kind is the file's own pages.

    Raises ExportRefused as `read_tensors` does, and when two shards hold one key or the index names other keys.
    """
    tensors: dict[str, torch.Tensor] = {}
    for file in files:
        read = read_tensors(file)
        if doubled := read.keys() & tensors.keys():
            raise ExportRefused(f"{file.name} holds {min(doubled)}, which another shard holds too")
        tensors |= read
    if len(files) > 1 or files[0].name not in NAMES:
        mapped = read_json(files[0].with_name(SHARDS))["weight_map"].keys()
        if wrong := mapped ^ tensors.keys():
            raise ExportRefused(f"{SHARDS} and the shards do not hold the same keys: {min(wrong)}")
    return tensors


def digest_weights(files: Sequence[Path]) -> str:
    """SHA-256 of the one file; of several, over the lines `NAME DIGEST` in order of name."""
    digests = {file.name: file_sha256(file) for file in files}
    if len(files) == 1:
        return digests[files[0].name]
    return hashlib.sha256(
        "".join(f"{name} {digest}\n" for name, digest in sorted(digests.items())).encode()
    ).hexdigest()


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Tensors by key as they are stored, on the CPU.

    Raises ExportRefused when the file is damaged, is not a dictionary of tensors or contains Python code.
    """
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(b"version https://git-lfs"):
        raise ExportRefused(f"{path.name} is a Git LFS pointer, not the weights; fetch them with: git lfs pull")
    tensors = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path, head)
    if not isinstance(tensors, dict):
        raise ExportRefused(f"{path.name} holds a {type(tensors).__name__}, not a dictionary of tensors")
    for key, value in tensors.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            raise ExportRefused(f"{path.name} holds a {type(value).__name__} under {key!r}, not a tensor")
    return tensors


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(path)
    except (safetensors.SafetensorError, ValueError) as error:
        raise ExportRefused(f"{path.name} is truncated or corrupt: {_first_line(error)}") from None


def _read_pickle(path: Path, head: bytes) -> object:
    if head.startswith(b"PK"):
        _check_archive(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the pickle's protocol; what matters is refused below
            return torch.load(path, weights_only=True, map_location="cpu")
    except pickle.UnpicklingError as error:
        if named := re.search(r"GLOBAL (\S+)", str(error)):
            raise ExportRefused(f"{path.name} contains Python code ({named[1]}) and is refused") from None
        # torch.save writes pickle protocol 2; later ones hide the names of what they call from torch.load.
        if head[:1] == b"\x80" and head[1:2] > b"\x02":
            raise ExportRefused(f"{path.name} contains Python code or objects and is refused") from None
        raise ExportRefused(f"{path.name} is corrupt or not a PyTorch file") from None
    except (RuntimeError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise ExportRefused(f"{path.name} is truncated or corrupt: {_first_line(error)}") from None


def _check_archive(path: Path) -> None:
    """torch.load does not look at the archive's checksums: a flipped bit in a tensor would pass."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise ExportRefused(f"{path.name} is truncated or corrupt: {_first_line(error)}") from None
    if damaged is not None:
        raise ExportRefused(f"{path.name} is corrupt: the checksum of {damaged} in it is wrong")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].split(". ")[0].rstrip(".")
