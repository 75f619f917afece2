"""The control plane that scripts/controlplane starts."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import secrets
import shlex
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .api import Api, ApiError, Object
from .settings import REPOSITORY

SCRIPT = REPOSITORY / "scripts/controlplane"

# The script's exit status when something that it needs is not installed.
CANNOT_BE_HAD = 3


class UnavailableError(Exception):
    """No control plane on this machine; the text says what to install."""


@dataclass
class ControlPlane:
    """One that is up."""

    directory: Path
    api: Api
    kubectl_path: str
    has_controllers: bool
    etcd: str

    def new_namespace(self) -> str:
        """One that nobody else uses."""
        name = f"e2e-{secrets.token_hex(4)}"
        self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return name

    @property
    def port(self) -> int:
        return self.api.port

    def answers(self) -> bool:
        """Whether there is an API server that is ready."""
        try:
            self.api.request("GET", "/apis")
        except (OSError, http.client.HTTPException, ApiError):
            return False
        return True

    # components, by the names of the script

    def kill(self, component: str = "apiserver") -> None:
        """Ends it as a crash does."""
        run("kill", self.directory, component)

    def start(self, component: str = "apiserver", apiserver_flags: str | None = None) -> None:
        """Starts it again, on its port and its data; with other flags if they are given."""
        environment = dict(os.environ)
        environment.pop("SMW_APISERVER_FLAGS", None)
        if apiserver_flags is not None:
            environment["SMW_APISERVER_FLAGS"] = apiserver_flags
        run("start", self.directory, component, environment=environment)

    def restart(self, component: str = "apiserver", apiserver_flags: str | None = None) -> None:
        self.kill(component)
        self.start(component, apiserver_flags)

    # etcd, past the API server

    def _ask_etcd(self, path: str, body: Object) -> Object:
        request = urllib.request.Request(self.etcd + path, json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=60) as response:
            result: Object = json.load(response)
            return result

    def forget(self, key: str) -> None:
        """Deletes the object stored under /registry/`key`, while no API server looks."""
        encoded = base64.b64encode(f"/registry/{key}".encode()).decode()
        answer = self._ask_etcd("/v3/kv/deleterange", {"key": encoded})
        assert answer.get("deleted") == "1", f"etcd has no /registry/{key}: {answer}"

    def compact(self) -> None:
        """Drops all history: the past up to now cannot be watched any more."""
        # A watch may begin at the compacted revision itself: let that be one that nobody knows.
        encoded = base64.b64encode(b"/unknown").decode()
        self._ask_etcd("/v3/kv/put", {"key": encoded, "value": encoded})
        revision = self._ask_etcd("/v3/maintenance/status", {})["header"]["revision"]
        self._ask_etcd("/v3/kv/compaction", {"revision": revision, "physical": True})

    def kubectl(self, *arguments: str) -> str:
        command = [
            self.kubectl_path,
            f"--kubeconfig={self.directory / 'kubeconfig'}",
            f"--cache-dir={self.directory / 'kubectl-cache'}",
            *arguments,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def log(self, component: str = "apiserver") -> str:
        return (self.directory / f"{component}.log").read_text(errors="replace")

    def audited(self, resource: str) -> Iterator[Object]:
        """What the API server audited about a resource, at level Metadata: of Pods their creation,
        of CheckpointBackups lists and watches."""
        # The last line is still being written unless a newline ended it.
        for line in self.log("audit").split("\n")[:-1]:
            event: Object = json.loads(line)
            if event["objectRef"]["resource"] == resource:
                yield event

    def audit_event(self, namespace: str, name: str) -> Object | None:
        """What was audited about the creation of a Pod."""
        for event in self.audited("pods"):
            reference = event["objectRef"]
            if (reference.get("namespace"), reference.get("name")) == (namespace, name):
                return event
        return None


def run(*arguments: str | Path, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        [SCRIPT, *arguments], stderr=subprocess.PIPE, text=True, check=False, env=environment
    )
    if done.returncode == CANNOT_BE_HAD:
        raise UnavailableError(done.stderr.strip())
    assert done.returncode == 0, done.stderr


def up(
    directory: Path, kubernetes: str | None = None, address: str | None = None
) -> ControlPlane:
    """Starts one: of that minor version, else the newest; its API server at that address of this
    network, else on loopback."""
    wanted = {"SMW_KUBERNETES": kubernetes, "SMW_APISERVER_ADDRESS": address}
    given = {name: value for name, value in wanted.items() if value}
    run("up", directory, environment={**os.environ, **given})
    # Lines of the form `export NAME=value`, quoted for a shell.
    words = shlex.split((directory / "env").read_text())
    env = dict(word.split("=", 1) for word in words if word != "export")
    return ControlPlane(
        directory=directory,
        api=Api(directory / "kubeconfig"),
        kubectl_path=env["KUBECTL"],
        has_controllers=env["CONTROLPLANE_CONTROLLERS"] == "yes",
        etcd=env["CONTROLPLANE_ETCD"],
    )


@contextlib.contextmanager
def running(directory: Path, **how: str) -> Iterator[ControlPlane | str]:
    """One until the block ends, or why there is none on this machine; `how` is up()'s."""
    try:
        result = up(directory, **how)
    except UnavailableError as why:
        yield f"no control plane: {why}"
        return
    try:
        yield result
    finally:
        down(directory)


def down(directory: Path) -> None:
    run("down", "--keep-logs", directory)
