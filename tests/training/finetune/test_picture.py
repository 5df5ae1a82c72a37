from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs requirements-train.txt")

from matplotlib.font_manager import findSystemFonts

from training.finetune.picture import draw_confusion, find_font


def test_labels_by_name_where_a_font_has_them_and_by_number_elsewhere(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    confusion = np.array([[8, 2], [1, 9]])
    assert draw_confusion(confusion, ["Negative", "Positive"], picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert draw_confusion(confusion, ["咨询", "投诉"], picture) == (find_font("咨询投诉…") is not None)
    assert picture.stat().st_size > 10_000
    assert not draw_confusion(confusion, ["\U000f0000", "好"], picture)  # a private character: no font has it


def test_many_labels_are_numbered(tmp_path: Path) -> None:
    assert not draw_confusion(np.eye(150, dtype=np.int64), [f"intent {n}" for n in range(150)], tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 0


def test_a_font_that_only_claims_to_have_a_character_is_not_taken() -> None:
    """Matplotlib brings such a one, and its own search takes it for Chinese text where no other is found."""
    assert find_font("\U000f0000") is None
    noto = [path for path in findSystemFonts() if path.endswith("NotoSansCJK-Regular.ttc")]
    if noto:
        assert find_font("咨询投诉…").get_file() in noto
