import numpy as np
import pytest

from training.label_sets import CSL, WORDINGS, Labelled, draw_candidates, read_own, reword

EXAMPLE = Labelled("主力资金净流出", "股票", ("股票", "财经", "体育", "教育", "旅游"), "topics_news")


def test_candidates_begin_with_the_label_and_hold_no_kin_of_it() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        label, *wrong = draw_candidates(EXAMPLE, ["退款", "财经", "股票"], 3, rng)
        assert label == "股票"
        assert 1 <= len(wrong) <= 3
        assert len(set(wrong)) == len(wrong)
        assert not {"股票", "财经"} & set(wrong)


def test_our_own_texts_are_whole() -> None:
    own = read_own()
    assert len(own) > 5000
    assert all(e.text.strip() and e.label in e.labels for e in own)
    assert len({e.text for e in own}) >= 0.99 * len(own)


@pytest.mark.parametrize("words", [("股票", "财经"), ("体育", "足球")])
def test_texts_of_kin_labels_are_there_to_be_told_apart_from_others(words: tuple[str, str]) -> None:
    assert set(words) <= {e.label for e in read_own()}


def test_labels_kept_for_the_report_are_in_no_set_of_our_own() -> None:
    assert not CSL & {label for e in read_own() for label in e.labels}


def test_a_reworded_label_is_another_word_for_it_and_for_no_other() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        new = reword(["股票", "退款", "游戏"], rng)
        assert new[0] in WORDINGS["股票"]
        assert new[1] == "退款"
        assert new[2] in WORDINGS["游戏"]
    words = [word for label, others in WORDINGS.items() for word in (label, *others)]
    assert len(set(words)) == len(words)
