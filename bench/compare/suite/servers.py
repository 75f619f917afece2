"""The servers that are compared: how each is started on a certificate and its backups."""

from __future__ import annotations

import contextlib
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import build, fixture
from .process import Process, free_port, wait_until
from .settings import SERVER_CORE, CannotMeasure

@dataclass
class Start:
    """What a server is started on."""

    folder: Path
    port: int
    # Of the API server with the backups.
    kubeconfig: Path | None = None

    @property
    def certificates(self) -> Path:
        return self.folder / "certificates"


@dataclass
class Server:
    name: str
    what: str
    command: Callable[[Start], list[str]]
    build: Callable[[], object]
    cluster: bool = False
    piped: bool = False


@dataclass
class Running:
    process: Process
    port: int
    folder: Path


def ours(start: Start, *flags: str) -> list[str]:
    command = [str(build.ours()), "serve", "--webhook-bind-address", "127.0.0.1"]
    command += ["--webhook-port", str(start.port), "--cert-dir", str(start.certificates)]
    command += ["--health-probe-bind-address", "0", "--metrics-bind-address", "0"]
    command += ["--service-namespace", "default", "--shutdown-delay", "0s", "--threads", "1"]
    if start.kubeconfig is None:
        manifests = fixture.write_manifests(start.folder / "manifests", fixture.backup())
        command += ["--manifests", str(manifests), "--certificates", "files"]
    else:
        command += ["--kubeconfig", str(start.kubeconfig)]
    # Of a flag given twice the last counts.
    return [*command, *flags]


def base(start: Start) -> list[str]:
    certificates = start.certificates
    return [
        str(build.BASE),
        str(start.port),
        str(certificates / "tls.crt"),
        str(certificates / "tls.key"),
    ]


SERVERS = [
    Server("base", "Beast, asio::ssl, simdjson; constant patch", base, build.base),
    Server(
        "ours",
        "this server, log level warn",
        lambda start: ours(start, "--log-level", "warn"),
        build.ours,
    ),
    Server(
        "ours-info",
        "this server, log level info into a pipe",
        lambda start: ours(start, "--log-level", "info"),
        build.ours,
        piped=True,
    ),
]


def find(name: str) -> Server:
    for server in SERVERS:
        if server.name == name:
            return server
    raise CannotMeasure(f"no server {name}: {', '.join(server.name for server in SERVERS)}")


@contextlib.contextmanager
def running(
    server: Server, kubeconfig: Path | None = None, cores: int | str = SERVER_CORE
) -> Iterator[Running]:
    """The server, once it has given the right answer."""
    with tempfile.TemporaryDirectory(prefix="compare-") as name:
        start = Start(Path(name), free_port(), kubeconfig)
        fixture.make_certificate(start.certificates)
        log = start.folder / "log"
        process = Process(server.command(start), log, cores, server.piped)
        try:
            wait_until(lambda: listens(start.port), f"{server.name} listens", process)
            wrong: list[str | None] = [None]

            def right() -> bool:
                wrong[0] = fixture.check_answer(start.port)
                return wrong[0] is None

            try:
                wait_until(right, f"{server.name} answers rightly", process)
            except CannotMeasure as error:
                raise CannotMeasure(f"{error}: {wrong[0]}") from None
            yield Running(process, start.port, start.folder)
        finally:
            process.end()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
