"""Where a checkpoint comes from, and what is said where no hub can be reached."""

import os
import subprocess
import sys

import pytest

from export.refusal import ExportRefused
from export.source import find_source
from structbert_lite.settings import PROJECT


def test_a_folder_gives_its_name_and_no_path(tmp_path, monkeypatch):
    (tmp_path / "trained").mkdir()
    assert find_source(str(tmp_path / "trained")).name == "trained"
    monkeypatch.chdir(tmp_path / "trained")
    assert find_source(".").name == "trained"


def test_what_is_neither_folder_nor_id(tmp_path):
    (tmp_path / "file.bin").write_bytes(b"")
    with pytest.raises(ExportRefused, match="is a file"):
        find_source(str(tmp_path / "file.bin"))
    for wrong in ("nowhere", str(tmp_path / "nowhere"), "hf:nobody", "a/b/c", ""):
        with pytest.raises(ExportRefused, match="neither a folder"):
            find_source(wrong)


@pytest.mark.parametrize(
    ("checkpoint", "hub", "module"),
    [
        ("damo/nlp_structbert_sentiment-classification_chinese-base", "ModelScope", "modelscope_hub"),
        ("iic/nlp_structbert_sentiment-classification_chinese-tiny", "ModelScope", "modelscope_hub"),
        ("modelscope:someone/something", "ModelScope", "modelscope_hub"),
        ("someone/something", "Hugging Face", "huggingface_hub"),
        ("hf:damo/something", "Hugging Face", "huggingface_hub"),
    ],
)
def test_an_id_without_network(checkpoint, hub, module, tmp_path):
    """A closed port stands for the missing network; the clients' own settings keep the retries short."""
    pytest.importorskip(module, reason="needs requirements-export.txt")
    dead = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    short = {"HF_HUB_OFFLINE": "1", "MODELSCOPE_API_MAX_RETRIES": "1", "MODELSCOPE_REPO_TREE_PAGE_MAX_ATTEMPTS": "1"}
    script = "import sys; from export.source import find_source; find_source(sys.argv[1])"
    environment = {**os.environ, **dead, **short, "HOME": str(tmp_path)}
    command = [sys.executable, "-c", script, checkpoint]
    done = subprocess.run(
        command, check=False, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60
    )
    said = done.stderr.strip().splitlines()[-1]  # the exception
    repository = checkpoint.split(":")[-1]
    folder = "checkpoints/" + repository.split("/")[1]
    assert said.startswith(
        f"export.refusal.ExportRefused: there is no folder {repository} here, and it could not be downloaded from {hub}"
    ), done.stderr
    assert "config.json, vocab.txt or tokenizer.json, pytorch_model.bin or model.safetensors" in said
    assert said.endswith(
        f"put them into the folder {folder} here and run this command again with --checkpoint {folder}"
    )


@pytest.mark.parametrize("spoiled", ["", "configuration.json", "vocab.txt", "pytorch_model.bin", "half"])
def test_a_whole_copy_in_modelscopes_cache_is_taken_without_a_network(tmp_path, spoiled):
    hub = pytest.importorskip("modelscope_hub", reason="needs requirements-export.txt")
    snapshot = tmp_path / "cache" / "models" / "iic--some_model" / "snapshots" / "master"
    snapshot.mkdir(parents=True)
    for name in {"config.json", "configuration.json", "vocab.txt", "pytorch_model.bin"} - {spoiled}:
        (snapshot / name).write_bytes(b"{}")
    if spoiled == "half":
        (snapshot / "label_mapping.json.incomplete").write_bytes(b"{")
    script = "import sys; from export.source import find_source; print(find_source(sys.argv[1]).folder)"
    dead = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    short = {"MODELSCOPE_API_MAX_RETRIES": "1", "MODELSCOPE_REPO_TREE_PAGE_MAX_ATTEMPTS": "1"}
    environment = {**os.environ, **dead, **short, "MODELSCOPE_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-c", script, "iic/some_model"]
    done = subprocess.run(
        command, check=False, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60
    )
    if spoiled:
        assert "could not be downloaded from ModelScope" in done.stderr
    else:
        assert done.stdout.strip() == str(snapshot), (done.stderr, hub.__file__)
