"""The server under test, as a process."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
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
    """`stateful-migration-webhook serve` with its manifests, CA and log in `directory`."""

    def __init__(self, directory: Path, *flags: str) -> None:
        self.manifests = directory / "manifests"
        self.manifests.mkdir(parents=True, exist_ok=True)
        self.ca_file = directory / "ca.crt"
        self.log_file = directory / "server.log"
        self._flags = flags
        self._ports: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None

    # manifests

    def write_manifest(self, name: str, *objects: Object) -> None:
        """Puts objects into a file, by a rename, as an editor or a ConfigMap volume would."""
        new = self.manifests / f".{name}.new"
        new.write_text(yaml.safe_dump_all(objects))
        new.rename(self.manifests / f"{name}.yaml")

    # process

    def start(self) -> None:
        command = [
            str(binary()),
            "serve",
            *("--manifests", str(self.manifests)),
            *("--self-signed", "--ca-out", str(self.ca_file)),
            *("--webhook-bind-address", "127.0.0.1", "--webhook-port", "0"),
            *("--health-probe-bind-address", "127.0.0.1:0"),
            *("--metrics-bind-address", "127.0.0.1:0"),
            *("--log-level", "debug"),
            *(self._flags or FLAGS),
        ]
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stderr=log, env=environment()
            )
        poll("all listeners bound", self._all_bound)
        poll("/readyz says 200", self.ready)

    def _all_bound(self) -> bool:
        status = self.process.poll()
        assert status is None, f"the server ended with {status}:\n{self.log()}"
        for line in self.log_lines():
            if line.message == "Listening":
                port = line.fields["address"].rpartition(":")[2]
                self._ports[line.fields["listener"]] = int(port)
        return {"webhook", "probes", "metrics"} <= set(self._ports)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the server was not started"
        return self._process

    @property
    def port(self) -> int:
        return self._ports["webhook"]

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

    def wait_for_message(self, message: str) -> None:
        poll(f"log line {message}", lambda: message in {line.message for line in self.log_lines()})

    def http_get(self, listener: str, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._ports[listener], timeout=10)
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

    def metric(self, name: str, **labels: str) -> float:
        """The sum of all samples of that name that carry these labels."""
        status, text = self.http_get("metrics", "/metrics")
        assert status == 200, text
        total = 0.0
        for line in text.splitlines():
            sample = SAMPLE.match(line)
            if sample and sample["name"] == name:
                found = dict(LABEL.findall(sample["labels"] or ""))
                if labels.items() <= found.items():
                    total += float(sample["value"])
        return total
