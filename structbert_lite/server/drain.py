"""The end of a listening socket, without losing a connection that the kernel has already accepted."""

import ctypes
import select
import socket
import struct
import sys
from collections.abc import Callable

SO_ATTACH_FILTER = 26  # Linux; Python's socket module does not name it
# A classic BPF program, one (code, jump if true, jump if false, operand) a line. It sees the TCP header.
DROP_SYN = (
    (0x30, 0, 0, 13),  # load the byte of flags
    (0x45, 0, 1, 0x02),  # is SYN among them?
    (0x06, 0, 0, 0),  # yes: drop the packet
    (0x06, 0, 0, 0xFFFFFFFF),  # no: keep it
)
LAST_HANDSHAKES_MS = 200


def accept_the_last(listener: socket.socket, accept: Callable[[socket.socket], None]) -> None:
    """Calls `accept` for every connection that is there, and closes `listener` for good.

    The kernel completes handshakes by itself: a connection that came between the last accept and the close would be
    reset with its request unread. So on Linux new ones are first left unanswered; when the client's kernel tries again
    after a second the port is closed, which clients may retry. No other process may go on using the socket.
    """
    patience = LAST_HANDSHAKES_MS if _refuse_newcomers(listener) else 0
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    while waiting.poll(patience):
        accept(listener)
    listener.close()


def _refuse_newcomers(listener: socket.socket) -> bool:
    """Whether the kernel now ignores the first packet of every new connection."""
    if sys.platform != "linux" or listener.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in DROP_SYN))
    try:
        listener.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(DROP_SYN), ctypes.addressof(program))
        )
    except OSError:  # a sandbox may not know it
        return False
    return True
