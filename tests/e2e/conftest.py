"""A real server in its own process and a real browser, both started once and always ended."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from urllib.parse import urlsplit

import pytest

from structbert_lite.bench.server_process import free_port
from structbert_lite.settings import PROJECT

START_SECONDS = 120
# Without the windows of a whole Chromium, which take several times the CPU of the page in them.
CHROMIUM = which("chromium-headless-shell") or which("chromium")
FIREFOX = which("firefox-esr")
IN_FIREFOX = os.environ.get("E2E_BROWSER") == "firefox"  # then all of these tests run in Firefox, by WebDriver BiDi
CHROMIUM_ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Server:
    """One gunicorn on a free port, ready when made."""

    def __init__(self, log: Path, models: Path = PROJECT / "models", port: int = 0, **variables: str) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "app:create_app()"]
        environment = os.environ | {
            "STRUCTBERT_HOST": "127.0.0.1",
            "STRUCTBERT_PORT": str(self.port),
            "STRUCTBERT_MODELS": str(models),
            **{f"STRUCTBERT_{name}": value for name, value in variables.items()},
        }
        with log.open("wb") as output:
            # A session of its own, so that kill() reaches the worker too.
            self._process = subprocess.Popen(
                command, cwd=PROJECT, env=environment, stdout=output, stderr=output, start_new_session=True
            )
        give_up = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > give_up:
                self.kill()
                pytest.fail(f"the server did not become ready:\n{log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """Holds the server still: it takes connections and answers none."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def kill(self) -> None:
        """Ends the server at once, workers included."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = Server(tmp_path_factory.mktemp("server") / "log")
    yield server.url
    server.kill()


@pytest.fixture(scope="session")
def tiny_url(tmp_path_factory: pytest.TempPathFactory, tiny_models: Path) -> Iterator[str]:
    """A server with a model for every task; the tiny ones answer nonsense, but always the same."""
    server = Server(tmp_path_factory.mktemp("server") / "log", tiny_models)
    yield server.url
    server.kill()


@pytest.fixture(scope="session")
def keyed_url(tmp_path_factory: pytest.TempPathFactory, tiny_models: Path) -> Iterator[str]:
    """A server with tiny models that answers to the key `sesame` alone."""
    server = Server(tmp_path_factory.mktemp("server") / "log", tiny_models, API_KEYS="sesame")
    yield server.url
    server.kill()


@pytest.fixture
def doomed_server(tmp_path: Path, tiny_models: Path) -> Iterator[Server]:
    """A server of one test's own, which that test may kill and start again."""
    server = Server(tmp_path / "log", tiny_models)
    yield server
    server.kill()


@pytest.fixture(scope="session")
def browser():
    name, package, path = ("firefox", "firefox-esr", FIREFOX) if IN_FIREFOX else ("chromium", "chromium", CHROMIUM)
    if path is None:
        pytest.skip(f"{package} is not installed; run: apt-get install --yes --no-install-recommends {package}")
    playwright = pytest.importorskip("playwright.sync_api", reason="run: pip install -r requirements-dev.txt")
    options = {"args": CHROMIUM_ARGUMENTS}
    with pytest.MonkeyPatch.context() as patch:
        if IN_FIREFOX:
            patch.setenv("NODE_OPTIONS", f"--require {Path(__file__).with_name('firefox.cjs')}")
            options = {"channel": "moz-firefox"}
        with playwright.sync_playwright() as driver:
            browser = getattr(driver, name).launch(executable_path=path, **options)
            yield browser
            browser.close()


@dataclass
class Visit:
    """A page in a fresh profile, what its console complained about, and the hosts it asked."""

    page: object
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)


@pytest.fixture
def visit(browser):
    """Opens pages; afterwards checks that none of them asked any host but the one it was opened on."""
    visits = []

    def open_page(url: str, **options) -> Visit:
        if IN_FIREFOX and (options.get("java_script_enabled") is False or "color_scheme" in options):
            pytest.skip("Playwright can neither turn scripts off in Firefox nor choose the system's colours")
        page = browser.new_context(**({"locale": "zh-CN"} | options)).new_page()
        page.set_default_timeout(60_000)  # a busy two-core machine was seen to need 25 s
        seen = Visit(page)
        page.on("console", lambda message: message.type == "error" and seen.complaints.append(message.text))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        # Only http leaves the browser: Swagger UI draws arrows from data: addresses. A host may have a key before it.
        page.on(
            "request",
            lambda r: r.url.startswith(("http", "ws")) and seen.hosts.add(urlsplit(r.url).netloc.rpartition("@")[2]),
        )
        page.goto(url)
        visits.append((urlsplit(url).netloc, seen))
        return seen

    yield open_page
    for own_host, seen in visits:
        seen.page.context.close()
        assert seen.hosts == {own_host}
