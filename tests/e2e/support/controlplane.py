"""The control plane that scripts/controlplane starts."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .api import Api, Object
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

    def audit_event(self, namespace: str, name: str) -> Object | None:
        """What the API server audited about the creation of a Pod, at level Metadata."""
        # The last line is still being written unless a newline ended it.
        for line in self.log("audit").split("\n")[:-1]:
            event: Object = json.loads(line)
            reference = event["objectRef"]
            if (reference.get("namespace"), reference.get("name")) == (namespace, name):
                return event
        return None


def run(*arguments: str | Path) -> None:
    done = subprocess.run([SCRIPT, *arguments], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode == CANNOT_BE_HAD:
        raise UnavailableError(done.stderr.strip())
    assert done.returncode == 0, done.stderr


def up(directory: Path) -> ControlPlane:
    run("up", directory)
    # Lines of the form `export NAME=value`, quoted for a shell.
    words = shlex.split((directory / "env").read_text())
    env = dict(word.split("=", 1) for word in words if word != "export")
    return ControlPlane(
        directory=directory,
        api=Api(directory / "kubeconfig"),
        kubectl_path=env["KUBECTL"],
        has_controllers=env["CONTROLPLANE_CONTROLLERS"] == "yes",
    )


def down(directory: Path) -> None:
    run("down", "--keep-logs", directory)
