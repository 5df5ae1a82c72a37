"""One tiny siamese-uninlu checkpoint: two layers apart, six together, 32 wide."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def span_parts():
    """(its tensors, the BERT that they were cut from, its two pointers)."""
    from tests.export.span.make_span_checkpoint import make_span_model, split_model

    model, pointers = make_span_model()
    return split_model(model, pointers), model, pointers


@pytest.fixture
def span_checkpoint(tmp_path: Path, span_parts) -> Path:
    """A sound checkpoint, to be spoiled by the test."""
    from tests.export.span.make_span_checkpoint import make_span_vocabulary, write_span_model

    tensors, model, _ = span_parts
    return write_span_model(tmp_path / "checkpoint", tensors, model.config, make_span_vocabulary(2000))


@pytest.fixture(scope="session")
def shared_span_checkpoint(tmp_path_factory: pytest.TempPathFactory, span_parts) -> Path:
    """The same, for tests that leave it as it is."""
    from tests.export.span.make_span_checkpoint import make_span_vocabulary, write_span_model

    tensors, model, _ = span_parts
    folder = tmp_path_factory.mktemp("checkpoints") / "uninlu"
    return write_span_model(folder, tensors, model.config, make_span_vocabulary(2000))


@pytest.fixture(scope="session")
def asking(tmp_path_factory: pytest.TempPathFactory, shared_span_checkpoint):
    """The tokenizer of pairs as the exporter makes it."""
    from export.span.prompt import join_apart, load_prompting
    from export.tokenizer import write_tokenizer

    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    write_tokenizer(shared_span_checkpoint, path, 2000, ["好"])
    join_apart(path)
    tokenizer, _ = load_prompting(path, None, 96, 0)
    return tokenizer
