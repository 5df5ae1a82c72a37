"""Other services' clients, the libraries themselves, get the numbers of our own routes.

Each is a script that is given the server's address and some texts, and prints what its library made of the answers.
`make test-clients` gives each an environment of its own, with versions pinned; without one only those run that the
tests' own environment has.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from structbert_lite.bench.server_process import free_port, run_server
from structbert_lite.settings import PREFIX, PROJECT

HERE = Path(__file__).parent
ENVIRONMENTS = PROJECT / ".clients"
PYTHON = sorted(path.stem for path in HERE.glob("python/*.py"))
NPM = sorted(path.parent.name for path in HERE.glob("npm/*/client.mjs"))
LIGHT = {
    "openai": "openai",
    "cohere": "cohere",
    "huggingface_hub": "huggingface_hub",
    "xinference": "xinference_client",
}
GIVEN = {
    "texts": ["今天天气很好", "外面阳光明媚", "怎么申请退款"],
    "text": "你们的客服态度太差了，我要投诉",
    "query": "如何办理退款",
    "documents": ["我们的门店早上九点开门", "退款请在订单页面申请", "会员可以免运费"],
    "labels": ["咨询", "投诉", "建议"],
}
SECONDS = 240  # litellm alone takes many to be imported


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The server with its default models, as `make serve` runs it."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    ours = {"HOST": "127.0.0.1", "PORT": str(port)}
    kept["PYTHONPATH"] = str(ENVIRONMENTS / "tiktoken")  # the extra that reads LangChain's token ids
    command = [sys.executable, "-m", "gunicorn", "-c", str(PROJECT / "gunicorn.conf.py")]
    with run_server(command, port, "/readyz", kept | {PREFIX + name: value for name, value in ours.items()}):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def expected(url: str) -> dict:
    """What our own routes give, by the first word of what a script prints."""

    def post(path: str, **body: object) -> object:
        request = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    classified = post("/classify", text=GIVEN["text"], labels=GIVEN["labels"])
    ranked = post("/rerank", query=GIVEN["query"], documents=GIVEN["documents"])["results"]
    return {
        "vectors": post("/embed", texts=GIVEN["texts"])["embeddings"],
        "ranking": [[one["index"], one["relevance_score"]] for one in ranked],
        "documents": {str(i): document for i, document in enumerate(GIVEN["documents"])},
        "sentiment": post("/predict", text=GIVEN["text"])["probabilities"],
        "similarity": [
            one["score"] for one in post("/similarity", pairs=[[GIVEN["query"], d] for d in GIVEN["documents"]])
        ],
        "zero-shot": [list(pair) for pair in zip(classified["labels"], classified["scores"], strict=True)],
        "count": 2048,
    }


def run(command: list[str], url: str) -> dict:
    environment = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    # Not from here: a script called openai.py would be imported for its library.
    result = subprocess.run(
        [*command, url, json.dumps(GIVEN)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=environment,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(result.stdout.splitlines()[-1])


def compare(found: dict, expected: dict) -> None:
    assert found
    for name, value in found.items():
        kind = name.partition(" ")[0]
        if kind == "refusal":
            assert "no readable characters" in value, value
        elif kind == "vectors":  # some pass through float32
            assert np.abs(np.array(value) - expected[kind][: len(value)]).max() < 1e-7, name
        elif kind == "ranking":  # some ask for the first few
            assert value == expected[kind][: len(value)], name
        elif kind == "documents":
            assert value.items() <= expected[kind].items(), name
        else:
            assert value == expected[kind], name


@pytest.mark.parametrize("name", PYTHON)
def test_python(name: str, url: str, expected: dict) -> None:
    own = ENVIRONMENTS / name / "bin" / "python"
    if not own.exists() and not importlib.util.find_spec(LIGHT.get(name, "no_such_module")):
        pytest.skip("it needs an environment of its own: make test-clients")
    # -P: its folder is not searched for modules; the scripts have their libraries' names.
    command = [str(own) if own.exists() else sys.executable, "-P", str(HERE / "python" / f"{name}.py")]
    compare(run(command, url), expected)


@pytest.mark.parametrize("name", NPM)
def test_npm(name: str, url: str, expected: dict) -> None:
    own = ENVIRONMENTS / f"npm-{name}"
    if not own.exists():
        pytest.skip("it needs an environment of its own: make test-clients")
    script = shutil.copy(HERE / "npm" / name / "client.mjs", own)  # node looks for packages beside it
    compare(run(["node", str(script)], url), expected)
