"""The transport over standard input and output, a JSON-RPC message a line.

The SDK's own reads in a thread that no signal ends, drops what is unanswered when its input ends, and leaves a line
that is no message unanswered. Its output is used as it is: meanwhile whatever else is printed goes to standard error.
"""

import os
import signal
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from typing import Any, cast

from anyio import (
    AsyncFile,
    BrokenResourceError,
    CancelScope,
    Condition,
    create_memory_object_stream,
    create_task_group,
    move_on_after,
    open_signal_receiver,
    wait_readable,
)
from mcp.server import Server
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp.types import (
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
)

from structbert_lite.settings import Settings

STDIN, CHUNK = 0, 1 << 16
NO_MESSAGE = JSONRPCError(
    jsonrpc="2.0", id=None, error=ErrorData(code=PARSE_ERROR, message="this line is not a message of JSON-RPC 2.0")
)
Item = SessionMessage | Exception


async def serve_stdio(server: Server[Any], settings: Settings) -> None:
    """Serves one client until its input has ended and everything is answered, until it is gone, SIGTERM or SIGINT."""
    try:
        async with create_task_group() as group:
            group.start_soon(_end_at_signal, group.cancel_scope)
            async with stdio_server(stdin=cast("AsyncFile[str]", _read_lines())) as (read, write):
                await _serve(server, read, write, settings.timeout_ms / 1000)
            group.cancel_scope.cancel()
    except* (BrokenPipeError, BrokenResourceError):
        pass  # nobody reads the answers any more


async def _end_at_signal(scope: CancelScope) -> None:
    with open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()


async def _serve(server: Server[Any], read: AsyncIterable[Item], write: Any, seconds: float) -> None:
    """Between the transport and the SDK. Once the input has ended, `seconds` are left for what is under way."""
    to_server, requests = create_memory_object_stream[Item]()
    answers, from_server = create_memory_object_stream[SessionMessage]()
    unanswered: set[RequestId] = set()
    answered = Condition()

    async def pass_requests() -> None:
        async with to_server:
            async for item in read:
                if isinstance(item, Exception):
                    await write.send(SessionMessage(NO_MESSAGE))
                    continue
                match item.message:
                    case JSONRPCRequest(id=number):
                        unanswered.add(number)
                    case JSONRPCNotification(
                        method="notifications/cancelled", params={"requestId": int() | str() as number}
                    ):
                        unanswered.discard(number)  # the SDK answers it no more
                await to_server.send(item)
            with move_on_after(seconds):
                async with answered:
                    while unanswered:
                        await answered.wait()

    async def pass_answers() -> None:
        async with write, from_server:
            async for item in from_server:
                await write.send(item)
                if isinstance(item.message, JSONRPCResponse | JSONRPCError):
                    async with answered:
                        unanswered.discard(item.message.id)
                        answered.notify_all()

    async with create_task_group() as group:
        group.start_soon(pass_requests)
        group.start_soon(pass_answers)
        await server.run(requests, answers, server.create_initialization_options())


async def _read_lines() -> AsyncIterator[str]:
    """The lines of standard input. Waiting for one can be cancelled, which a thread that reads cannot be."""
    pending = bytearray()
    while True:
        with suppress(PermissionError):  # of a regular file, which can always be read
            await wait_readable(STDIN)
        chunk = os.read(STDIN, CHUNK)
        *lines, rest = chunk.split(b"\n") if chunk else (b"", b"")  # the end is the end of a line, too
        for line in lines:
            pending += line
            if pending.strip():
                yield pending.decode(errors="replace")
            pending.clear()
        if not chunk:
            return
        pending += rest
