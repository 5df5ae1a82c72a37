"""A Siamese checkpoint from export to its figures: PyTorch and stock int8 beside the exported model."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="needs requirements-export.txt")
pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")

from benchmarks.stock_int8 import main as make_stock_int8
from export.run import Export, run_export
from export.source import find_source
from export.texts import DEFAULT_TEXTS
from export.tokenizer import write_tokenizer
from structbert_lite.evaluate import batch_size, quality
from tests.export.make_checkpoint import make_model, make_vocabulary, write_modelscope
from tests.export.make_pairs_checkpoint import OURS, make_encoder, make_head, write_encoder


@pytest.fixture(scope="module")
def siamese(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(checkpoint, model folder)."""
    folder = tmp_path_factory.mktemp("siamese")
    plain = write_modelscope(folder / "plain", make_model(), make_vocabulary(2000))
    write_tokenizer(plain, folder / "tokenizer.json", 2000, ["好"])
    tokenizer = (folder / "tokenizer.json").read_text(encoding="utf-8")
    checkpoint = write_encoder(folder / "checkpoint", make_encoder(), tokenizer, make_head(2), OURS)
    source = find_source(str(checkpoint))
    run_export(Export(source, folder / "light", DEFAULT_TEXTS, task="similarity", min_agreement=0.0))
    return checkpoint, folder / "light"


def run(command: object, *arguments: object) -> dict:
    done = CliRunner().invoke(command, [*map(str, arguments), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_pytorch_stands_beside_the_matcher_and_the_vectors(siamese: tuple[Path, Path]) -> None:
    checkpoint, light = siamese
    for task in ("similarity", "embedding"):
        options = ["--task", task, "--limit", 20, "--reference", checkpoint, "--python", sys.executable]
        figures = run(quality.command, light, *options)["results"][0]["figures"]
        reference, own = figures["PyTorch float32"], figures["light int8"]
        assert reference.keys() == own.keys()
        for label in (0, 1, 2):
            assert own[f"mean score of {label}"] == pytest.approx(reference[f"mean score of {label}"], abs=0.1)


def test_stock_int8_of_the_encoder_moves_with_its_batch(siamese: tuple[Path, Path], tmp_path: Path) -> None:
    checkpoint, light = siamese
    stock = tmp_path / "stock.onnx"
    make = ["--task", "similarity", "--checkpoint", checkpoint, "--out", stock]
    made = CliRunner().invoke(make_stock_int8, list(map(str, make)))
    assert made.exit_code == 0, made.output
    options = ["--model", light, "--against", stock, "--sample", 24, "--shuffles", 2]
    files = run(batch_size.command, *options)["files"]
    assert all(row["same_bits"] for row in files["light"]["rows"])
    assert not any(row["same_bits"] for row in files["stock.onnx"]["rows"][1:])
