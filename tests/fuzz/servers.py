"""The real server, with a small cache so that memory which grows is seen."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from structbert_lite.bench.server_process import Server, free_port, run_server
from structbert_lite.settings import PREFIX


@contextmanager
def serve_tiny(models: Path, **settings: object) -> Iterator[Server]:
    """The project's own gunicorn on a free loopback port with the models in `models`."""
    port = free_port()
    ours = {"PORT": port, "MODELS": models, "CACHE_MB": 1, "MAX_BODY_MB": 1, "MAX_ITEMS": 64, "LOG_LEVEL": "warning"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment = kept | {PREFIX + name: str(value) for name, value in (ours | settings).items()}
    with run_server(
        [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"], port, "/readyz", environment
    ) as server:
        yield server
