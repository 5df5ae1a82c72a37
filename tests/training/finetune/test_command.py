# ruff: noqa: E402 - what needs torch is imported after the check that it is there
"""`python -m training sentiment` from a CSV file to an answer of the server, with a kill on the way."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

torch = pytest.importorskip("torch", reason="needs requirements-train.txt")
for module in ("sklearn", "matplotlib", "optimum.exporters.onnx"):
    pytest.importorskip(module, reason="needs requirements-train.txt")

from app import create_app
from structbert_lite.manifest import check_files, read_manifest
from structbert_lite.settings import PROJECT, Settings
from training.__main__ import main
from training.finetune.command import serve_command

LABELS = ["咨询", "建议", "投诉"]


def options(labelled: Path, base: Path, folder: Path, *more: object) -> list[str]:
    given = ["--train", labelled, "--text-column", "content", "--label-column", "kind", "--base", base]
    given += ["--out", folder / "models" / "mine", "--run", folder / "run", "--learning-rate", 0.005, "--epochs", 15]
    return ["sentiment", *map(str, [*given, "--min-agreement", 0.5, *more])]


def refusal(result: Result) -> str:
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    return result.stderr.strip().splitlines()[-1].removeprefix("training: refused: ")


@pytest.fixture(scope="module")
def finetuned(labelled: Path, tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("finetuned")
    result = CliRunner().invoke(main, options(labelled, tiny_base, folder))
    assert result.exit_code == 0, result.output
    return folder, result


def report_of(folder: Path) -> dict:
    return json.loads((folder / "run" / "report" / "report.json").read_text("utf-8"))


def test_it_learns_and_says_how_well(finetuned: tuple[Path, Result]) -> None:
    folder, result = finetuned
    report = report_of(folder)
    assert report["labels"] == LABELS
    assert report["rows"] == {"train": 144, "dev": 36}
    for side in ("float32", "int8"):
        assert report[side]["accuracy"] > 0.8
        assert list(report[side]["by_label"]) == LABELS
        assert sum(map(sum, report[side]["confusion"])) == 36
    assert report["epochs"][report["best_epoch"] - 1]["macro_f1"] == max(e["macro_f1"] for e in report["epochs"])
    text = (folder / "run" / "report" / "report.md").read_text("utf-8")
    assert all(label in text for label in LABELS)
    assert (folder / "run" / "report" / "confusion.png").read_bytes().startswith(b"\x89PNG")
    assert "mine.csv: 1 label with stray spaces mended" in result.stdout
    assert "warning: 1 text with different labels" in result.stdout
    assert not (folder / "run" / "resume.pt").exists()


def test_the_server_serves_it_by_name(finetuned: tuple[Path, Result], tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(finetuned[0] / "models" / "mine", models / "mine")
    shutil.copytree(PROJECT / "models" / "sentiment", models / "sentiment")
    client = create_app(Settings(models=models, sentiment_model="mine")).test_client()
    (model,) = client.get("/models").json["models"]
    assert (model["name"], model["labels"]) == ("mine", LABELS)
    answer = client.post("/predict", json={"text": "太烂，服务，浪费"}).json
    assert answer["label"] == "投诉"
    assert list(answer["probabilities"]) == LABELS
    assert answer["score"] == max(answer["probabilities"].values())
    assert [
        one["label"] for one in client.post("/predict_batch", json={"texts": ["早餐，价格", "希望，推荐"]}).json
    ] == ["咨询", "建议"]
    assert client.post("/predict", json={"inputs": "太烂，服务，浪费"}).json[0]["label"] == "投诉"
    page = client.post("/", data={"text": "太烂，服务，浪费"}).text
    assert "<strong>投诉</strong>" in page


def test_the_model_says_what_it_is(finetuned: tuple[Path, Result]) -> None:
    model = finetuned[0] / "models" / "mine"
    manifest = read_manifest(model)
    check_files(model, manifest)
    assert (manifest.name, manifest.task, list(manifest.labels), manifest.max_tokens) == (
        "mine",
        "sentiment",
        LABELS,
        64,
    )
    assert manifest.license == "that of tiny, which does not state one"
    assert manifest.checks["parity_max_difference"] <= 1e-4
    assert manifest.checks["int8"]["batch_max_difference"] == 0
    card = (model / "README.md").read_text("utf-8")
    assert "Fine-tuned from `tiny`" in card
    assert "On 36 dev rows" in card


def test_a_killed_run_goes_on_to_the_same_figures(
    finetuned: tuple[Path, Result], labelled: Path, tiny_base: Path, tmp_path: Path
) -> None:
    given = options(labelled, tiny_base, tmp_path)
    state = tmp_path / "run" / "state.json"
    command = [sys.executable, "-m", "training", *given]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        give_up = time.monotonic() + 300
        while not (state.is_file() and len(json.loads(state.read_text("utf-8"))["epochs"]) >= 2):
            assert process.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "models" / "mine").exists()
    result = CliRunner().invoke(main, given)
    assert result.exit_code == 0, result.output
    assert "epochs already; going on from there" in result.stdout
    assert "epoch 1:" not in result.stdout
    whole, resumed = report_of(finetuned[0]), report_of(tmp_path)
    # PyTorch may add up in another order on a busy machine, and one of the 36 dev rows is 0.03.
    assert [one["macro_f1"] for one in resumed["epochs"]] == pytest.approx(
        [one["macro_f1"] for one in whole["epochs"]], abs=0.1
    )
    assert resumed["epochs"][-1]["loss"] == pytest.approx(whole["epochs"][-1]["loss"], rel=0.1)
    assert resumed["int8"]["accuracy"] == pytest.approx(whole["int8"]["accuracy"], abs=0.1)


def test_refusals(finetuned: tuple[Path, Result], labelled: Path, tiny_base: Path, tmp_path: Path) -> None:
    folder = finetuned[0]

    def refused(where: Path, *more: object) -> str:
        return refusal(CliRunner().invoke(main, options(labelled, tiny_base, where, *more)))

    assert "exists already; give another --out, or --force" in refused(folder)
    assert "holds a run with another recipe; give another folder with --run" in refused(
        folder, "--force", "--epochs", 9
    )
    assert "has no column 'text'; it has: id, content, kind" in refused(tmp_path, "--text-column", "text")
    assert "is no folder" in refused(tmp_path, "--base", tmp_path / "none")
    dev = tmp_path / "dev.csv"
    dev.write_text("content,kind\n好,表扬\n", "utf-8")
    assert "dev.csv has labels that mine.csv has not: 表扬" in refused(tmp_path, "--dev", dev)
    wrong = CliRunner().invoke(main, options(labelled, tiny_base, tmp_path, "--rename", "投诉"))
    assert (wrong.exit_code, "takes OLD=NEW" in wrong.stderr) == (2, True)
    assert not (tmp_path / "models").exists()


def test_the_command_that_serves_it(tmp_path: Path) -> None:
    assert serve_command(PROJECT / "models" / "mine").endswith("STRUCTBERT_SENTIMENT_MODEL=mine make serve")
    assert serve_command(tmp_path / "my models" / "a").startswith(f"STRUCTBERT_MODELS='{tmp_path}/my models' ")


def test_help_needs_no_torch() -> None:
    script = "import sys, training.__main__; print('torch' in sys.modules, 'transformers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], check=True, cwd=PROJECT, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"], done.stderr
