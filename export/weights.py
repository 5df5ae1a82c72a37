"""Reads the tensors of a checkpoint without ever running code from it."""

import pickle
import re
import warnings
import zipfile
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file

from export.refusal import ExportRefused

NAMES = ("model.safetensors", "pytorch_model.bin")


def find_weights(folder: Path) -> Path:
    """The weights file of the checkpoint in `folder`; safetensors where both kinds are there.

    Raises ExportRefused when there is none, or only one split into shards.
    """
    for name in NAMES:
        if (folder / name).is_file():
            return folder / name
    for name in NAMES:
        if (folder / f"{name}.index.json").is_file():
            raise ExportRefused(f"{folder.name} holds its weights in shards; save it again as one {NAMES[0]} file")
    raise ExportRefused(f"{folder.name} has no {' and no '.join(NAMES)}, so it holds no PyTorch weights")


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
