"""A real cluster that somebody else brought up, and our installation on it.

All is asked of its API server, by kubectl or by our own client: Pods need not be reachable from here.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from .api import Api, ApiError, Object
from .controlplane import ControlPlane
from .deploy import APP, CONFIGURATION, CRD
from .poll import poll
from .settings import cannot_run

HOW = (
    "needs a cluster with nodes: set SMW_E2E_KUBECONFIG to its kubeconfig, and SMW_E2E_LOAD_IMAGE"
    " to a command that loads an image archive into it (`kind load image-archive`)"
)


@dataclass
class Cluster(ControlPlane):
    load_command: list[str]
    # Where the tests have their own things; gone at the end.
    namespace: str

    def try_kubectl(
        self, *arguments: str, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = [self.kubectl_path, f"--kubeconfig={self.directory / 'kubeconfig'}", *arguments]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=180, check=False
        )

    def apply(self, *objects: Object) -> None:
        """These, and those that are in no namespace."""
        text = yaml.safe_dump_all(objects)
        flags = ("--namespace", self.namespace, "--validate=strict", "-f", "-")
        done = self.try_kubectl("apply", *flags, stdin=text)
        assert done.returncode == 0, done.stderr

    def get(self, namespace: str, *what: str) -> Object:
        result: Object = json.loads(self.kubectl("get", "-n", namespace, *what, "-o", "json"))
        return result

    def load(self, archive: Path) -> None:
        """Brings an image to the nodes."""
        command = [*self.load_command, str(archive)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{shlex.join(command)}: {done.stderr}"

    # Pods

    def pods(self, namespace: str, selector: str = f"app={APP}") -> list[Object]:
        """Those that nobody has begun to delete."""
        found = self.get(namespace, "pods", "-l", selector)["items"]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def log(self, pod: Object, *flags: str) -> str:
        metadata = pod["metadata"]
        return self.kubectl("logs", "-n", metadata["namespace"], metadata["name"], *flags)

    def ask(self, pod: Object, port: int, path: str) -> tuple[int, str]:
        """Status and text of what a Pod answers to GET, through the API server."""
        metadata = pod["metadata"]
        place = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}:{port}"
        try:
            self.api.request("GET", f"{place}/proxy{path}")
        except ApiError as answer:  # which is what plain text is to this client, whatever its status
            return answer.code, answer.message
        raise AssertionError(f"{path} of {metadata['name']} is JSON")

    def until_gone(self, namespace: str, names: set[str]) -> None:
        """Waits until the Pods of these names have ended."""

        def gone() -> bool:
            found = self.get(namespace, "pods")["items"]
            return names.isdisjoint(names_of(found))

        poll(f"Pods {names} are gone", gone, patience=180)


def names_of(pods: list[Object]) -> set[str]:
    return {pod["metadata"]["name"] for pod in pods}


def ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any((entry["type"], entry["status"]) == ("Ready", "True") for entry in conditions)


def settings() -> tuple[Path, list[str]]:
    kubeconfig = os.environ.get("SMW_E2E_KUBECONFIG")
    load = os.environ.get("SMW_E2E_LOAD_IMAGE")
    if not kubeconfig or not load:
        # It is no package that could be installed: not even CI fails for it.
        pytest.skip(HOW)
    return Path(kubeconfig).absolute(), shlex.split(load)


def administrator(namespace: str) -> list[Object]:
    """An account that may do anything, in a new namespace."""
    group = "rbac.authorization.k8s.io"
    account = {"name": "tests", "namespace": namespace}
    binding = {
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", **account}],
    }
    name = {"metadata": {"name": namespace}}
    return [
        {"apiVersion": "v1", "kind": "Namespace", **name},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
        {"apiVersion": f"{group}/v1", "kind": "ClusterRoleBinding", **name, **binding},
    ]


@contextmanager
def cluster(directory: Path) -> Iterator[Cluster]:
    """The cluster of the environment, with a namespace of ours; it must not have the webhook yet.

    Whatever way its kubeconfig has to say who somebody is, we go on with a token.
    """
    given, load = settings()
    kubectl_path = shutil.which("kubectl") or cannot_run("kubectl is not in PATH")

    def kubectl(*arguments: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            [kubectl_path, f"--kubeconfig={given}", *arguments],
            input=stdin, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    found = kubectl("get", "mutatingwebhookconfigurations", "-o", "name")
    assert CONFIGURATION not in found, "the webhook is installed there already: undeploy it"
    had_crd = CRD in kubectl("get", "crd", "-o", "name")
    namespace = f"e2e-{secrets.token_hex(4)}"
    config = yaml.safe_load(kubectl("config", "view", "--raw", "--minify", "--flatten"))
    ((entry),) = config["clusters"]
    authority = directory / "ca.crt"
    authority.write_bytes(base64.b64decode(entry["cluster"].pop("certificate-authority-data")))
    entry["cluster"]["certificate-authority"] = str(authority)
    try:
        made = yaml.safe_dump_all(administrator(namespace))
        kubectl("create", "-f", "-", stdin=made)
        token = kubectl("create", "token", "-n", namespace, "tests", "--duration=2h").strip()
        config["users"][0]["user"] = {"token": token}
        kubeconfig = directory / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(config))
        yield Cluster(directory, Api(kubeconfig), kubectl_path, True, "", load, namespace)
    finally:
        flags = ("--ignore-not-found", "--wait=false")
        kubectl("delete", *flags, "clusterrolebinding", namespace)
        kubectl("delete", *flags, "namespace", namespace)
        if not had_crd and CRD in kubectl("get", "crd", "-o", "name"):
            everywhere = ("--all-namespaces", "-o", "jsonpath={.items[*].metadata.namespace}")
            users = set(kubectl("get", "checkpointbackups", *everywhere).split())
            # Somebody else may have come to rely on it meanwhile.
            if users <= {namespace}:
                kubectl("delete", *flags, "crd", CRD)
