"""The servers that are compared: how each is started on a certificate and its backups."""

from __future__ import annotations

import contextlib
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import build, fixture
from .process import Process, free_port, wait_until
from .settings import SERVER_CORE, CannotMeasure


@dataclass
class Start:
    """What a server is started on."""

    folder: Path
    # Of the API server with the backups.
    kubeconfig: Path | None = None
    port: int = field(default_factory=free_port)
    # Of our /readyz.
    probes: int = field(default_factory=free_port)

    @property
    def certificates(self) -> Path:
        return self.folder / "certificates"


@dataclass
class Server:
    name: str
    what: str
    command: Callable[[Start], list[str]]
    build: Callable[[], object]
    # Its backups can only come from a cluster.
    cluster: bool = False
    # Its log goes into a pipe, else into a file.
    piped: bool = False


@dataclass
class Running:
    process: Process
    port: int
    probes: int


def ours(start: Start, *flags: str) -> list[str]:
    command = [str(build.ours()), "serve", "--webhook-bind-address", "127.0.0.1"]
    command += ["--webhook-port", str(start.port), "--cert-dir", str(start.certificates)]
    command += ["--health-probe-bind-address", f"127.0.0.1:{start.probes}"]
    command += ["--metrics-bind-address", "127.0.0.1:0"]
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
        str(build.base()),
        str(start.port),
        str(certificates / "tls.crt"),
        str(certificates / "tls.key"),
    ]


def controller_runtime(start: Start, *flags: str) -> list[str]:
    command = [str(build.controller_runtime()), "-port", str(start.port)]
    return [*command, "-cert-dir", str(start.certificates), *flags]


def kube_rs(start: Start) -> list[str]:
    return [str(build.kube_rs()), str(start.port), str(start.certificates)]


def with_flags(name: str, what: str, *flags: str, piped: bool = False) -> Server:
    """This server with other flags."""
    return Server(name, what, lambda start: ours(start, *flags), build.ours, piped=piped)


OURS = with_flags("ours", "this server, log level warn", "--log-level", "warn")
OURS_INFO = with_flags(
    "ours-info", "this server, log level info into a pipe", "--log-level", "info", piped=True
)
BASE = Server("base", "Beast, asio::ssl, simdjson; constant patch", base, build.base)
KUBE_RS = Server("kube-rs", "kube-rs, axum, rustls", kube_rs, build.kube_rs, cluster=True)
INDEXED = Server(
    "indexed",
    "controller-runtime with a field index",
    lambda start: controller_runtime(start, "-indexed"),
    build.controller_runtime,
    cluster=True,
)
LISTING = Server(
    "listing",
    "controller-runtime listing the namespace, as the original does",
    controller_runtime,
    build.controller_runtime,
    cluster=True,
)
SERVERS = [BASE, OURS, OURS_INFO, KUBE_RS, INDEXED, LISTING]


def find(name: str) -> Server:
    for server in SERVERS:
        if server.name == name:
            return server
    raise CannotMeasure(f"no server {name}: {', '.join(server.name for server in SERVERS)}")


@contextlib.contextmanager
def running(
    server: Server, kubeconfig: Path | None = None, cores: int | str = SERVER_CORE
) -> Iterator[Running]:
    """The server, once it has given the right answer; its state is that of the cluster, if any."""
    with tempfile.TemporaryDirectory(prefix="compare-") as name:
        start = Start(Path(name), kubeconfig)
        fixture.make_certificate(start.certificates)
        log = start.folder / "log"
        environment = {"KUBECONFIG": str(kubeconfig)} if kubeconfig else {}
        process = Process(server.command(start), log, cores, server.piped, environment)
        try:
            wait_until(lambda: listens(start.port), f"{server.name} listens", process)
            await_right_answer(server.name, process, start.port)
            yield Running(process, start.port, start.probes)
        finally:
            process.end()


def await_right_answer(name: str, process: Process, port: int) -> None:
    wrong: list[str | None] = [None]

    def right() -> bool:
        wrong[0] = fixture.check_answer(port)
        return wrong[0] is None

    try:
        wait_until(right, f"{name} answers rightly", process)
    except CannotMeasure as error:
        raise CannotMeasure(f"{error}: {wrong[0]}") from None


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
