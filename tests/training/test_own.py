"""The project's own texts: whole, held out the same way every time, and without tells on their surface."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs requirements-train.txt")

from training import own
from training.augment import change
from training.tells import auc, labelled_rows, surface

MOST = 0.55  # AUC of a classifier that reads no words
SETS = labelled_rows()


@pytest.mark.parametrize("name", SETS)
def test_the_surface_does_not_tell_the_label(name: str) -> None:
    found = auc(SETS[name])
    print(f"{name}: {len(SETS[name])} rows, AUC {found:.3f}")
    assert found <= MOST


def test_a_tell_is_found() -> None:
    rng = np.random.default_rng(1)
    texts = ["很好" * int(n) for n in rng.integers(2, 9, 400)]
    plain = [(text, None, i % 2) for i, text in enumerate(texts)]
    told = [(text + "。" * label, None, label) for text, _, label in plain]
    assert auc(plain) < 0.6
    assert auc(told) > 0.95


def test_the_surface_holds_no_words() -> None:
    assert surface("这家店很好。", "好不好") == surface("那间房很差。", "差不差")


def test_every_set_is_whole_and_held_out_the_same_way() -> None:
    for read in (own.opinions, own.paraphrases, own.questions, own.inferences, own.choices, own.searches):
        kept, held = read()
        assert len(held) >= 0.04 * len(kept)
        assert read() == (kept, held)
    opinions = own.opinions()[0]
    assert {o.label for o in opinions} == set(own.SENTIMENTS)
    assert all(a[-1] in "+-~" for o in opinions for a in o.aspects)
    assert all(len({p.text, *p.same, *p.other}) == 1 + len(p.same) + len(p.other) for p in own.paraphrases()[0])
    assert all(q.text_a != q.text_b for q in own.questions()[0])
    assert all(c.fits not in c.wrong for c in own.choices()[0])


def test_small_changes_stay_small() -> None:
    rng = np.random.default_rng(1)
    text = "客服的态度很好，发货也快，下次还会再来。"
    changed = [change(text, rng) for _ in range(300)]
    assert 0.5 < changed.count(text) / 300 < 0.8
    assert all(len(set(text) - set(new)) <= 4 and abs(len(new) - len(text)) <= 4 for new in changed)
    assert change("好", rng) == "好"
