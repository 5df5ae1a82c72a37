"""A deadline and a client that may hang up."""

import time

import pytest

from structbert_lite.errors import ClientDisconnected
from structbert_lite.request_context import RequestContext


def test_by_itself_a_call_may_take_as_long_as_it_takes() -> None:
    context = RequestContext()
    assert context.deadline > time.monotonic() + 1e9
    assert not context.cancelled()
    context.check_connected()


def test_seconds_are_counted_from_now() -> None:
    before = time.monotonic()
    assert before + 5 <= RequestContext.within(5).deadline <= time.monotonic() + 5


def test_the_client_is_asked_each_time() -> None:
    answers = iter([False, True])
    context = RequestContext(5.0, lambda: next(answers))
    context.check_connected()
    with pytest.raises(ClientDisconnected, match="hung up"):
        context.check_connected()
