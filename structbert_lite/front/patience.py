"""How long a client may take, and who has to go when there are too many."""

import time
from collections.abc import Iterator

from structbert_lite.front.connection import Connection

HEAD_SECONDS = 10.0  # from the first byte of a request to the end of its head
# For a body, and for an answer that is not fetched: so long, and a second more for each `BYTES_PER_SECOND`.
BODY_SECONDS = 10.0
BYTES_PER_SECOND = 16 << 10
HURRY_SECONDS = 1.0  # as long may a client be idle while the server stops
LINGER_SECONDS = 2.0  # between our last byte and the close, for the client to read it
# What is kept of unfinished requests in all: beyond it, who holds most is cut off.
HELD_BODIES, LEAST_HELD = 8, 64 << 20


class Patience:
    """Open connections by what they do: `idle`, `asking`, `fetching` an answer, `closing`; the longest at it first.

    A connection that is in a thread's hands is in none of them.
    """

    def __init__(self, keep_alive: float, max_body: int) -> None:
        self.idle: dict[Connection, None] = {}
        self.asking: dict[Connection, None] = {}
        self.fetching: dict[Connection, None] = {}
        self.closing: dict[Connection, None] = {}
        self.held = 0  # bytes of all requests, also of those that threads have
        self.most_swallowed = 4 * max_body
        self._keep_alive = keep_alive
        self._most_held = max(LEAST_HELD, HELD_BODIES * max_body)
        self._looked = 0.0

    def idles(self, connection: Connection) -> None:
        """Nothing of its next request has come."""
        self._move(connection, self.idle, self._keep_alive)

    def goes_on(self, connection: Connection) -> None:
        """Some of its request has come."""
        if connection not in self.asking:
            connection.began = time.monotonic()
            self._move(connection, self.asking, HEAD_SECONDS)
        if connection.asked.head:
            connection.due = connection.began + BODY_SECONDS + len(connection.asked.data) / BYTES_PER_SECOND

    def fetches(self, connection: Connection) -> None:
        """Its answer is more than the network took at once."""
        self._move(connection, self.fetching, BODY_SECONDS + len(connection.sock.pending) / BYTES_PER_SECOND)

    def closes(self, connection: Connection) -> None:
        """It has its last answer."""
        self._move(connection, self.closing, LINGER_SECONDS)

    def hold(self, connection: Connection, size: int) -> None:
        """`size` bytes of its request are kept from now on."""
        self.held += size - connection.held
        connection.held = size

    def forget(self, connection: Connection) -> None:
        for group in self._groups():
            group.pop(connection, None)

    def hurry(self, instant: float) -> None:
        """The server stops: nobody stays idle beyond `instant`."""
        self._keep_alive = min(self._keep_alive, HURRY_SECONDS)
        for connection in self.idle:
            connection.due = min(connection.due, instant)

    def overdue(self) -> list[Connection]:
        """Those whose time is over; looks through all of them twice a second at the most."""
        now = time.monotonic()
        if now - self._looked < 0.5:
            return []
        self._looked = now
        return [connection for connection in self.all() if connection.due <= now]

    def all(self) -> Iterator[Connection]:
        for group in self._groups():
            yield from group

    def longest(self) -> Connection | None:
        """Who goes for a new connection: one that is answered, else an idle one, else the slowest."""
        return next((next(iter(group)) for group in self._groups() if group), None)

    @property
    def is_full(self) -> bool:
        """Whether requests hold as much memory as they may."""
        return self.held > self._most_held

    def greediest(self) -> Connection | None:
        """Of those whose request is still coming, the one that holds most."""
        return max(self.asking, key=lambda connection: connection.held, default=None)

    def _groups(self) -> tuple[dict[Connection, None], ...]:
        return self.closing, self.idle, self.asking, self.fetching

    def _move(self, connection: Connection, group: dict[Connection, None], seconds: float) -> None:
        self.forget(connection)
        connection.due = time.monotonic() + seconds
        group[connection] = None
