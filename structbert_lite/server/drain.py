"""The end of a listening socket, without losing a connection that the kernel has already accepted."""

import asyncio
import ctypes
import select
import socket
import struct
import sys

SO_ATTACH_FILTER = 26  # Linux; Python's socket module does not name it
# A classic BPF program, one (code, jump if true, jump if false, operand) a line. It sees the TCP header.
DROP_SYN = (
    (0x30, 0, 0, 13),  # load the byte of flags
    (0x45, 0, 1, 0x02),  # is SYN among them?
    (0x06, 0, 0, 0),  # yes: drop the packet
    (0x06, 0, 0, 0xFFFFFFFF),  # no: keep it
)
LAST_HANDSHAKES_SECONDS = 0.2


async def drain_listener(listener: socket.socket) -> None:
    """Returns when every connection that the kernel has for `listener` is accepted; the event loop accepts them.

    The kernel completes handshakes by itself: a connection that came between the last accept and the close would be
    reset with its request unread. So on Linux new ones are first left unanswered; when the client's kernel tries again
    after a second the port is closed, which clients may retry. No other process may go on using the socket. Close it
    without awaiting anything in between.
    """
    if _refuse_newcomers(listener):
        await asyncio.sleep(LAST_HANDSHAKES_SECONDS)
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    while waiting.poll(0):
        await asyncio.sleep(0.001)


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
