import pytest

from benchmarks.medians import best_setting, largest_change, median_of


def test_the_largest_change_is_over_all_texts_and_labels() -> None:
    alone = [{"Negative": 0.9, "Positive": 0.1}, {"Negative": 0.5, "Positive": 0.5}]
    again = [{"Positive": 0.125, "Negative": 0.9}, {"Negative": 0.25, "Positive": 0.5}]
    assert largest_change(alone, again) == 0.25
    assert largest_change(alone, alone) == 0.0


@pytest.mark.parametrize("again", [[], [{"Negative": 1.0}], [{"Negative": 1.0, "Other": 0.0}]])
def test_scores_of_other_texts_or_labels_are_no_change_but_an_error(again: list) -> None:
    with pytest.raises(ValueError, match=r"labels|shorter"):
        largest_change([{"Negative": 1.0, "Positive": 0.0}], again)


def test_a_score_that_is_no_number_is_never_a_small_change() -> None:
    with pytest.raises(ValueError, match="not a number"):
        largest_change([{"Positive": 0.5}], [{"Positive": float("nan")}])


def test_the_fastest_setting_is_picked_and_the_first_of_equals() -> None:
    assert best_setting({"one": 10.0, "two": 30.0, "three": 30.0}) == "two"


def test_medians_are_taken_figure_by_figure() -> None:
    rows = [{"a": 1.0, "b": 9.0}, {"a": 3.0, "b": 7.0}, {"a": 2.0, "b": 8.0}]
    assert median_of(rows) == {"a": 2.0, "b": 8.0}
