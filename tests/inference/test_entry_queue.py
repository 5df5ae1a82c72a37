"""Rounds: a call of many inputs takes turns with others."""

import math

from structbert_lite.inference.entry_queue import Entry, EntryQueue
from structbert_lite.inference.tokenizer import Encoding


def entries(count: int, length: int = 10) -> list[Entry]:
    return [Entry(Encoding([0] * length, [0] * length, False), math.inf) for _ in range(count)]


def test_a_single_input_passes_the_rest_of_a_long_call() -> None:
    queue = EntryQueue(quantum=40)
    long, single, other = entries(100), entries(1), entries(1)
    queue.add(long)
    queue.take(queue.first(4))
    queue.add(single)
    queue.add(other)
    assert queue.first(6) == [*long[4:8], *single, *other]
    assert queue.tokens_ahead == 60  # a third one would be behind these
    assert queue.tokens == 980


def test_texts_that_are_read_for_short_labels_count() -> None:
    queue = EntryQueue(quantum=40)
    labels = [Entry(Encoding([0] * 4, [0] * 4, False, prefix=(i,) * 36, reads_prefix=True), math.inf) for i in range(9)]
    single = entries(1)
    queue.add(labels)
    queue.take(queue.first(1))
    queue.add(single)
    assert queue.first(2) == [labels[1], *single]
    assert queue.tokens == 8 * 40 + 10


def test_a_long_call_goes_on_while_single_inputs_keep_coming() -> None:
    queue = EntryQueue(quantum=40)
    long = entries(100)
    queue.add(long)
    taken: list[Entry] = []
    for _ in range(200):
        queue.add(entries(1))
        batch = queue.first(2)
        queue.take(batch)
        taken += batch
    assert all(entry.call.begun for entry in long)
    assert len([entry for entry in taken if entry in set(long)]) == 100


def test_calls_of_the_same_kind_are_served_as_they_come() -> None:
    queue = EntryQueue(quantum=40)
    calls = [entries(1, length) for length in (10, 50, 30, 200, 10)]
    for call in calls:
        queue.add(call)
    assert queue.first(9) == [entry for call in calls for entry in call]
    queue.remove(calls[1])
    assert (len(queue), queue.tokens, queue.tokens_ahead) == (4, 250, 250)
    queue.remove(queue.first(4))
    assert (queue.tokens, queue.tokens_ahead, list(queue)) == (0, 0, [])
