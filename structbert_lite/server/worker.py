"""The worker and what it makes of signals: it answers while models load, takes up changed ones, and drains."""

import asyncio
import contextlib
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Coroutine
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.workers.gasgi import ASGIWorker

from structbert_lite.errors import NotReady, StructBertError
from structbert_lite.server.connections import ConnectionTable
from structbert_lite.server.drain import drain_listener
from structbert_lite.server.edge import ENGINE, REFUSALS, Edge
from structbert_lite.server.protocol import Connection, most_connections
from structbert_lite.settings import Settings

log = logging.getLogger(__name__)

RELOADS = "structbert_reloads"  # the name among the application's extensions
# The loop takes the interpreter's lock back several times a request; a thread that computes keeps it for so long.
SWITCH_SECONDS = 0.001
TICK_SECONDS = 0.5
SIGNAL_SECONDS = 0.2  # SIGUSR2 is sent before SIGTERM, and may be delivered after it


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


class Worker(ASGIWorker):
    """Serves `app:create_app(wait=False)`; its signals come from a master with `forward_signals`.

    A single worker answers while its models load. One of several takes no connection before: another may be ready.
    SIGHUP: take up changed models and keys. SIGUSR2: the whole server stops soon, so be not ready. SIGTERM: stop, after
    `drain_seconds` where the whole server stops.
    """

    sockets: list[Any]
    loop: asyncio.AbstractEventLoop

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What its connections ask for (server/protocol.py).
        self.table = ConnectionTable(self.cfg.keepalive)
        self.most_connections = most_connections(self.cfg.worker_connections)
        self.stopping = False
        self._server_stops = self._refused = False
        self._drain_seconds = Settings.from_environment().drain_seconds
        self._stop_planned: asyncio.TimerHandle | None = None
        self._stop = asyncio.Event()
        self._reloads: queue.SimpleQueue[None] = queue.SimpleQueue()

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Its threads setting means something: no warning."""

    def init_process(self) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        super().init_process()

    def load_wsgi(self) -> None:
        self.flask = self.app.wsgi()
        self.refusals = self.flask.extensions[REFUSALS]
        self.most_discarded = 4 * self.flask.config["MAX_CONTENT_LENGTH"]
        self._engine = self.flask.extensions[ENGINE]
        self.asgi = Edge(self.flask, self.cfg.threads, self.loop)

    def init_signals(self) -> None:
        super().init_signals()
        self.loop.add_signal_handler(signal.SIGHUP, self._reloads.put, None)
        self.loop.add_signal_handler(signal.SIGUSR2, self._handle_usr2)

    def handle_exit_signal(self) -> None:
        self.loop.call_later(SIGNAL_SECONDS, self._plan_stop)

    def _plan_stop(self) -> None:
        if self._server_stops and self._stop_planned is None:
            self._stop_planned = self.loop.call_later(self._drain_seconds, self._stop.set)
        else:
            self._stop.set()

    def handle_quit_signal(self) -> None:
        super().handle_quit_signal()
        self._stop.set()

    def run(self) -> None:
        super().run()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the closed loop has left the default, and it is on its way out
        self.asgi.close()
        if self._refused:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)

    async def _serve(self) -> None:
        at_once = self.cfg.workers == 1
        for listener in self.sockets:
            self.servers.append(
                await self.loop.create_server(
                    lambda: Connection(self), sock=listener.sock, backlog=self.cfg.backlog, start_serving=at_once
                )
            )
        threading.Thread(target=self._keep_models, name="models", daemon=True).start()
        while self.alive and self.ppid == os.getppid() and not self._stop.is_set():
            await self._tick(self._stop.wait())
        if not self._quick_shutdown:
            await self._finish()

    async def _finish(self) -> None:
        """No new connection, and the end of those that are open when they are answered."""
        limit = self.loop.time() + self.cfg.graceful_timeout
        self.stopping = True
        if self._server_stops:
            for listener in self.sockets:
                await drain_listener(listener.sock)
        for server in self.servers:
            server.close()
        self.table.hurry()
        while self.nr_conns and self.loop.time() < limit and not self._quick_shutdown:
            await self._tick(asyncio.sleep(0.02))

    async def _tick(self, until: Coroutine[Any, Any, Any]) -> None:
        """What is done twice a second, and when `until` is over."""
        self.notify()
        self.table.expire()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(until, TICK_SECONDS)

    def _handle_usr2(self) -> None:
        self._server_stops = self.stopping = True
        self._engine.drain()

    async def _start_serving(self) -> None:
        if not self._stop.is_set():
            for server in self.servers:
                await server.start_serving()

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
            self._refused = True
            self.loop.call_soon_threadsafe(self._stop.set)
            return
        asyncio.run_coroutine_threadsafe(self._start_serving(), self.loop)
        log.info("ready: %s", ", ".join(self._engine.names) or "no model is installed")
        while True:
            self._reloads.get()
            self._reload()

    def _reload(self) -> None:
        for what, reload in self.flask.extensions[RELOADS].items():
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
