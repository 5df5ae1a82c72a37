"""How a text and what is asked about it are cut and kept, where the text is read once."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from structbert_lite.inference.prefix import LABEL_ROOM, KeysAndValues, Prefix, PrefixCache, encode_behind
from structbert_lite.inference.tokenizer import Tokenizer
from tests.tiny_models import TOKENIZER

MOST = 256


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(Path(TOKENIZER), MOST)


def test_a_pair_is_its_two_halves(tokenizer: Tokenizer) -> None:
    (found,) = encode_behind(tokenizer, [("屏幕碎了", "售后")])
    (pair,) = tokenizer.encode([("屏幕碎了", "售后")])
    assert [*found.prefix, *found.ids[1:]] == pair.ids
    assert [0] * (len(found.prefix) - 1) + found.type_ids == pair.type_ids
    assert not found.truncated


def test_what_is_read_of_a_text_hangs_on_the_label_alone(tokenizer: Tokenizer) -> None:
    text = "屏幕碎了" * 100
    labels = ["售后", "客服态度不好", "长" * (LABEL_ROOM - 2), "长" * (LABEL_ROOM - 1), "长" * 300]
    together = encode_behind(tokenizer, [(text, label) for label in labels])
    alone = [encode_behind(tokenizer, [(text, label)])[0] for label in labels]
    assert [replace(found, reads_prefix=True) for found in together] == alone
    rooms = [MOST - LABEL_ROOM] * 3 + [MOST - 2 * LABEL_ROOM] * 2
    assert [len(found.prefix) for found in together] == rooms
    assert all(found.truncated and found.prefix[-1] == found.ids[-1] for found in together)
    assert max(len(found.prefix) + len(found) for found in together) == MOST
    assert together[0].prefix is together[1].prefix


def test_nothing_asked_is_nothing_read(tokenizer: Tokenizer) -> None:
    assert encode_behind(tokenizer, []) == []


def test_a_text_is_counted_once_however_many_labels_it_has(tokenizer: Tokenizer) -> None:
    texts, labels = ["屏幕碎了" * 10, "物流很快"], ["售后", "好"]
    found = encode_behind(tokenizer, [(text, label) for text in texts for label in labels])
    assert [one.reads_prefix for one in found] == [True, False, True, False]
    assert sum(one.cost for one in found) == sum(map(len, found)) + len(found[0].prefix) + len(found[2].prefix)


@pytest.mark.parametrize(("characters", "truncated"), [(MOST - LABEL_ROOM - 2, False), (MOST - LABEL_ROOM - 1, True)])
def test_a_text_is_whole_as_long_as_a_label_has_room(tokenizer: Tokenizer, characters: int, truncated: bool) -> None:
    (found,) = encode_behind(tokenizer, [("字" * characters, "售后")])
    assert (len(found.prefix), found.truncated) == (MOST - LABEL_ROOM, truncated)


def made(tokens: int) -> KeysAndValues:
    """64 bytes a token."""
    return np.zeros((1, 2, 4, tokens), np.float32), np.zeros((1, 2, tokens, 4), np.float32)


def test_the_texts_asked_about_last_are_kept() -> None:
    read: list[Prefix] = []

    def look(prefix: Prefix) -> KeysAndValues:
        read.append(prefix)
        return made(len(prefix))

    cache = PrefixCache(10 * 64)
    for prefix in ((1,) * 4, (2,) * 4, (1,) * 4, (3,) * 4, (1,) * 4, (2,) * 4):
        cache.get(prefix, look)
    assert read == [(1,) * 4, (2,) * 4, (3,) * 4, (2,) * 4]
    cache.get((4,) * 20, look)  # larger than all the room: the only one then
    cache.get((4,) * 20, look)
    assert read[4:] == [(4,) * 20]


def test_who_comes_while_a_text_is_read_waits_for_it() -> None:
    began, may_end = threading.Event(), threading.Event()
    read: list[Prefix] = []

    def look(prefix: Prefix) -> KeysAndValues:
        read.append(prefix)
        began.set()
        assert may_end.wait(10)
        return made(1)

    cache = PrefixCache(0)
    found: list[KeysAndValues] = []
    threads = [threading.Thread(target=lambda: found.append(cache.get((1,), look))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert began.wait(10)
    may_end.set()
    for thread in threads:
        thread.join(10)
    assert read == [(1,)]
    assert len(found) == 3
    assert all(one is found[0] for one in found)


def test_a_text_that_could_not_be_read_is_read_again() -> None:
    cache = PrefixCache(1)

    def fail(prefix: Prefix) -> KeysAndValues:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="memory"):
        cache.get((1,), fail)
    assert cache.get((1,), lambda prefix: made(1))[0].shape == (1, 2, 4, 1)


def test_a_text_read_twice_is_counted_once() -> None:
    """A reading that fails lets another begin beside the one that waited."""
    cache = PrefixCache(4 * 64)
    began, may_fail, may_end = (threading.Event() for _ in range(3))

    def fail(prefix: Prefix) -> KeysAndValues:
        began.set()
        assert may_fail.wait(10)
        raise RuntimeError("out of memory")

    def look(prefix: Prefix) -> KeysAndValues:
        assert may_end.wait(10)
        return made(len(prefix))

    def ask(read: Callable[[Prefix], KeysAndValues]) -> None:
        with suppress(RuntimeError):
            cache.get((1, 1), read)

    first = threading.Thread(target=ask, args=(fail,))
    first.start()
    assert began.wait(10)
    second = threading.Thread(target=ask, args=(look,))
    second.start()
    may_fail.set()
    first.join(10)
    third = threading.Thread(target=ask, args=(look,))
    third.start()
    may_end.set()
    for thread in (second, third):
        thread.join(10)
    read: list[Prefix] = []
    for prefix in ((2, 2), (1, 1), (2, 2)):  # there is room for both
        cache.get(prefix, lambda prefix: read.append(prefix) or made(2))
    assert read == [(2, 2)]
