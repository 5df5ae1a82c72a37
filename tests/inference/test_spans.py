from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from structbert_lite.inference.spans import Word, cut


def make(sizes: list[int]) -> list[Word]:
    """Words of three characters, one space apart."""
    return [Word(4 * i, 4 * i + 3, tokens) for i, tokens in enumerate(sizes)]


def test_known_windows() -> None:
    words = make([1] * 10)
    assert cut(words, 4, 1, 9) == ([(0, 15), (12, 27), (24, 39)], False)
    assert cut(words, 4, 1, 2) == ([(0, 15), (12, 27)], True)
    assert cut(words, 10, 3, 1) == ([(0, 39)], False)
    assert cut([], 4, 1, 9) == ([], False)


def test_a_word_longer_than_a_window_stands_alone() -> None:
    assert cut(make([1, 9, 1]), 4, 2, 9) == ([(0, 3), (4, 7), (8, 11)], False)


@given(st.lists(st.integers(1, 6), max_size=60), st.integers(2, 20), st.integers(0, 8), st.integers(1, 80))
def test_every_word_is_read_and_no_window_is_too_long(sizes: list[int], size: int, overlap: int, limit: int) -> None:
    words = make(sizes)
    spans, left = cut(words, size, min(overlap, size // 4), limit)
    inside = [[i for i, word in enumerate(words) if start <= word.start < end] for start, end in spans]
    for own in inside:
        assert sum(sizes[i] for i in own) <= size or len(own) == 1
    for before, after in pairwise(inside):
        assert before[0] < after[0] <= before[-1] + 1
        assert after[-1] > before[-1]
        assert sum(sizes[i] for i in set(before) & set(after)) <= overlap
    read = sorted({i for own in inside for i in own})
    assert read == list(range(len(read)))
    assert left == (len(read) < len(words))
    assert len(spans) <= limit
    assert not left or len(spans) == limit
