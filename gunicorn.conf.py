"""gunicorn: one process, many threads, unless the settings want more: each further process holds every model again.

No preload: onnxruntime's threads do not survive a fork, so the application is made in the worker. Only its modules are
imported before.
"""

import gc
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from structbert_lite.api_keys import check_exposure, read_keys
from structbert_lite.cache.tiered import open_store
from structbert_lite.errors import StructBertError
from structbert_lite.model_selection import check_models
from structbert_lite.server.worker import forward_signals
from structbert_lite.settings import Settings
from structbert_lite.telemetry.logs import configure_logs
from structbert_lite.telemetry.multiprocess import FOLDER, forget_worker, remove_shared_metrics, share_metrics

try:
    _settings = Settings.from_environment()
except StructBertError as error:
    sys.exit(f"structbert-lite: {error}")

wsgi_app = "app:create_app(wait=False)"
bind = f"{_settings.host}:{_settings.port}"
worker_class = "structbert_lite.server.worker.Worker"
workers = _settings.workers
threads = _settings.http_threads
worker_connections = _settings.max_connections
preload_app = False
keepalive = 75  # seconds a client may keep an idle connection
timeout = 120
graceful_timeout = _settings.drain_seconds + 25  # seconds from SIGTERM to the end, whatever is under way
worker_tmp_dir = "/dev/shm"  # a heartbeat on a slow disk would look like a stuck worker
control_socket_disable = True  # it would be a file in the home folder, which a container may not have
loglevel = _settings.log_level
errorlog = "-"
# Our own access line has the route; a request line could hold a user's text.
accesslog = None
access_log_format = "%({x-request-id}o)s %(m)s %(s)s %(B)s %(M)sms"


class logger_class(Logger):  # noqa: N801, gunicorn's name for it
    """gunicorn's own lines in our format, without what they would quote of a request."""

    def setup(self, cfg: object) -> None:
        super().setup(cfg)
        configure_logs(_settings.log_level, _settings.log_format)


def _import_application() -> None:
    """The application's modules, once for all workers, who share their memory; nothing of them runs before the fork.

    Not at the top: the metrics' library asks when it is imported whether several processes count.
    """
    import app  # noqa: F401

    gc.collect()
    gc.freeze()  # a collection in a worker would write into the pages that it shares


def on_starting(server: Arbiter) -> None:
    """Before the first fork: a missing key or a damaged model stops the start with one sentence instead of a trace."""
    if server.cfg.is_ssl:
        sys.exit("structbert-lite: it speaks no TLS: leave out gunicorn's TLS options and put a proxy before it")
    bound = [address[0] for address in server.address if isinstance(address, tuple)]  # the others are files
    try:
        check_exposure(_settings, read_keys(_settings), {_settings.host, *bound})
        open_store(_settings.redis_url, timeout=1)  # connects to nothing
    except StructBertError as error:
        sys.exit(f"structbert-lite: {error}")
    if workers > 1 or FOLDER in os.environ:
        share_metrics()
    with ThreadPoolExecutor(1) as pool:  # digests are computed beside the interpreter; the thread ends before a fork
        checking = pool.submit(check_models, _settings)
        _import_application()
    try:
        checking.result()
    except StructBertError as error:
        remove_shared_metrics()
        sys.exit(f"structbert-lite: {error}")


def child_exit(server: object, worker: object) -> None:
    """The gauges of a worker that ended are no longer counted."""
    forget_worker(worker.pid)


def on_exit(server: object) -> None:
    """After the last worker."""
    remove_shared_metrics()


def when_ready(server: object) -> None:
    """The master has its signal handlers and no worker yet."""
    forward_signals(server)
