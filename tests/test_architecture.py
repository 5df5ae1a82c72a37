"""Who may import whom, held against the code itself (docs/architecture.md)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from structbert_lite.settings import PROJECT

ONE_FILE_EACH = {
    "onnxruntime": {"structbert_lite/inference/model.py"},
    "tokenizers": {"structbert_lite/inference/tokenizer.py"},
    "redis": {"structbert_lite/cache/redis_store.py"},
    "ray": {"structbert_lite/bulk/ray.py"},
    "pyarrow": {"structbert_lite/tables/parquet.py"},
    "mcp": {f"structbert_lite/mcp/{name}.py" for name in ("http", "server", "stdio")},
    **{name: {"structbert_lite/mcp/http.py"} for name in ("sse_starlette", "starlette", "uvicorn")},
    "limits": {"structbert_lite/web/rate_limit.py"},
    "prometheus_client": {f"structbert_lite/telemetry/{name}.py" for name in ("metrics", "exposition", "multiprocess")},
    "opentelemetry": {"structbert_lite/telemetry/traces.py"},
    "pythonjsonlogger": {"structbert_lite/telemetry/logs.py"},
    "bm25s": {"structbert_lite/evaluate/retrieval.py"},
    "matplotlib": {"structbert_lite/evaluate/batch_report.py"},
}
RUNTIME = sorted((PROJECT / "structbert_lite").rglob("*.py"))
MAKERS = sorted([*(PROJECT / "export").rglob("*.py"), *(PROJECT / "training").rglob("*.py")])


def imports(path: Path) -> set[str]:
    """Dotted names of everything imported anywhere in a file, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return names


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def test_layers_and_circles() -> None:
    """The contracts in pyproject.toml."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


@pytest.mark.parametrize("path", RUNTIME, ids=name_of)
def test_each_engine_library_has_one_file(path: Path) -> None:
    for library in {name.split(".")[0] for name in imports(path)} & ONE_FILE_EACH.keys():
        assert name_of(path) in ONE_FILE_EACH[library]


@pytest.mark.parametrize("path", RUNTIME, ids=name_of)
def test_only_the_server_imports_gunicorn(path: Path) -> None:
    if path.relative_to(PROJECT / "structbert_lite").parts[0] != "server":
        assert "gunicorn" not in {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("path", RUNTIME, ids=name_of)
def test_only_the_web_layer_imports_flask(path: Path) -> None:
    if path.relative_to(PROJECT / "structbert_lite").parts[0] != "web":
        assert not {name.split(".")[0] for name in imports(path)} & {"flask", "flask_openapi3", "werkzeug"}


@pytest.mark.parametrize("path", MAKERS, ids=name_of)
def test_the_exporter_knows_no_training_and_few_parts_of_training_know_it(path: Path) -> None:
    """Fine-tuning and the base read any layout of a checkpoint; what is calibrated goes into an export."""
    used = {name.split(".")[0] for name in imports(path)} & {"export", "training"}
    if not name_of(path).startswith(("training/finetune/", "training/base/", "training/calibrate.py")):
        assert used <= {path.relative_to(PROJECT).parts[0]}
