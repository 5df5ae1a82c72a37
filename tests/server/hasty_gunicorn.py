"""The project's own gunicorn.conf.py with less patience, so that tests need not wait."""

from pathlib import Path

from structbert_lite.server import connections

exec((Path(__file__).parents[2] / "gunicorn.conf.py").read_text(encoding="utf-8"))
connections.HEAD_SECONDS = connections.BODY_SECONDS = 3.0
keepalive = 5
