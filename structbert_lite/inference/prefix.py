"""A text that is read once for all that is asked about it: what its labels attend to, and how long that is kept.

The text's tokens never attend to a label, so its keys and values are the same for all of them (PreTTR, 2004.14255).
Each label is then an input of its own, [CLS] label [SEP], whose attention also sees the text; its tokens behind [CLS]
are of type 1, whatever types the tokenizer gives to a pair.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from structbert_lite.inference.tokenizer import Encoding, Tokenizer

LABEL_ROOM = 64  # tokens behind a long text that are kept free for a label, or twice, four times ... as many
CACHE_BYTES = 32 << 20

Prefix: TypeAlias = tuple[int, ...]  # token ids of the text, special ones included
# Keys float32 [layers, heads, size, tokens] and values [layers, heads, tokens, size].
KeysAndValues: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32]]


def encode_behind(tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]]) -> list[Encoding]:
    """The encoding of each pair's label, with its text for a prefix.

    How much of a text is read is decided by the length of the label alone, never by what else is asked: a text loses
    its end where less than LABEL_ROOM, or the next power of two that the label needs, is left behind it.
    """
    if not pairs:
        return []
    texts, labels = (_encode(tokenizer, fields) for fields in zip(*pairs, strict=True))
    cuts: dict[tuple[str, int], Prefix] = {}
    found: list[Encoding] = []
    for text, label in pairs:
        first, second = texts[text], labels[label]
        most = tokenizer.max_tokens // 2
        ids = second.ids if len(second) <= most else [*second.ids[: most - 1], second.ids[-1]]
        room = LABEL_ROOM
        while room < min(len(ids), most):
            room *= 2
        room = tokenizer.max_tokens - min(room, most)
        if is_new := (text, room) not in cuts:
            cuts[text, room] = tuple(first.ids if len(first) <= room else [*first.ids[: room - 1], first.ids[-1]])
        truncated = first.truncated or second.truncated or len(first) > room or len(second) > most
        found.append(Encoding(ids, [0, *[1] * (len(ids) - 1)], truncated, prefix=cuts[text, room], reads_prefix=is_new))
    return found


def _encode(tokenizer: Tokenizer, texts: Sequence[str]) -> dict[str, Encoding]:
    different = list(dict.fromkeys(texts))
    return dict(zip(different, tokenizer.encode(different), strict=True))


class PrefixCache:
    """Keys and values of the texts asked about last: at most `capacity` bytes of them, or one text's."""

    def __init__(self, capacity: int) -> None:
        self._capacity, self._size = capacity, 0
        self._kept: OrderedDict[Prefix, KeysAndValues] = OrderedDict()
        self._reading: dict[Prefix, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, prefix: Prefix, read: Callable[[Prefix], KeysAndValues]) -> KeysAndValues:
        """What `read` makes of it, now or before. Who comes while it is being read waits for that."""
        with self._lock:
            if (kept := self._look_up(prefix)) is not None:
                return kept
            turn = self._reading.setdefault(prefix, threading.Lock())
        with turn:
            with self._lock:
                if (kept := self._look_up(prefix)) is not None:
                    return kept
            made = None
            try:
                made = read(prefix)
            finally:
                with self._lock:
                    if self._reading.get(prefix) is turn:  # after a failure another may have come and taken its own
                        del self._reading[prefix]
                    if made is not None:
                        self._keep(prefix, made)
            return made

    def _look_up(self, prefix: Prefix) -> KeysAndValues | None:
        kept = self._kept.get(prefix)
        if kept is not None:
            self._kept.move_to_end(prefix)
        return kept

    def _keep(self, prefix: Prefix, made: KeysAndValues) -> None:
        if (old := self._kept.pop(prefix, None)) is not None:
            self._size -= _bytes(old)
        self._kept[prefix] = made
        self._size += _bytes(made)
        while self._size > self._capacity and len(self._kept) > 1:
            self._size -= _bytes(self._kept.popitem(last=False)[1])


def _bytes(made: KeysAndValues) -> int:
    return sum(values.nbytes for values in made)
