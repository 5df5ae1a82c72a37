"""Where a text of known words is cut: windows over it, and how much of each of two texts is kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """Characters `start` to `end` of a text, and how many tokens they make."""

    start: int
    end: int
    tokens: int


def cut(words: list[Word], size: int, overlap: int, limit: int) -> tuple[list[tuple[int, int]], bool]:
    """Spans of characters, in order, and whether words are left behind the last of them.

    A span holds whole words of at most `size` tokens (a longer word stands alone), neighbours share at most `overlap`
    tokens, and there are at most `limit` spans.
    """
    spans: list[tuple[int, int]] = []
    first, last = 0, -1
    while last < len(words) - 1:
        if len(spans) == limit:
            return spans, True
        last = _reach(words, range(first, len(words)), size)
        spans.append((words[first].start, words[last].end))
        if last < len(words) - 1:
            # What is shared must leave room for the next word, or the next span would bring nothing new.
            shared = min(overlap, size - words[last + 1].tokens)
            first = last + 1 if words[last].tokens > shared else _reach(words, range(last, first, -1), shared)
    return spans, False


def longest_first(counts: list[int], room: int) -> list[int]:
    """How many tokens of each of two parts are kept, as the tokenizers library decides it (`longest_first`)."""
    if sum(counts) <= room:
        return counts
    short, long = sorted(counts)
    if short > room // 2:
        short, long = room // 2, room - room // 2
    else:
        long = room - short
    return [long, short] if counts[0] > counts[1] else [short, long]


def _reach(words: list[Word], order: range, tokens: int) -> int:
    """The last index in `order` up to which words have at most `tokens` tokens together; its first at the least."""
    for i in order:
        tokens -= words[i].tokens
        if tokens < 0 and i != order.start:
            return i - order.step
    return order[-1]
