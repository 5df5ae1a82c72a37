"""What server/ uses of gunicorn's inside: another gunicorn may lack some of it, or mean something else by it."""

import ast
import inspect
from pathlib import Path

import gunicorn.workers.gasgi
import pytest
from gunicorn.asgi.parser import CallbackRequest, ParseError, PythonProtocol
from gunicorn.asgi.protocol import ASGIProtocol, BodyReceiver, FlowControl
from gunicorn.workers.gasgi import ASGIWorker

from structbert_lite.server import protocol, worker

# name -> parameters after self of methods that are called or replaced; None: an attribute.
CONNECTION = {
    "_arm_keepalive_timer": [],
    "_body_receiver": None,
    "_build_http_scope": ["request", "sockname", "peername"],
    "_callback_parser": None,
    "_cancel_keepalive_timer": [],
    "_check_h1c_protocol_available": [],
    "_close_transport": [],
    "_closed": None,
    "_current_request": None,
    "_feed_callback_parser": ["data"],
    "_flow_control": None,
    "_is_websocket_upgrade": ["request"],
    "_on_headers_complete": [],
    "_pause_reading": [],
    "_request_ready": None,
    "_response_buffer": None,
    "_resume_reading": [],
    "_safe_write": ["data"],
    "_send_body": ["body", "chunked", "last", "size"],
    "_send_error_response": ["status", "message", "extra_headers"],
    "_send_response_start": ["status", "headers", "request", "close"],
    "_serve_http_request": ["request", "sockname", "peername"],
    "_will_close": ["request", "response_requires_close"],
    "app": None,
    "connection_lost": ["exc"],
    "connection_made": ["transport"],
    "data_received": ["data"],
    "eof_received": [],
    "log": None,
    "pause_writing": [],
    "resume_writing": [],
    "transport": None,
    "worker": None,
}
WORKER = {
    "_quick_shutdown": None,
    "_serve": [],
    "alive": None,
    "app": None,
    "asgi": None,
    "cfg": None,
    "check_config": ["cfg", "log"],
    "handle_exit_signal": [],
    "handle_quit_signal": [],
    "init_process": [],
    "init_signals": [],
    "load_wsgi": [],
    "loop": None,
    "notify": [],
    "nr_conns": None,
    "ppid": None,
    "run": [],
    "servers": None,
    "sockets": None,
}
# Of other objects of gunicorn's that a connection meets.
OTHERS = {
    CallbackRequest: ["chunked", "headers_bytes", "version"],
    PythonProtocol: ["is_complete", "remaining"],
    BodyReceiver: ["_complete", "receive", "signal_disconnect"],
    FlowControl: ["drain", "resume_writing", "write_paused"],
}


def used_of_self(module: object, name: str) -> set[str]:
    """What a class takes from itself or its base, and has not brought along."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    (body,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    uses = {
        node.attr
        for node in ast.walk(body)
        if isinstance(node, ast.Attribute)
        and ((isinstance(node.value, ast.Name) and node.value.id == "self") or "super()" in ast.unparse(node.value))
    }
    return uses | {node.name for node in body.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def base_names(base: type) -> set[str]:
    assigned = {
        node.attr
        for each in base.__mro__[:-1]
        if each.__module__.startswith("gunicorn")
        for node in ast.walk(ast.parse(inspect.getsource(inspect.getmodule(each))))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    return assigned | set(dir(base))


@pytest.mark.parametrize(
    ("module", "name", "base", "pinned"),
    [(protocol, "Connection", ASGIProtocol, CONNECTION), (worker, "Worker", ASGIWorker, WORKER)],
)
def test_every_name_of_gunicorns_that_is_used_stands_here(module: object, name: str, base: type, pinned: dict) -> None:
    theirs = base_names(base) - {"__init__"}
    assert used_of_self(module, name) & theirs == pinned.keys()


@pytest.mark.parametrize(("base", "pinned"), [(ASGIProtocol, CONNECTION), (ASGIWorker, WORKER)])
def test_gunicorn_has_them_with_these_parameters(base: type, pinned: dict) -> None:
    for name, parameters in pinned.items():
        if parameters is None:
            assert name in base_names(base), name
        else:
            found = [given for given in inspect.signature(getattr(base, name)).parameters if given != "self"]
            assert found == parameters, name


def test_other_objects_have_what_is_asked_of_them() -> None:
    for base, names in OTHERS.items():
        assert set(names) <= base_names(base), base
    assert issubclass(ParseError, Exception)


def test_the_c_parser_has_the_same_where_it_is_installed() -> None:
    h1c = pytest.importorskip("gunicorn_h1c")
    assert all(hasattr(h1c.H1CProtocol, name) for name in OTHERS[PythonProtocol])


def test_the_c_parser_is_used_where_it_is_installed() -> None:
    """The library looks for it on its own class alone."""
    pytest.importorskip("gunicorn_h1c")
    assert protocol.Connection._check_h1c_protocol_available()
    assert ASGIProtocol._h1c_has_limits


def test_only_these_files_import_gunicorn() -> None:
    folder = Path(protocol.__file__).parent
    assert gunicorn.workers.gasgi.ASGIProtocol is ASGIProtocol
    found = {path.name for path in folder.glob("*.py") if "from gunicorn" in path.read_text(encoding="utf-8")}
    assert found == {"protocol.py", "worker.py"}
