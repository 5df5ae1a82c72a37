"""A model folder appears whole or not at all."""

import os

import pytest

from export.publish import build_aside, check_target, publish
from export.refusal import ExportRefused


def write(folder, word):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(word)
    return folder


def fail_half_way(out, error):
    with build_aside(out) as aside:
        write(aside / "model", "half")
        raise error


def test_built_aside_then_renamed(tmp_path):
    out = check_target(tmp_path / "models" / "new", replace=False)
    with build_aside(out) as aside:
        assert aside.parent == out.parent
        assert aside.name.startswith(".new.")
        publish(write(aside / "model", "new"), out, replace=False)
    assert os.listdir(out.parent) == ["new"]
    assert (out / "manifest.json").read_text() == "new"
    assert (
        out.stat().st_mode & 0o777 == tmp_path.joinpath("models").stat().st_mode & 0o777
    )  # readable by the server's user


@pytest.mark.parametrize("error", [ExportRefused("no"), KeyboardInterrupt(), OSError(28, "full")])
def test_nothing_is_left_after_an_error(tmp_path, error):
    with pytest.raises(type(error)):
        fail_half_way(tmp_path / "new", error)
    assert os.listdir(tmp_path) == []


def test_replacing_leaves_the_new_one_alone(tmp_path):
    out = write(tmp_path / "model", "old")
    assert check_target(out, replace=True) == out
    with build_aside(out) as aside:
        publish(write(aside / "model", "new"), out, replace=True)
    assert os.listdir(tmp_path) == ["model"]
    assert (out / "manifest.json").read_text() == "new"


def test_an_error_keeps_the_old_one(tmp_path):
    out = write(tmp_path / "model", "old")
    with pytest.raises(RuntimeError):
        fail_half_way(out, RuntimeError())
    assert (out / "manifest.json").read_text() == "old"
    assert os.listdir(tmp_path) == ["model"]


def test_a_folder_that_appears_meanwhile_is_not_overwritten(tmp_path):
    out = check_target(tmp_path / "model", replace=False)
    with build_aside(out) as aside:
        mine = write(aside / "model", "mine")
        write(out, "theirs")
        with pytest.raises(ExportRefused, match="cannot be moved"):
            publish(mine, out, replace=False)
    assert (out / "manifest.json").read_text() == "theirs"


def test_targets_that_are_refused(tmp_path):
    model, documents = write(tmp_path / "model", "old"), tmp_path / "documents"
    documents.mkdir()
    (documents / "letter.txt").write_text("dear")
    (tmp_path / "link").symlink_to(model)
    for out, replace, cause in [
        (model, False, "exists already"),
        (documents, True, "not a model folder"),
        (tmp_path / "link", True, "not a model folder"),
        (tmp_path / ".hidden", False, "hidden"),
    ]:
        with pytest.raises(ExportRefused, match=cause):
            check_target(out, replace)
    assert (documents / "letter.txt").exists()
