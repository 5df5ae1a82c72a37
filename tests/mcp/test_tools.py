"""The tools beside the routes that they are made from, over the SDK's own client in this process."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest
from flask.testing import FlaskClient
from mcp import Client, MCPError
from mcp.server import Server
from mcp.types import CallToolResult, Tool

from structbert_lite.engine import Engine
from structbert_lite.mcp import server as mcp_server
from structbert_lite.mcp.server import make_server
from structbert_lite.mcp.tools import TOOLS
from structbert_lite.settings import PROJECT, Settings
from tests.running import PATIENCE, run_apart
from tests.steered_model import SteeredModel

REVIEW = "物流很快，就是价格有点贵"
CALLS = [
    ("sentiment", "/predict_batch", {"texts": ["物流很快", "这部电影太烂了"]}),
    ("sentiment", "/predict_batch", {"texts": ["这家店早上九点开门"], "neutral": True}),
    ("aspects", "/aspects", {"texts": [REVIEW, "早餐种类很多"]}),
    ("aspects", "/aspects", {"texts": [REVIEW], "aspects": ["价格", "拍照"]}),
    ("aspects", "/aspects", {"texts": ["房间干净，隔音太差"], "domain": "hotel"}),
    ("explain", "/explain", {"text": REVIEW}),
    ("similarity", "/similarity", {"pairs": [["怎么申请退款", "如何办理退款"], ["好", "坏"]], "details": True}),
    ("classify", "/classify", {"texts": ["充电器坏了，要求退货"], "labels": ["售后", "物流"], "none": True}),
    ("rerank", "/rerank", {"query": "怎么退款", "documents": ["九点开门", {"text": "退款请点这里"}], "top_n": 1}),
    ("rerank", "/rerank", {"query": "怎么退款", "documents": ["九点开门"], "return_documents": True}),
    ("embed", "/embed", {"texts": ["好", "长" * 600]}),
]


@pytest.fixture(scope="module")
def server(engine: Engine) -> Server[Any]:
    return make_server(engine, Settings(max_body_mb=1))


def ask(
    server: Server[Any], name: str, arguments: dict[str, Any], mode: str = "auto", **options: Any
) -> CallToolResult:
    async def call() -> CallToolResult:
        async with Client(server, mode=mode) as client:
            return await client.call_tool(name, arguments)

    return run_apart(anyio.run, call)


def list_tools(server: Server[Any]) -> dict[str, Tool]:
    async def call() -> list[Tool]:
        async with Client(server) as client:
            return (await client.list_tools()).tools

    return {tool.name: tool for tool in run_apart(anyio.run, call)}


def said(result: CallToolResult) -> str:
    (content,) = result.content
    return content.text


@pytest.mark.parametrize(("name", "path", "arguments"), CALLS)
def test_a_tool_answers_what_its_route_answers(
    server: Server[Any], client: FlaskClient, name: str, path: str, arguments: dict[str, Any]
) -> None:
    result = ask(server, name, arguments)
    shown = client.post(path, json=arguments).get_json()
    assert not result.is_error
    assert result.structured_content == (shown if isinstance(shown, dict) else {"results": shown})
    assert json.loads(said(result)) == result.structured_content
    jsonschema.validate(result.structured_content, list_tools(server)[name].output_schema)


def test_every_tool_is_asked_here_and_in_both_eras_of_the_protocol(server: Server[Any]) -> None:
    assert {name for name, _, _ in CALLS} == {tool.name for tool in TOOLS} == list_tools(server).keys()
    name, _, arguments = CALLS[0]
    assert (
        ask(server, name, arguments, mode="legacy").structured_content
        == ask(server, name, arguments).structured_content
    )


def test_arguments_are_plain_objects_that_say_what_they_take(server: Server[Any]) -> None:
    """Models are told of a tool's arguments by their schema; some take no alternatives at its top."""
    for tool in list_tools(server).values():
        assert tool.description
        assert tool.annotations.read_only_hint
        for schema in (tool.input_schema, tool.output_schema):
            assert schema["type"] == "object"
            assert not schema.keys() & {"oneOf", "anyOf", "allOf", "$ref"}
        assert tool.input_schema["additionalProperties"] is False
    for name, _, arguments in CALLS:
        jsonschema.validate(arguments, list_tools(server)[name].input_schema)


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("sentiment", {}, "texts: this field is required"),
        ("sentiment", {"texts": "好"}, "texts: this must be an array"),
        ("sentiment", {"texts": []}, "texts: this must not be empty"),
        ("sentiment", {"texts": ["好", " "]}, "texts[1]: the text has no readable characters"),
        ("sentiment", {"texts": ["好", 1]}, "texts[1]: this must be a string"),
        ("sentiment", {"texts": ["好\ud800"]}, "arguments: half a character stands in them, a lone surrogate"),
        ("sentiment", {"text": "好"}, "texts: this field is required"),
        ("sentiment", {"texts": ["好"], "labels": ["甲"]}, "labels: this field is unknown"),
        ("sentiment", {"inputs": "好"}, "texts: this field is required"),
        ("sentiment", {"texts": ["好"] * 513}, "texts: 513 texts in one request, the limit is 512"),
        ("sentiment", {"texts": ["好" * 400_000]}, "arguments: they are larger than the limit of 1048576 bytes"),
        ("explain", {"text": ""}, "text: this must not be empty"),
        ("explain", {"text": "\u200b"}, "text: the text has no readable characters"),
        ("aspects", {"texts": ["好"], "aspects": ["价格", "价格"]}, "aspects[1]: the aspect occurs twice"),
        ("aspects", {"texts": ["好"], "domain": "car"}, "domain: Input should be 'shop', 'food' or 'hotel'"),
        ("similarity", {"pairs": [["好"]]}, "pairs[0]: this must be an array of two strings"),
        ("similarity", {"pairs": [["好", "好"], ["好", "\n"]]}, "pairs[1][1]: the text has no readable characters"),
        ("classify", {"texts": ["好"], "labels": ["甲", "甲"]}, "labels[1]: the label occurs twice"),
        ("rerank", {"query": "好", "documents": [{"x": 1}]}, "documents[0].text: this field is required"),
    ],
)
def test_errors_are_a_sentence_that_names_the_argument(
    server: Server[Any], name: str, arguments: dict[str, Any], sentence: str
) -> None:
    result = ask(server, name, arguments)
    assert (result.is_error, said(result), result.structured_content) == (True, sentence, None)


def test_a_tool_that_does_not_exist_is_the_clients_mistake(server: Server[Any]) -> None:
    with pytest.RaisesGroup(MCPError, flatten_subgroups=True) as raised:
        ask(server, "mood", {})
    assert raised.group_contains(MCPError, match="there is no tool 'mood'; there are: sentiment, aspects, ")


def test_only_tools_whose_models_are_installed(tmp_path: Path) -> None:
    (tmp_path / "sentiment").symlink_to(PROJECT / "models" / "sentiment")
    with open_engine(Settings(models=tmp_path, load="lazy")) as engine:
        server = make_server(engine, Settings())
        assert list_tools(server).keys() == {"sentiment", "explain"}
        assert engine.runners == {}
        assert not ask(server, "sentiment", {"texts": ["好"]}).is_error
        assert engine.runners.keys() == {"sentiment"}


def test_a_model_that_fails_is_told_without_its_words(tmp_path: Path) -> None:
    def fail(encodings: list[Any]) -> None:
        raise ValueError("退款")

    with steered_engine(tmp_path, fail) as engine:
        result = ask(make_server(engine, Settings()), "sentiment", {"texts": ["退款"]})
    assert result.is_error
    assert "退款" not in said(result)


def test_progress_cancelling_and_a_crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model is held: its client is told that the call goes on, one more than may wait is refused, and whoever
    cancels frees a thread though the model never answered.
    """
    monkeypatch.setattr(mcp_server, "PROGRESS_SECONDS", 0.01)
    release, begun = threading.Event(), threading.Event()

    def hold(encodings: list[Any]) -> None:
        begun.set()
        assert release.wait(PATIENCE)

    async def crowd(server: Server[Any]) -> tuple[list[float], str, str]:
        told: list[float] = []
        results: dict[str, str] = {}

        async def tell(progress: float, total: float | None, message: str | None) -> None:
            told.append(progress)

        async def call(text: str) -> None:
            async with Client(server) as client:
                results[text] = said(await client.call_tool("sentiment", {"texts": [text]}, progress_callback=tell))

        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as held:
                held.start_soon(call, "甲")
                while len(told) < 3 or not begun.is_set():
                    await anyio.sleep(0.01)
                async with anyio.create_task_group() as waiting:
                    waiting.start_soon(call, "乙")
                    while len(set(told)) == len(told):
                        await anyio.sleep(0.01)
                    await call("丙")
                    waiting.cancel_scope.cancel()
                held.cancel_scope.cancel()
            release.set()
            await call("丁")
        return told, results["丙"], results["丁"]

    with steered_engine(tmp_path, hold) as engine:
        told, refused, answered = run_apart(anyio.run, crowd, make_server(engine, Settings(http_threads=1)))
    assert told[:3] == [0.01, 0.02, 0.03]
    assert refused == "too many calls are waiting, try again later"
    assert json.loads(answered)["results"][0]["text"] == "丁"


@contextmanager
def open_engine(settings: Settings, **options: Any) -> Iterator[Engine]:
    engine = Engine(settings, **options)
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def steered_engine(folder: Path, before: Any) -> Iterator[Engine]:
    """With the default sentiment model; `before` is called with each inference after the first, which warms it up."""
    (folder / "sentiment").symlink_to(PROJECT / "models" / "sentiment")
    with open_engine(Settings(models=folder, cache_mb=0), load_model=SteeredModel.load) as engine:
        engine.runners["sentiment"].model.before = before
        yield engine
