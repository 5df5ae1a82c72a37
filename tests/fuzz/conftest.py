"""The real server with tiny models."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from structbert_lite.cli.server import Server
from tests.fuzz.servers import serve_tiny


@pytest.fixture(scope="session")
def server(tiny_models: Path) -> Iterator[Server]:
    with serve_tiny(tiny_models) as server:
        yield server
