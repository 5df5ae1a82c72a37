"""The worker and what it makes of signals: it answers while models load, takes up changed ones, and drains."""

import logging
import queue
import signal
import sys
import threading
import time
from typing import Any

from gunicorn.arbiter import Arbiter

from structbert_lite.errors import NotReady, StructBertError
from structbert_lite.front.connection import Connection
from structbert_lite.front.worker import FrontWorker
from structbert_lite.settings import Settings
from structbert_lite.web.listener import accept_the_last

log = logging.getLogger(__name__)

# Names among the application's extensions.
ENGINE, RELOADS = "structbert_engine", "structbert_reloads"


def forward_signals(server: Arbiter) -> None:
    """Makes gunicorn's master pass SIGHUP on, and tell its workers of a SIGTERM by SIGUSR2 first.

    The master's own answer to SIGHUP is new workers: nobody would answer while they load, and a model that is
    refused then would end the server.
    """

    def handle_hup() -> None:
        server.log.info("SIGHUP: the workers look for changed models and keys")
        server.kill_workers(signal.SIGHUP)

    def handle_term() -> None:
        # Where another master listens on the same socket the service goes on, and nothing is drained.
        if not (server.reexec_pid or server.master_pid or server.systemd):
            server.kill_workers(signal.SIGUSR2)
        raise StopIteration

    server.handle_hup, server.handle_term = handle_hup, handle_term


class Worker(FrontWorker):
    """Serves `app:create_app(wait=False)`; its signals come from a master with `forward_signals`.

    A single worker answers while its models load. One of several takes no connection before: another may be ready.
    SIGHUP: take up changed models and keys. SIGUSR2: the whole server stops soon, so be not ready. SIGTERM: stop, after
    `drain_seconds` where the whole server stops.
    """

    alive: bool  # gunicorn's own, and the sockets that it listens on
    sockets: list[Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._drain_seconds = Settings.from_environment().drain_seconds
        self._engine: Any = None
        self._server_stops = False
        self._stop_at: float | None = None  # an instant of time.monotonic
        self._reloads: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._refused = self._loaded = False

    def init_signals(self) -> None:
        super().init_signals()
        for number, handle in ((signal.SIGHUP, self._handle_hup), (signal.SIGUSR2, self._handle_usr2)):
            signal.signal(number, handle)
            signal.siginterrupt(number, False)

    def run(self) -> None:
        self._engine = self.wsgi.extensions[ENGINE]
        if self._server_stops:
            self._engine.drain()
        threading.Thread(target=self._keep_models, name="models", daemon=True).start()
        super().run()
        if self._refused:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)

    def handle_exit(self, sig: int, frame: object) -> None:
        if self._server_stops and self._stop_at is None:
            self._stop_at = time.monotonic() + self._drain_seconds
            self._wake()
        else:
            super().handle_exit(sig, frame)

    def handle_request(self, req: Any, conn: Connection) -> bool:
        if self._server_stops:
            req.force_close()  # the next request of this client goes to another server
        return super().handle_request(req, conn)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        if self.alive and self._stop_at is not None:
            timeout = min(timeout, max(0.0, self._stop_at - time.monotonic()))
        super().wait_for_and_dispatch_events(timeout)
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.alive = False

    def set_accept_enabled(self, enabled: bool) -> None:
        if enabled and not self._loaded and self.cfg.workers > 1:
            return  # the loop asks again in its next turn
        super().set_accept_enabled(enabled)
        if self._server_stops and not self.alive and not enabled:
            for listener in self.sockets:
                accept_the_last(listener, self.accept)
            self.sockets = []

    def _handle_hup(self, *_: object) -> None:
        self._reloads.put(None)  # the one queue that a signal handler may use

    def _handle_usr2(self, *_: object) -> None:
        self._server_stops = True
        if self._engine is not None:
            self._engine.drain()

    def _keep_models(self) -> None:
        """Loads the models, then reloads them whenever somebody asks for it."""
        try:
            self._engine.load()
        except NotReady:  # the server was stopped meanwhile
            return
        except Exception as error:
            if isinstance(error, StructBertError):
                log.error("the start is refused: %s", error)
            else:
                log.exception("the models could not be loaded")
            self._refused, self.alive = True, False
            self._wake()
            return
        self._loaded = True
        self._wake()
        log.info("ready: %s", ", ".join(self._engine.names) or "no model is installed")
        while True:
            self._reloads.get()
            self._reload()

    def _reload(self) -> None:
        for what, reload in self.wsgi.extensions[RELOADS].items():
            try:
                changed = reload()
            except NotReady:  # the server was stopped meanwhile
                return
            except StructBertError as error:
                log.error("reload of the %s refused, what is in use goes on: %s", what, error)
            except Exception:
                log.exception("reload of the %s failed, what is in use goes on", what)
            else:
                log.info("reloaded the %s: %s", what, ", ".join(changed) or "nothing has changed")

    def _wake(self) -> None:
        self.method_queue.defer(lambda: None)
