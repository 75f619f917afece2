"""The manifests of deploy/, the scripts that apply them, and a control plane to apply them to."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import yaml

from . import controlplane
from .api import Object
from .controlplane import ControlPlane, UnavailableError
from .fixtures import StartServer
from .poll import poll
from .registration import registered
from .settings import REPOSITORY, cannot_run
from .written import Written, difference, told, written

DEPLOY = REPOSITORY / "deploy"
SCRIPTS = REPOSITORY / "scripts"

NAMESPACE = "stateful-migration"
SERVICE = "stateful-migration-webhook-service"
APP = "stateful-migration-webhook"
CONFIGURATION = "stateful-migration-pod-mutator-alt"
CRD = "checkpointbackups.migration.dcnlab.com"
CERTS_SECRET, CA_SECRET = f"{APP}-certs", f"{APP}-ca"

ALL = ("deploy-webhook", "undeploy-webhook", "generate-webhook-certs")

# All that they may run, beside kubectl.
PROGRAMS = (
    "bash", "openssl", "basename", "cat", "cp", "diff", "dirname", "mkdir", "mktemp", "rm", "sleep",
)  # fmt: skip


# the manifests


def documents(text: str) -> list[Object]:
    return [document for document in yaml.safe_load_all(text) if document]


def manifests(file: str) -> list[Object]:
    return documents((DEPLOY / file).read_text())


def of_kind(objects: list[Object], kind: str) -> Object:
    (found,) = (body for body in objects if body["kind"] == kind)
    return found


def strings(value: Any) -> list[str]:
    """Every text in an object, keys included."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings(part)]
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]
    return [value] if isinstance(value, str) else []


# the scripts


class Scripts:
    """Runs the scripts, with no other programs than they say they need: against a cluster, or with
    neither a cluster nor kubectl."""

    def __init__(self, directory: Path, plane: ControlPlane | None = None) -> None:
        self._plane = plane
        self.directory = directory
        self.programs = directory / "programs"
        self.programs.mkdir()
        for name in PROGRAMS:
            found = shutil.which(name)
            assert found, f"{name} is not installed"
            (self.programs / name).symlink_to(found)
        self.kubeconfig = directory / "no-kubeconfig"
        if plane:
            (self.programs / "kubectl").symlink_to(plane.kubectl_path)
            self.kubeconfig = plane.directory / "kubeconfig"
        # Of this test alone, so that no other's installation is in the way.
        self.namespace = f"e2e-{secrets.token_hex(4)}"

    @property
    def plane(self) -> ControlPlane:
        assert self._plane, "these run without a cluster"
        return self._plane

    def run(self, name: str, *flags: str, **settings: str) -> subprocess.CompletedProcess[str]:
        temporary = self.directory / "tmp"
        temporary.mkdir(exist_ok=True)
        environment = {
            "PATH": str(self.programs),
            "HOME": str(self.directory),
            "TMPDIR": str(temporary),
            "KUBECONFIG": str(self.kubeconfig),
            "NAMESPACE": self.namespace,
            **settings,
        }
        done = subprocess.run(
            [str(self.programs / "bash"), str(SCRIPTS / f"{name}.sh"), *flags],
            env=environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        left = os.listdir(temporary)
        assert left == [], f"{name} left temporary files, which may be keys: {left}"
        return done

    def must(self, name: str, *flags: str, **settings: str) -> str:
        """What it prints; it must end well and have nothing to complain of."""
        done = self.run(name, *flags, **settings)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout

    def fails(self, status: int, name: str, *flags: str, **settings: str) -> str:
        """The one line that it ends with: its own, or that of a script which it runs."""
        done = self.run(name, *flags, **settings)
        assert done.returncode == status, done.stdout + done.stderr
        (line,) = done.stderr.splitlines()
        assert line.startswith(tuple(f"{script}.sh: " for script in ALL)), line
        return line

    def deploy(self, *flags: str, **settings: str) -> str:
        return self.must("deploy-webhook", *flags, **settings)

    def undeploy(self, *flags: str, **settings: str) -> str:
        return self.must("undeploy-webhook", *flags, **settings)

    def generate(self, *flags: str, **settings: str) -> str:
        return self.must("generate-webhook-certs", *flags, **settings)

    def rendered(self, **settings: str) -> list[Object]:
        """What it would apply."""
        return documents(self.deploy("--dry-run", **settings))

    # the cluster

    def get(self, *what: str) -> Object:
        found: Object = json.loads(self.plane.kubectl("get", *what, "-o", "json"))
        return found

    def mine(self, kind: str, name: str) -> Object:
        return self.get(kind, name, "--namespace", self.namespace)

    def exists(self, kind: str, name: str) -> bool:
        flags = ("--namespace", self.namespace, "--ignore-not-found", "-o", "name")
        return bool(self.plane.kubectl("get", kind, name, *flags))

    def create_namespace(self) -> None:
        self.plane.kubectl("create", "namespace", self.namespace)

    def written(self) -> Written:
        """All that was written in the cluster, by whatever hand."""
        return written(self.plane.api)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Fails when the block leaves anything else than it was."""
        before = self.written()
        yield
        changed = difference(before, self.written())
        assert not changed, told(changed)


@contextmanager
def fresh_cluster(directory: Path) -> Iterator[ControlPlane]:
    try:
        plane = controlplane.up(directory)
    except UnavailableError as why:
        cannot_run(f"no control plane: {why}")
    try:
        yield plane
    finally:
        controlplane.down(directory)


def sweep(plane: ControlPlane) -> None:
    """Takes away what of an installation is in no namespace."""
    for kind in ("mutatingwebhookconfiguration", "clusterrolebinding", "clusterrole"):
        plane.kubectl("delete", kind, "--selector", f"app={APP}", "--ignore-not-found")


@contextmanager
def answering(plane: ControlPlane, start_server: StartServer) -> Iterator[None]:
    """The API server asks a server of ours about the Pods of `default`, at a URL, for no Service
    leads anywhere here: so the scripts' self-test is answered."""
    with registered(plane.api, "default", start_server(), name="answers"):
        yield


def complete_rollout(plane: ControlPlane, namespace: str) -> None:
    """What kubelets do for a Deployment: its Pods become ready, and were for a minute."""
    since = datetime.now(timezone.utc) - timedelta(minutes=1)
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": f"{since:%Y-%m-%dT%H:%M:%SZ}"}
    patch = {"status": {"phase": "Running", "conditions": [ready]}}
    wanted = of_kind(manifests("deployment.yaml"), "Deployment")["spec"]["replicas"]

    def all_there() -> list[Object] | None:
        found = plane.api.list("v1", "Pod", namespace, labelSelector=f"app={APP}")
        return found if len(found) == wanted else None

    for body in poll("all its Pods are created", all_there):
        plane.api.merge({"apiVersion": "v1", "kind": "Pod", **body}, patch, "/status")
