# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""`python -m export` from end to end, with its refusals, a stop and a crash."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

from export.__main__ import main
from export.encoding import load_tokenizer
from export.session import open_session, run
from export.texts import PARITY_TEXTS
from structbert_lite.manifest import check_files, find_models, read_manifest
from tests.export.make_checkpoint import make_model, write_hugging_face

PROJECT = Path(__file__).resolve().parents[2]
CARD = "---\nlicense: research use only\n---\n## Quality\n95 of 100 reviews.\n"


def export(*options: object):
    return CliRunner().invoke(main, ["--task", "sentiment", *map(str, options)])


def refusal(*options: object) -> str:
    result = export(*options)
    assert result.exit_code == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("export: refused: ")
    assert "Traceback" not in result.output
    return last.removeprefix("export: refused: ")


@pytest.fixture(scope="module")
def exported(tmp_path_factory, shared_checkpoint):
    out = tmp_path_factory.mktemp("models") / "tiny"
    result = export("--checkpoint", shared_checkpoint, "--out", out, "--min-agreement", 0.5)
    assert result.exit_code == 0, result.output
    return out, result


def test_a_line_for_each_stage(exported):
    stages = [line for line in exported[1].stdout.splitlines() if line.startswith("[")]
    titles = [re.fullmatch(r"\[(\d)/6\] (.+?) \.\.\. .*\(\d+\.\d s\)", line) for line in stages]
    assert [match[1] for match in titles] == list("123456")
    assert re.search(r"parity with PyTorch \.\.\. max \|Δlogit\| \d\.\de-\d\d on 12 texts \(limit 1e-04\)", stages[2])
    assert re.search(r"same label for \d+\.\d% of 108 texts \(bound 50\.0%\)", stages[4])


def test_the_server_can_read_it(exported):
    out, _ = exported
    assert sorted(os.listdir(out)) == ["README.md", "manifest.json", "model.onnx", "tokenizer.json"]
    assert list(find_models(out.parent)) == os.listdir(out.parent) == ["tiny"]
    check_files(out, read_manifest(out))


def test_manifest(exported, shared_checkpoint):
    manifest = read_manifest(exported[0])
    assert (manifest.name, manifest.task, manifest.labels) == ("tiny", "sentiment", ("Negative", "Positive"))
    assert (manifest.max_tokens, manifest.pad_id, manifest.license) == (64, 0, "not stated by the checkpoint")
    assert manifest.inputs == ("input_ids", "attention_mask", "token_type_ids")
    assert manifest.source.checkpoint == "shared"
    weights = (shared_checkpoint / "pytorch_model.bin").read_bytes()
    assert manifest.source.weights_sha256 == hashlib.sha256(weights).hexdigest()
    assert manifest.quantization["linear_layers"] == 13
    assert manifest.checks["parity_max_difference"] <= manifest.checks["parity_bound"] == 1e-4
    assert manifest.checks["int8"]["texts"] == 108
    assert manifest.tools["torch"].startswith("2.")
    assert manifest.tools["cpu"]
    assert str(shared_checkpoint.parent) not in (exported[0] / "manifest.json").read_text("utf-8")


def test_card_says_the_same(exported):
    card = (exported[0] / "README.md").read_text("utf-8")
    manifest = read_manifest(exported[0])
    for fact in ("Negative, Positive", "64 tokens", manifest.source.weights_sha256, manifest.license, "108 texts"):
        assert fact in card
    assert "{{" not in card
    assert "\n\n\n" not in card


def test_int8_model_follows_pytorch(exported, model):
    tokenizer = load_tokenizer(exported[0] / "tokenizer.json", 64, 0)
    logits = run(open_session(exported[0] / "model.onnx"), tokenizer, PARITY_TEXTS)
    encodings = tokenizer.encode_batch(list(PARITY_TEXTS))
    ids, mask = (torch.tensor([getattr(e, name) for e in encodings]) for name in ("ids", "attention_mask"))
    with torch.inference_mode():
        expected = model(input_ids=ids, attention_mask=mask).logits.numpy()
    assert np.abs(logits - expected).max() < expected.std()


def test_our_own_training_is_replaced_in_one_step(exported, tmp_path):
    """A Hugging Face folder with a tokenizer and a card of its own, put over an older model."""
    tokenizer = json.dumps(json.loads((exported[0] / "tokenizer.json").read_text("utf-8")))
    trained = write_hugging_face(tmp_path / "trained", make_model(seed=5), tokenizer)
    (trained / "MODEL_CARD.md").write_text(CARD, "utf-8")
    (trained / "resume.pt").write_bytes(b"not read")
    out = tmp_path / "models" / "sentiment"
    options = ("--checkpoint", trained, "--out", out, "--min-agreement", 0)
    assert export(*options, "--max-tokens", 32, "--license", "MIT").exit_code == 0
    old = read_manifest(out)
    assert (old.max_tokens, old.license) == (32, "MIT")
    assert "exists already" in refusal(*options)
    assert export(*options, "--force").exit_code == 0
    new = read_manifest(out)
    assert (new.max_tokens, new.license, new.checks["label_names"]) == (64, "research use only", "config.json label2id")
    assert os.listdir(out.parent) == ["sentiment"]
    assert (out / "tokenizer.json").read_text("utf-8") == tokenizer
    card = (out / "README.md").read_text("utf-8")
    assert "## Quality\n95 of 100 reviews." in card
    assert card.count("---\n") == 2
    assert card.startswith('---\nlanguage: zh\nlicense: "research use only"\n')


def test_refusals_leave_nothing(shared_checkpoint, checkpoint, tmp_path):
    out, empty = tmp_path / "models" / "new", tmp_path / "texts.txt"
    empty.write_text("\n\n")
    sound = ("--checkpoint", shared_checkpoint, "--out", out)
    assert "--max-tokens 65 is more than the checkpoint can read, which is 64" in refusal(*sound, "--max-tokens", 65)
    assert "has no text in it" in refusal(*sound, "--texts", empty)
    assert "cannot be read: No such file" in refusal(*sound, "--texts", tmp_path / "none.txt")
    assert "neither a folder" in refusal("--checkpoint", tmp_path / "none", "--out", out)
    (checkpoint / "pytorch_model.bin").write_bytes(b"PK\x03\x04 half")
    assert "pytorch_model.bin is truncated or corrupt" in refusal("--checkpoint", checkpoint, "--out", out)
    assert not out.parent.exists() or os.listdir(out.parent) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGKILL, -9)])
def test_a_stop_in_the_middle_leaves_no_model(shared_checkpoint, tmp_path, number, code):
    out = tmp_path / "models" / "new"
    command = [sys.executable, "-m", "export", "--task", "sentiment", "--checkpoint", shared_checkpoint, "--out", out]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        said = b""
        while b"[2/6]" not in said and (letter := process.stdout.read(1)):
            said += letter
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert not out.exists()
    assert b"Traceback" not in errors
    assert find_models(out.parent) == {}
    if number != signal.SIGKILL:  # nobody can clean up after that one; what it leaves is hidden
        assert os.listdir(out.parent) == []


def test_without_the_requirements(tmp_path):
    """An interpreter that is told that there is no torch."""
    script = "import sys, runpy; sys.modules['torch'] = None; runpy.run_module('export', run_name='__main__')"
    command = [sys.executable, "-c", script, "--task", "sentiment", "--checkpoint", "x", "--out", str(tmp_path / "m")]
    done = subprocess.run(command, check=False, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.strip() == "export: refused: torch is not installed; run: pip install -r requirements-export.txt"


def test_help_needs_no_torch():
    script = "import sys, export.__main__; print('torch' in sys.modules, 'transformers' in sys.modules)"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=True, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["False", "False"], done.stderr


def test_options_reach_their_tasks(shared_checkpoint, tmp_path):
    sound = ("--checkpoint", shared_checkpoint, "--out", tmp_path / "models" / "new")
    assert "--labels takes each of Negative, Positive once" in refusal(*sound, "--labels", "Positive")
    assert "--labels takes each of Negative, Positive once" in refusal(*sound, "--labels", '["Negative, bad"]')
    wrong = export(*sound, "--labels", '["Negative", "Positive"')
    assert wrong.exit_code == 2
    assert "this is no JSON array of labels" in wrong.stderr
    assert "has a classifier" in refusal(*sound, "--task", "embedding", "--pooling", "mean")
    assert "--calibration is for similarity" in refusal(*sound, "--calibration", tmp_path / "pairs.tsv")
    options = ("--task", "similarity", "--calibration", tmp_path / "pairs.tsv")
    assert "pairs.tsv cannot be read" in refusal(*sound, *options)
