import shutil
from pathlib import Path

import pytest

from structbert_lite.errors import ConfigurationError, InvalidModel
from structbert_lite.model_selection import check_models, select_models
from structbert_lite.settings import Settings


def test_the_named_model_is_served(model_folder: Path, tmp_path: Path) -> None:
    for name in ("another", "sentiment"):
        shutil.copytree(model_folder, tmp_path / name)
    assert select_models(Settings(models=tmp_path)).names == {"sentiment": "sentiment"}
    assert select_models(Settings(models=tmp_path, sentiment_model="another")).names == {"sentiment": "another"}
    with pytest.raises(ConfigurationError, match="there are: another, sentiment"):
        select_models(Settings(models=tmp_path, sentiment_model="third"))


def test_one_model_may_serve_two_tasks(tiny_models: Path) -> None:
    selection = select_models(Settings(models=tiny_models))
    chosen = selection.names
    assert set(selection.manifests) == set(chosen.values())
    assert chosen["similarity"] == chosen["embedding"] == "similarity"
    assert len(chosen) == 5


def test_a_damaged_model_is_found_before_it_is_loaded(model_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(model_folder, tmp_path / "sentiment")
    (tmp_path / "sentiment" / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(InvalidModel, match=r"model\.onnx"):
        check_models(Settings(models=tmp_path))


def test_further_models_come_behind_the_default_one(tiny_models: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_models, tmp_path, dirs_exist_ok=True)
    for name in ("情感-b", "a"):
        shutil.copytree(tmp_path / "sentiment", tmp_path / name)
    shutil.copytree(tmp_path / "similarity", tmp_path / "similarity-b")
    chosen = select_models(Settings(models=tmp_path, alternatives=" 情感-b,a ,, similarity-b"))
    assert chosen.choices["sentiment"] == ("sentiment", "情感-b", "a")
    assert chosen.choices["similarity"] == chosen.choices["embedding"] == ("similarity", "similarity-b")
    assert chosen.choices["rerank"] == ("rerank",)
    assert chosen.names == select_models(Settings(models=tmp_path)).names
    assert {"情感-b", "a", "similarity-b"} <= chosen.manifests.keys()
    # The default one may stand in the list, which then need not change with the default.
    assert select_models(Settings(models=tmp_path, alternatives="sentiment,a", sentiment_model="a")).choices[
        "sentiment"
    ] == ("a", "sentiment")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("none", r"ALTERNATIVES: 'none' is no model in .*; there are: rerank, sentiment"),
        ("rerank,sentiment,rerank", r"ALTERNATIVES names 'rerank' twice"),
        ("../models", r"ALTERNATIVES: '\.\./models' is no model"),
    ],
)
def test_further_models_that_cannot_be_meant_stop_the_start(tiny_models: Path, names: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        select_models(Settings(models=tiny_models, alternatives=names))


def test_a_damaged_further_model_stops_the_start(tiny_models: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_models, tmp_path, dirs_exist_ok=True)
    shutil.copytree(tmp_path / "rerank", tmp_path / "other")
    (tmp_path / "other" / "model.onnx").write_bytes(b"nothing")
    check_models(Settings(models=tmp_path))  # it is not served
    with pytest.raises(InvalidModel, match=r"other/model\.onnx"):
        check_models(Settings(models=tmp_path, alternatives="other"))
