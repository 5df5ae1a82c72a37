"""Open connections by what they do, each with its deadline, and who is evicted where there are too many."""

import time
from typing import Protocol

HEAD_SECONDS = 10.0  # from the first byte of a request to the end of its head
# For a body to come, and for an answer to be fetched: so long, and a second more for each `BYTES_PER_SECOND`.
BODY_SECONDS = 10.0
BYTES_PER_SECOND = 16 << 10
LINGER_SECONDS = 2.0  # between our last byte and the close, for the client to read it
LAST_IDLE_SECONDS = 1.0  # as long may a client be idle while the server stops


def transfer_seconds(size: int) -> float:
    """How long a client may take for `size` bytes."""
    return BODY_SECONDS + size / BYTES_PER_SECOND


class Entry(Protocol):
    """A connection as the table sees it."""

    def expire(self) -> None:
        """Its deadline has passed."""

    def drop(self) -> None:
        """Its place is needed: closed at once."""


Group = dict[Entry, float]


class ConnectionTable:
    """A group for each thing that a connection waits for; in each the one that has waited longest comes first.

    `closing`: half-closed, for the client to read the last answer; `idle`: between requests; `reading`: in the head of
    a request; `writing`: an answer is more than the network takes. The value is an instant of time.monotonic. A
    connection whose request is read or answered by the application is in none of them. Timers would be set and
    cancelled with every request; the table is looked through twice a second.
    """

    def __init__(self, idle_seconds: float) -> None:
        self.closing: Group = {}
        self.idle: Group = {}
        self.reading: Group = {}
        self.writing: Group = {}
        self._groups = (self.closing, self.idle, self.reading, self.writing)
        self._idle_seconds = idle_seconds

    def put(self, connection: Entry, group: Group, seconds: float) -> None:
        """From now on it does what `group` says, for so long at the most."""
        self.remove(connection)
        group[connection] = time.monotonic() + seconds

    def put_idle(self, connection: Entry) -> None:
        """It waits for its next request, of which nothing has come."""
        self.put(connection, self.idle, self._idle_seconds)

    def put_reading(self, connection: Entry) -> None:
        """Some of the head of a request has come."""
        self.put(connection, self.reading, HEAD_SECONDS)

    def remove(self, connection: Entry) -> None:
        for group in self._groups:
            group.pop(connection, None)

    def expire(self) -> None:
        """Ends those whose time is over."""
        now = time.monotonic()
        for connection in [late for group in self._groups for late, due in group.items() if due <= now]:
            connection.expire()

    def evict(self) -> bool:
        """Drops one to make room: an answered one, else the longest idle, else the slowest. False: there is none."""
        victim = next((next(iter(group)) for group in self._groups if group), None)
        if victim is not None:
            self.remove(victim)
            victim.drop()
        return victim is not None

    def hurry(self) -> None:
        """The server stops: idle connections are closed within `LAST_IDLE_SECONDS`."""
        self._idle_seconds = min(self._idle_seconds, LAST_IDLE_SECONDS)
        last = time.monotonic() + LAST_IDLE_SECONDS
        for connection, due in self.idle.items():
            self.idle[connection] = min(due, last)
