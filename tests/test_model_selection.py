import shutil
from pathlib import Path

import pytest

from structbert_lite.errors import ConfigurationError, InvalidModel
from structbert_lite.model_selection import check_models, choose_models
from structbert_lite.settings import Settings


def test_the_named_model_is_served(model_folder: Path, tmp_path: Path) -> None:
    for name in ("another", "sentiment"):
        shutil.copytree(model_folder, tmp_path / name)
    assert choose_models(Settings(models=tmp_path)) == {"sentiment": "sentiment"}
    assert choose_models(Settings(models=tmp_path, sentiment_model="another")) == {"sentiment": "another"}
    with pytest.raises(ConfigurationError, match="there are: another, sentiment"):
        choose_models(Settings(models=tmp_path, sentiment_model="third"))


def test_one_model_may_serve_two_tasks(tiny_models: Path) -> None:
    chosen = choose_models(Settings(models=tiny_models))
    assert chosen["similarity"] == chosen["embedding"] == "similarity"
    assert len(chosen) == 5


def test_a_damaged_model_is_found_before_it_is_loaded(model_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(model_folder, tmp_path / "sentiment")
    (tmp_path / "sentiment" / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(InvalidModel, match=r"model\.onnx"):
        check_models(Settings(models=tmp_path))
