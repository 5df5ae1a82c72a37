"""A real nginx with the shipped configuration in front of given ports, as the official image would start it."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import pytest

from structbert_lite.settings import PROJECT

BINARY = which("nginx") or which("nginx", path="/usr/sbin")
TEMPLATE = PROJECT / "deploy" / "nginx" / "structbert.conf.template"
START_SECONDS = 20
# What stands around it in the image: one process, and everything that is written below `folder`.
AROUND = """
daemon off;
{user}
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/structbert.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """Listens on `port` of loopback; with a certificate in `tls/` on `tls_port` too."""

    port: int
    folder: Path

    @property
    def access_log(self) -> str:
        return (self.folder / "access.log").read_text(encoding="utf-8")

    @property
    def error_log(self) -> str:
        return (self.folder / "error.log").read_text(encoding="utf-8")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_configuration(folder: Path, port: int, replicas: Sequence[int], read_timeout: str, tls: str = "") -> Path:
    """The template with the environment put in, the line of a replica once for each, and what stands around it."""
    text = TEMPLATE.read_text(encoding="utf-8")
    text = re.sub(
        r"^.*\$\{REPLICA\}.*$",
        lambda line: "\n".join(line[0].replace("${REPLICA}", f"127.0.0.1:{replica}") for replica in replicas),
        text,
        flags=re.MULTILINE,
    )
    given = {
        "LISTEN": f"127.0.0.1:{port}",
        "RESOLVER": "127.0.0.1",
        "READ_TIMEOUT": read_timeout,
        "BODY_LIMIT": "5m",
    }
    text = re.sub(r"\$\{([A-Z_]+)\}", lambda name: given[name[1]], text)
    (folder / "structbert.conf").write_text(text.replace("/dev/stdout", f"{folder}/access.log"), encoding="utf-8")
    (folder / "tls").mkdir()
    if tls:
        (folder / "tls" / "tls.conf").write_text(tls, encoding="utf-8")
    main = folder / "nginx.conf"
    # Its workers would otherwise be somebody who may not enter the folder.
    user = "user root;" if os.getuid() == 0 else ""
    main.write_text(AROUND.format(folder=folder, user=user), encoding="utf-8")
    return main


def command(configuration: Path, *options: str) -> list[str]:
    if BINARY is None:
        pytest.skip("nginx is not installed; run: apt-get install --yes nginx-light")
    return [BINARY, "-p", str(configuration.parent), "-c", str(configuration), "-e", "stderr", *options]


@contextmanager
def run_nginx(folder: Path, replicas: Sequence[int], read_timeout: str = "35s", tls: str = "") -> Iterator[Nginx]:
    """Runs nginx until the block ends; its configuration passed `nginx -t` without a warning."""
    port = free_port()
    configuration = write_configuration(folder, port, replicas, read_timeout, tls)
    checked = subprocess.run(command(configuration, "-t"), capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr, checked.stderr
    process = subprocess.Popen(command(configuration), stderr=subprocess.DEVNULL)
    try:
        limit = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "error.log").read_text()
                assert time.monotonic() < limit, "nginx does not listen"
                time.sleep(0.02)
        yield Nginx(port, folder)
    finally:
        process.terminate()
        process.wait(10)
