# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""Damaged weights files and pickles with code are refused with their cause, and no code of theirs runs."""

import hashlib
import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("safetensors", reason="needs requirements-export.txt")

from safetensors.torch import save_file

from export.refusal import ExportRefused
from export.weights import digest_weights, find_weights, read_tensors, read_weights

TENSORS = {"a": torch.arange(4000.0), "b": torch.ones(3, dtype=torch.bfloat16)}


class Code:
    """What a hostile checkpoint holds: loading it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def bin_file(tmp_path):
    torch.save(TENSORS, tmp_path / "pytorch_model.bin")
    return tmp_path / "pytorch_model.bin"


def refusal(path: Path) -> str:
    with pytest.raises(ExportRefused) as caught:
        read_tensors(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("zipped", [True, False])
def test_both_forms_of_torch_save(tmp_path, zipped):
    torch.save(TENSORS, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    read = read_tensors(tmp_path / "pytorch_model.bin")
    assert all(torch.equal(read[key], value) for key, value in TENSORS.items())


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_pickle_is_refused_and_does_not_run(tmp_path, zipped):
    path = tmp_path / "pytorch_model.bin"
    torch.save({"a": Code(tmp_path / "made")}, path, _use_new_zipfile_serialization=zipped)
    assert refusal(path).startswith("pytorch_model.bin contains Python code (posix.mkdir)")
    assert not (tmp_path / "made").exists()


def test_code_in_a_plain_pickle(tmp_path):
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(pickle.dumps({"a": Code(tmp_path / "made")}))
    assert "contains Python code" in refusal(path)
    assert not (tmp_path / "made").exists()


def test_a_whole_module_is_code(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "pytorch_model.bin")
    assert "contains Python code (torch.nn.modules.linear.Linear)" in refusal(tmp_path / "pytorch_model.bin")


@pytest.mark.parametrize("kept", [0, 3, 100, 0.5, 0.999])
@pytest.mark.parametrize("zipped", [True, False])
def test_truncated(tmp_path, kept, zipped):
    path = tmp_path / "pytorch_model.bin"
    torch.save(TENSORS, path, _use_new_zipfile_serialization=zipped)
    content = path.read_bytes()
    path.write_bytes(content[: kept if isinstance(kept, int) else int(len(content) * kept)])
    assert "corrupt" in refusal(path)


def test_one_flipped_bit_in_a_tensor(bin_file):
    with zipfile.ZipFile(bin_file) as archive:
        tensor = max(archive.infolist(), key=lambda member: member.file_size)
    content = bytearray(bin_file.read_bytes())
    content[tensor.header_offset + tensor.file_size // 2] ^= 1
    bin_file.write_bytes(content)
    assert "checksum" in refusal(bin_file)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"<html>404</html>", "corrupt or not a PyTorch file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", "Git LFS pointer"),
    ],
)
def test_what_downloads_leave_behind(bin_file, content, cause):
    bin_file.write_bytes(content)
    assert cause in refusal(bin_file)


@pytest.mark.parametrize(
    ("content", "cause"),
    [([torch.ones(1)], "holds a list"), ({"a": 3}, "holds a int under 'a'"), ({1: torch.ones(1)}, "under 1")],
)
def test_no_dictionary_of_tensors(bin_file, content, cause):
    torch.save(content, bin_file)
    assert cause in refusal(bin_file)


@pytest.mark.parametrize("kept", [0, 4, 0.5, 0.999])
def test_truncated_safetensors(tmp_path, kept):
    path = tmp_path / "model.safetensors"
    save_file(TENSORS, path)
    content = path.read_bytes()
    path.write_bytes(content[: kept if isinstance(kept, int) else int(len(content) * kept)])
    assert refusal(path).startswith("model.safetensors is truncated or corrupt: ")


def test_no_weights(tmp_path):
    with pytest.raises(ExportRefused, match=r"has no model\.safetensors and no pytorch_model\.bin"):
        find_weights(tmp_path)
    (tmp_path / "pytorch_model.bin.index.json").write_text("{}")
    with pytest.raises(ExportRefused, match=r"pytorch_model\.bin in shards; save it again as model\.safetensors"):
        find_weights(tmp_path)


@pytest.fixture
def sharded(tmp_path):
    """Two shards and their index."""
    files = {key: f"model-0000{number}-of-00002.safetensors" for number, key in enumerate(TENSORS, 1)}
    for key, name in files.items():
        save_file({key: TENSORS[key]}, tmp_path / name)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    return tmp_path


def test_shards_are_read_as_one_file(sharded):
    files = find_weights(sharded)
    assert [file.name for file in files] == [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    read = read_weights(files)
    assert read.keys() == TENSORS.keys()
    assert all(torch.equal(read[key], value) for key, value in TENSORS.items())
    lines = "".join(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n" for file in files)
    assert digest_weights(files) == hashlib.sha256(lines.encode()).hexdigest()


def test_shards_that_do_not_fit_their_index(sharded):
    index, second = sharded / "model.safetensors.index.json", sharded / "model-00002-of-00002.safetensors"
    save_file({"c": TENSORS["b"]}, second)
    with pytest.raises(ExportRefused, match="do not hold the same keys: b"):
        read_weights(find_weights(sharded))
    save_file({"a": TENSORS["b"]}, second)
    with pytest.raises(ExportRefused, match="holds a, which another shard holds too"):
        read_weights(find_weights(sharded))
    second.unlink()
    with pytest.raises(ExportRefused, match=f"lacks the shard {second.name}"):
        find_weights(sharded)
    for wrong in ({}, {"weight_map": {}}, {"weight_map": {"a": "../other.safetensors"}}, {"weight_map": {"a": 1}}):
        index.write_text(json.dumps(wrong))
        with pytest.raises(ExportRefused, match="has no weight_map"):
            find_weights(sharded)
