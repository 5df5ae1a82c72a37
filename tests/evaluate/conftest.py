"""A small checkpoint with random weights and its exported model, for what needs both."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(checkpoint in ModelScope's layout, model folder); skips where PyTorch is not installed."""
    pytest.importorskip("torch", reason="needs requirements-export.txt")
    pytest.importorskip("optimum.exporters.onnx", reason="needs requirements-export.txt")
    from export.run import Export, run_export
    from export.source import find_source
    from export.texts import DEFAULT_TEXTS
    from tests.export.make_checkpoint import make_model, make_vocabulary, write_modelscope

    folder = tmp_path_factory.mktemp("exported")
    checkpoint = write_modelscope(folder / "checkpoint", make_model(), make_vocabulary(2000))
    # Random weights put texts on the boundary, where int8 may change a label.
    run_export(Export(find_source(str(checkpoint)), folder / "light", DEFAULT_TEXTS, min_agreement=0.0))
    return checkpoint, folder / "light"


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve texts of different lengths with labels."""
    rows = "".join(f"{i % 2}\t{'房间很干净，早餐也不错' * (1 + i % 3)}{'好差' * i}\n" for i in range(12))
    path = tmp_path_factory.mktemp("data") / "labelled.tsv"
    path.write_text(f"label\ttext\n{rows}", encoding="utf-8")
    return path
