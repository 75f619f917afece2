"""The server under test, as a process."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .api import Object
from .poll import poll
from .settings import binary

# Unless a test says otherwise: nothing to wait for when nobody balances connections.
FLAGS = ("--shutdown-delay", "100ms")

# name{labels} value, of the Prometheus text format
SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

# What a listener says of itself, in each of the log's formats.
LISTENING = re.compile(
    r"""Listening.*\blistener"?[:=] ?"?(\w+)"?.*\baddress"?[:=].*:(\d+)"?}?$""", re.MULTILINE
)


@dataclass
class Sample:
    name: str
    labels: dict[str, str]
    value: float


def samples_of(text: str) -> list[Sample]:
    """Of the Prometheus text format."""
    return [
        Sample(found["name"], dict(LABEL.findall(found["labels"] or "")), float(found["value"]))
        for found in map(SAMPLE.match, text.splitlines())
        if found
    ]


def total(samples: list[Sample], name: str, labels: dict[str, str]) -> float:
    """The sum of all of that name that carry these labels."""
    return sum(
        sample.value
        for sample in samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


@dataclass
class LogLine:
    level: str
    logger: str
    message: str
    fields: dict[str, Any]
    raw: str


def parse_log_line(line: str) -> LogLine | None:
    """A line of the text format; None for anything else, for example a sanitizer's report."""
    parts = line.split("\t", 4)
    if len(parts) < 4:
        return None
    fields = json.loads(parts[4]) if len(parts) == 5 else {}
    return LogLine(parts[1], parts[2], parts[3], fields, line)


def environment() -> dict[str, str]:
    """Ours, without what the server would read as its configuration."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SMW_") and name != "KUBECONFIG"
    }


class Server:
    """`stateful-migration-webhook serve` with its manifests, CA and log in `directory`.

    Its state is that of the cluster of `kubeconfig`, else that of its manifests. Its certificate is
    its own, or that of the folder `cert_dir`.
    """

    # Where its listeners are.
    address = "127.0.0.1"

    def __init__(
        self,
        directory: Path,
        *flags: str,
        cert_dir: Path | None = None,
        kubeconfig: Path | None = None,
    ) -> None:
        self.manifests = directory / "manifests"
        self.manifests.mkdir(parents=True, exist_ok=True)
        self.ca_file = directory / "ca.crt"
        self.log_file = directory / "server.log"
        self.cert_dir = cert_dir
        self.kubeconfig = kubeconfig
        self._flags = flags
        self._ports: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None

    # manifests

    def write_manifest(self, name: str, *objects: Object) -> None:
        """Puts objects into a file, by a rename, as an editor or a ConfigMap volume would."""
        new = self.manifests / f".{name}.new"
        new.write_text(yaml.safe_dump_all(objects))
        new.rename(self.manifests / f"{name}.yaml")

    def write_manifests_folder(self, *objects: Object) -> None:
        """Puts the folder itself there, with one file, for a server that waits for it."""
        new = self.manifests.with_name(".manifests.new")
        new.mkdir()
        (new / "objects.yaml").write_text(yaml.safe_dump_all(objects))
        new.rename(self.manifests)

    # process

    def _certificate_flags(self) -> list[str]:
        if self.cert_dir:
            return ["--cert-dir", str(self.cert_dir)]
        return ["--self-signed", "--ca-out", str(self.ca_file)]

    def _state_flags(self) -> list[str]:
        if self.kubeconfig:
            return ["--kubeconfig", str(self.kubeconfig)]
        return ["--manifests", str(self.manifests)]

    def command(self, webhook: int = 0, probes: int = 0, metrics: int = 0) -> list[str]:
        """The command line with these ports; any free one for 0."""
        return [
            str(binary()),
            "serve",
            *self._state_flags(),
            *self._certificate_flags(),
            *("--webhook-bind-address", self.address, "--webhook-port", str(webhook)),
            *("--health-probe-bind-address", f"{self.address}:{probes}"),
            *("--metrics-bind-address", f"{self.address}:{metrics}"),
            *("--log-level", "debug"),
            *(self._flags or FLAGS),
        ]

    def start(self, until_ready: bool = True) -> None:
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stderr=log, env=environment()
            )
        poll("all listeners bound", self._all_bound)
        if until_ready:
            poll("/readyz says 200", self.ready)

    def start_unheard(self, **how: Any) -> None:
        """With a stderr of the caller's (`how` is Popen's); what it says is not in log()."""
        self.log_file.touch()
        with contextlib.ExitStack() as stack:
            sockets = [
                stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)
            ]
            ports = [listener.getsockname()[1] for listener in sockets]
        self._ports = dict(zip(("webhook", "probes", "metrics"), ports, strict=True))
        command = self.command(**self._ports)
        self._process = subprocess.Popen(command, env=environment(), **how)
        poll("/readyz says 200", self.ready)

    def _all_bound(self) -> bool:
        status = self.process.poll()
        assert status is None, f"the server ended with {status}:\n{self.log()}"
        for listener, port in LISTENING.findall(self.log()):
            self._ports[listener] = int(port)
        return {"webhook", "probes", "metrics"} <= set(self._ports)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the server was not started"
        return self._process

    @property
    def port(self) -> int:
        return self._ports["webhook"]

    def port_of(self, listener: str) -> int:
        return self._ports[listener]

    @property
    def ca(self) -> str:
        return self.ca_file.read_text()

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def terminate(self) -> int:
        """Ends the server as a kubelet does; returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def close(self) -> None:
        """For the end of a test: an exit status other than 0 is a failure (a sanitizer's, too)."""
        if self.running():
            try:
                status = self.terminate()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
            assert status == 0, f"the server ended with {status}:\n{self.log()}"

    # what it says

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def log_lines(self) -> list[LogLine]:
        # The last line is still being written unless a newline ended it.
        lines = self.log().split("\n")[:-1]
        return [parsed for parsed in map(parse_log_line, lines) if parsed]

    def messages_about(self, uid: str) -> list[LogLine]:
        """The lines of one review."""
        return [line for line in self.log_lines() if line.fields.get("uid") == uid]

    def wait_for_lines(self, wanted: Callable[[LogLine], bool], count: int = 1) -> list[LogLine]:
        """The lines that are wanted, once there are so many: a thread of its own writes them, a
        moment after the answer."""

        def found() -> list[LogLine] | None:
            lines = [line for line in self.log_lines() if wanted(line)]
            return lines if len(lines) >= count else None

        return poll(f"{count} log lines", found)

    def wait_for_message(self, message: str, count: int = 1) -> list[LogLine]:
        return self.wait_for_lines(lambda line: line.message == message, count)

    def wait_for_level(self, level: str, count: int = 1) -> list[LogLine]:
        return self.wait_for_lines(lambda line: line.level == level, count)

    def http_get(self, listener: str, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.address, self._ports[listener], timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def ready(self) -> bool:
        try:
            return self.http_get("probes", "/readyz")[0] == 200
        except OSError:
            return False

    def checks(self) -> str:
        """What /readyz?verbose says, whatever its status."""
        return self.http_get("probes", "/readyz?verbose")[1]

    def samples(self) -> list[Sample]:
        status, text = self.http_get("metrics", "/metrics")
        assert status == 200, text
        return samples_of(text)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of all samples of that name that carry these labels."""
        return total(self.samples(), name, labels)
