"""A Pod of the server, run as a kubelet runs it, but without containers: the real binary in network
and mount namespaces of its own, with what the Pod's template says.

Its process is the server itself, so a signal reaches it as it reaches a container's first process.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import os
import re
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .api import Object
from .controlplane import ControlPlane
from .server import environment as our_environment
from .server import samples_of, total
from .settings import binary

# Addresses of the node and, as every container finds it, of the API server's Service.
NODE = "10.200.0.1"
KUBERNETES = "10.96.0.1"

# Where the image has the server, and where every container finds its ServiceAccount.
SERVER = "/stateful-migration-webhook"
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"

# Waits until there is a network, puts the root together and becomes the server.
# $1 the root, $2 the binary, $3 … pairs of a folder and where it is mounted, --, then the command.
START = r"""
set -eu
root=$1 server=$2
shift 2
read -r _
mount --bind "$root" "$root"
mount --bind "$server" "$root/stateful-migration-webhook"
for folder in usr proc dev sys; do
    mount --rbind "/$folder" "$root/$folder"
done
while [ "$1" != -- ]; do
    mount --bind "$1" "$root$2"
    mount -o remount,bind,ro "$root$2"
    shift 2
done
shift
mount -o remount,bind,ro "$root"
exec chroot "$root" "$@"
"""


def volume(folder: Path, files: dict[str, bytes], mode: int, group: int) -> None:
    """Files as a Secret's or a token's volume has them: links through `..data`."""
    version = folder / "..2026_11_21_12_00_00.1"
    version.mkdir(parents=True)
    (folder / "..data").symlink_to(version.name)
    for name, content in files.items():
        file = version / name
        file.write_bytes(content)
        file.chmod(mode)
        os.chown(file, 0, group)
        (folder / name).symlink_to(f"..data/{name}")
    for place in (folder, version):
        os.chown(place, 0, group)
        place.chmod(0o750)


@dataclass
class Template:
    """What a Pod's template says of its only container."""

    namespace: str
    spec: Object

    @classmethod
    def of(cls, workload: Object) -> Template:
        """Of a DaemonSet as the API server has it, with its defaults."""
        return cls(workload["metadata"]["namespace"], workload["spec"]["template"]["spec"])

    @property
    def container(self) -> Object:
        (container,) = self.spec["containers"]
        return dict(container)

    @property
    def security(self) -> Object:
        """The container's beats the Pod's."""
        return {**self.spec["securityContext"], **self.container["securityContext"]}

    def port(self, name_or_number: str | int) -> int:
        ports = {entry["name"]: entry["containerPort"] for entry in self.container["ports"]}
        return int(ports.get(name_or_number, name_or_number))

    def environment(self, pod: Object) -> dict[str, str]:
        result = {}
        for entry in self.container.get("env", []):
            if "value" in entry:
                result[entry["name"]] = entry["value"]
                continue
            value: object = pod
            for part in entry["valueFrom"]["fieldRef"]["fieldPath"].split("."):
                value = value[part]  # type: ignore[index]
            result[entry["name"]] = str(value)
        return result

    def arguments(self, environment: dict[str, str]) -> list[str]:
        """With each $(NAME) of the environment put in."""

        def put_in(found: re.Match[str]) -> str:
            return environment.get(found[1], found[0])

        command = self.container.get("command", [SERVER])
        return [
            re.sub(r"\$\((\w+)\)", put_in, word)
            for word in [*command, *self.container.get("args", [])]
        ]

    def privileges(self) -> list[str]:
        """setpriv with what the security contexts say."""
        security = self.security
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is True
        ids = ["--reuid", str(security["runAsUser"]), "--regid", str(security["runAsGroup"])]
        groups = ["--groups", str(security["fsGroup"])]
        return ["/usr/bin/setpriv", *ids, *groups, "--bounding-set=-all", "--no-new-privs", "--"]


class Pod:
    """One that runs; `directory` holds its root, its volumes and server.log."""

    _numbers = itertools.count(1)

    def __init__(self, directory: Path, cluster: ControlPlane, template: Template, address: str):
        self.name = f"webhook-{next(self._numbers)}"
        self.address = address
        self.template = template
        self.deleted = threading.Event()
        self.sandbox: IO[str] | None = None  # keeps the network namespace
        self.log_file = directory / f"{self.name}.log"
        self._directory = directory / self.name
        mounts = self._volumes(cluster)
        environment = {
            "PATH": "/usr/bin",
            "KUBERNETES_SERVICE_HOST": KUBERNETES,
            "KUBERNETES_SERVICE_PORT": "443",
            **template.environment(self._object()),
        }
        command = [*template.privileges(), *template.arguments(environment)]
        root = self._root(list(mounts))
        pairs = [word for place, folder in mounts.items() for word in (str(folder), place)]
        start = ["bash", "-c", START, "start", str(root), str(binary()), *pairs, "--"]
        clean = ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in environment.items())]
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--net", "--mount", "--propagation=private", *start, *clean, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=our_environment(),
            )

    def _object(self) -> Object:
        """What a container can ask about its Pod."""
        metadata = {"name": self.name, "namespace": self.template.namespace}
        status = {"podIP": self.address, "hostIP": NODE}
        return {"metadata": metadata, "spec": {"nodeName": "node"}, "status": status}

    def _root(self, mounts: list[str]) -> Path:
        root = self._directory / "root"
        for folder in ("usr", "proc", "dev", "sys", *(place.lstrip("/") for place in mounts)):
            (root / folder).mkdir(parents=True)
        for folder in ("lib", "lib64"):
            (root / folder).symlink_to(f"usr/{folder}")
        (root / SERVER.lstrip("/")).touch()
        return root

    def _volumes(self, cluster: ControlPlane) -> dict[str, Path]:
        """Folder by the place where it is mounted."""
        named = {entry["name"]: entry for entry in self.template.spec["volumes"]}
        group = self.template.security["fsGroup"]
        result = {}
        for mount in self.template.container["volumeMounts"]:
            assert mount["readOnly"] is True
            secret = named[mount["name"]]["secret"]
            stored = cluster.api.get(
                "v1", "Secret", self.template.namespace, secret["secretName"]
            )
            files = {name: base64.b64decode(text) for name, text in stored["data"].items()}
            result[mount["mountPath"]] = self._directory / mount["name"]
            volume(result[mount["mountPath"]], files, secret["defaultMode"], group)
        result[ACCOUNT] = self._directory / "account"
        volume(result[ACCOUNT], account_files(cluster, self.template), 0o440, group)
        return result

    def start(self) -> None:
        """Once its network namespace has a network."""
        assert self.process.stdin
        self.process.stdin.write(b"\n")
        self.process.stdin.close()

    def probe(self, kind: str) -> bool:
        """As the template says of that probe."""
        wanted = self.template.container[kind]["httpGet"]
        port = self.template.port(wanted["port"])
        try:
            return self.get(port, wanted["path"])[0] == 200
        except OSError:
            return False

    def get(self, port: int, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.address, port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def metric(self, name: str, **labels: str) -> float:
        """The sum of all samples of that name that carry these labels."""
        text = self.get(self.template.port("metrics"), "/metrics")[1]
        return total(samples_of(text), name, labels)

    def running(self) -> bool:
        return self.process.poll() is None

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Its exit status, if it ends within the time that the template grants."""
        return self.process.wait(self.template.spec["terminationGracePeriodSeconds"])

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def close(self) -> None:
        if self.running():
            self.process.kill()
            self.process.wait()
        if self.sandbox:
            self.sandbox.close()


def account_files(cluster: ControlPlane, template: Template) -> dict[str, bytes]:
    name = template.spec["serviceAccountName"]
    path = f"/api/v1/namespaces/{template.namespace}/serviceaccounts/{name}/token"
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": 3607},
    }
    token = cluster.api.request("POST", path, body).object["status"]["token"]
    return {
        "token": token.encode(),
        "ca.crt": (cluster.directory / "apiserver.crt").read_bytes(),
        "namespace": template.namespace.encode(),
    }
