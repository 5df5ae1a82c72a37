"""The project's own gunicorn.conf.py with less patience, so that tests need not wait."""

from pathlib import Path

from structbert_lite.front import patience

exec((Path(__file__).parents[2] / "gunicorn.conf.py").read_text(encoding="utf-8"))
patience.HEAD_SECONDS = patience.BODY_SECONDS = 3.0
keepalive = 5
