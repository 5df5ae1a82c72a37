"""Small checkpoints with random weights; nothing here is imported where requirements-export is not installed."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def vocabulary() -> list[str]:
    from tests.export.make_checkpoint import make_vocabulary

    return make_vocabulary(2000)


@pytest.fixture(scope="session")
def model():
    """The reference: two layers of 32, vocabulary 2000, 64 positions."""
    from tests.export.make_checkpoint import make_model

    return make_model()


@pytest.fixture
def checkpoint(tmp_path: Path, model, vocabulary) -> Path:
    """A sound checkpoint in ModelScope's layout, to be spoiled by the test."""
    from tests.export.make_checkpoint import write_modelscope

    return write_modelscope(tmp_path / "checkpoint", model, vocabulary)


@pytest.fixture(scope="session")
def shared_checkpoint(tmp_path_factory: pytest.TempPathFactory, model, vocabulary) -> Path:
    """The same, for tests that leave it as it is."""
    from tests.export.make_checkpoint import write_modelscope

    return write_modelscope(tmp_path_factory.mktemp("checkpoints") / "shared", model, vocabulary)


@pytest.fixture(scope="session")
def float32(tmp_path_factory: pytest.TempPathFactory, model) -> Path:
    """The reference model as float32 ONNX."""
    from export.convert import convert

    return convert(model, tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory, shared_checkpoint):
    from export.encoding import load_tokenizer
    from export.tokenizer import write_tokenizer

    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    write_tokenizer(shared_checkpoint, path, 2000, ["好"])
    return load_tokenizer(path, 64, 0)
