"""The tools as the SDK serves them, whatever the transport.

The SDK speaks the protocol; what a call takes, answers and refuses is that of the HTTP routes (tools.py).
"""

import logging
import threading
import time
from functools import partial
from itertools import count
from typing import Any

from anyio import CapacityLimiter, create_task_group, sleep, to_thread
from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)

from structbert_lite import __version__
from structbert_lite.engine import Engine
from structbert_lite.errors import Overloaded
from structbert_lite.mcp.tools import TaskTool, describe_failure, installed_tools, instructions
from structbert_lite.request_context import RequestContext
from structbert_lite.settings import Settings
from structbert_lite.telemetry.logs import request_id
from structbert_lite.web.middleware import choose_request_id
from structbert_lite.web.routing import ApiRequest
from structbert_lite.web.serialization import write_json

log = logging.getLogger(__name__)
Context = ServerRequestContext[Any]

PROGRESS_SECONDS = 1.0
NATURE = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)


class _Handlers:
    """What the SDK calls. Calls are answered in threads, `http_threads` of them at once; as many more may wait."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._timeout = settings.timeout_ms / 1000
        self._max_bytes = settings.max_body_mb << 20
        self._max_waiting = settings.http_threads
        self._threads = CapacityLimiter(settings.http_threads)

    async def list_tools(self, context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_describe(tool) for tool in installed_tools(self._engine).values()])

    async def call_tool(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        """The answer, or a sentence for the agent as the tool's error. A name that no tool has is the client's."""
        tools = installed_tools(self._engine)
        if params.name not in tools:
            raise MCPError(INVALID_PARAMS, f"there is no tool {params.name!r}; there are: {', '.join(tools)}")
        request_id.set(choose_request_id(""))
        began, cancelled = time.monotonic(), threading.Event()
        if self._threads.statistics().tasks_waiting >= self._max_waiting:
            return _fail(params.name, began, Overloaded("too many calls are waiting, try again later", retry_after=1))
        within = RequestContext(began + self._timeout, cancelled.is_set)
        call = ApiRequest(self._engine, within, request_id.get(), "")
        answer = partial(self._answer, tools[params.name], params.arguments or {}, call, began)
        try:
            async with create_task_group() as group:
                group.start_soon(_report_progress, context)
                result = await to_thread.run_sync(answer, limiter=self._threads, abandon_on_cancel=True)
                group.cancel_scope.cancel()
            return result
        finally:
            cancelled.set()  # where the client has cancelled the call, its work is dropped

    def _answer(self, tool: TaskTool, arguments: dict[str, Any], call: ApiRequest, began: float) -> CallToolResult:
        try:
            answer = tool.answer(arguments, call, self._max_bytes)
            text = write_json(answer).decode().rstrip()
        except Exception as error:
            return _fail(tool.name, began, error)
        _log_call(tool.name, began, "none")
        return CallToolResult(content=[TextContent(text=text)], structured_content=answer)


def make_server(engine: Engine, settings: Settings) -> Server[Any]:
    """The tools of `engine`, with the limits of `settings`."""
    handlers = _Handlers(engine, settings)
    return Server(
        "structbert-lite",
        version=__version__,
        title="StructBERT Lite",
        instructions=instructions(settings),
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
    )


def _describe(tool: TaskTool) -> Tool:
    return Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.request.model_json_schema(),
        output_schema=tool.result.model_json_schema(),
        annotations=NATURE,
    )


def _fail(name: str, began: float, error: Exception) -> CallToolResult:
    failure, sentence = describe_failure(error)
    _log_call(name, began, failure)
    return CallToolResult(content=[TextContent(text=sentence)], is_error=True)


def _log_call(name: str, began: float, failure: str) -> None:
    milliseconds = round((time.monotonic() - began) * 1000)
    log.info("call", extra={"facts": {"tool": name, "error": failure, "ms": milliseconds}})


async def _report_progress(context: Context) -> None:
    """Tells a client that asked for it that its call goes on: its time-out need not strike."""
    for number in count(1):
        await sleep(PROGRESS_SECONDS)
        seconds = number * PROGRESS_SECONDS
        await context.session.report_progress(seconds, message=f"working for {seconds:.0f} s")
