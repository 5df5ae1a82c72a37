"""gunicorn: one process, many threads. Each further process would hold every model again.

No preload: onnxruntime's threads do not survive a fork, so the application is made in the worker.
"""

import sys

from structbert_lite.errors import StructBertError
from structbert_lite.installed import check_models
from structbert_lite.settings import Settings

try:
    _settings = Settings.from_environment()
except StructBertError as error:
    sys.exit(f"structbert-lite: {error}")

wsgi_app = "app:create_app()"
bind = f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
workers = 1
threads = _settings.http_threads
preload_app = False
keepalive = 75  # seconds a client may keep an idle connection
timeout = 120
graceful_timeout = 25
worker_tmp_dir = "/dev/shm"  # a heartbeat on a slow disk would look like a stuck worker
control_socket_disable = True  # it would be a file in the home folder, which a container may not have
loglevel = _settings.log_level
errorlog = "-"


def on_starting(server: object) -> None:
    """Before the first fork: a damaged model stops the start with one sentence instead of a trace."""
    try:
        check_models(_settings)
    except StructBertError as error:
        sys.exit(f"structbert-lite: {error}")
