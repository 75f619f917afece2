"""Replicas that make their own certificates, behind the Service that a real API server dials."""

from __future__ import annotations

import base64
import contextlib
import itertools
import signal
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

from . import controlplane, crd, service_path
from .api import Api, ApiError, Object
from .controlplane import ControlPlane
from .deploy import (
    APP,
    CA_SECRET,
    CERTS_SECRET,
    CONFIGURATION,
    DEPLOY,
    NAMESPACE,
    SERVICE,
    manifests,
)
from .network import own_network
from .objects import backup
from .poll import poll
from .rbac import Account
from .server import FLAGS, Server, environment
from .service_path import Proxy
from .service_path_pod import NODE
from .settings import binary, cannot_run
from .standalone import need_binary
from .world import CHECKPOINT

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
EVENTS = f"/api/v1/namespaces/{NAMESPACE}/events"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
JSON_PATCH = "application/json-patch+json"

# The name that the API server checks certificates against.
DNS_NAME = f"{SERVICE}.{NAMESPACE}.svc"
WEBHOOK_PORT = 9443

# A year in a minute. What is left of a leaf when it is renewed is what a slow machine has.
SHORT = (
    *("--leaf-lifetime", "15s", "--ca-lifetime", "60s"),
    *("--ca-overlap", "5s", "--ca-publish-wait", "2s"),
)
# So long that nothing happens but what a test does.
LONG = ("--ca-overlap", "5s", "--ca-publish-wait", "2s")


class Replica(Server):
    """`serve --certificates=self-managed` at an address of its own."""

    def __init__(
        self,
        directory: Path,
        address: str,
        kubeconfig: Path,
        *flags: str,
        cert_dir: Path | None = None,
    ) -> None:
        super().__init__(directory, *FLAGS, *flags, cert_dir=cert_dir, kubeconfig=kubeconfig)
        self.address = address

    def _certificate_flags(self) -> list[str]:
        if self.cert_dir:
            return super()._certificate_flags()
        return ["--certificates", "self-managed", "--service-namespace", NAMESPACE]

    def command(self, webhook: int = WEBHOOK_PORT, probes: int = 0, metrics: int = 0) -> list[str]:
        return super().command(webhook, probes, metrics)

    def holds_lease(self) -> bool:
        return self.running() and self.metric("smw_lease_holder") == 1

    def kill(self) -> None:
        """As a node dies: nothing is given up, nothing finished."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Bed:
    """A cluster with the Service and the webhook configuration; the test starts the replicas."""

    def __init__(self, directory: Path, cluster: ControlPlane, stack: contextlib.ExitStack) -> None:
        self.directory = directory
        self.cluster = cluster
        self.replicas: list[Replica] = []
        self._stack = stack
        self._numbers = itertools.count(1)
        self._install()

    @property
    def api(self) -> Api:
        return self.cluster.api

    def _install(self) -> None:
        crd.install(self.cluster)
        metadata = {"name": NAMESPACE}
        self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        self.account = Account(self.cluster, NAMESPACE, APP)
        self.cluster.kubectl("apply", "-f", str(DEPLOY / "rbac.yaml"))
        self.cluster.kubectl("apply", "-f", str(DEPLOY / "service.yaml"))
        path = f"/api/v1/namespaces/{NAMESPACE}/services/{SERVICE}"
        address = str(self.api.request("GET", path).object["spec"]["clusterIP"])
        self.proxy = Proxy(self.cluster.port)
        self.proxy.add(address, 443, WEBHOOK_PORT)

    # what the test sets up

    def grant(self) -> None:
        """The rights that these certificates need, to the account of deploy/rbac.yaml."""
        self.cluster.kubectl("apply", "-f", str(DEPLOY / "rbac-certificates.yaml"))

    def configure(self, **fields: str) -> Object:
        """The webhook configuration as kubectl applies it, with these fields of its webhook."""
        (body,) = manifests("webhook.yaml")
        body["webhooks"][0].update({"failurePolicy": "Fail", **fields})
        return self.api.create(body)

    def start(
        self, *flags: str, account: Account | None = None, until_ready: bool = True
    ) -> Replica:
        """One more replica, which the Service does not lead to yet."""
        replica = Replica(*self._place(account or self.account), *flags)
        self._stack.callback(replica.close)
        replica.start(until_ready)
        self.replicas.append(replica)
        return replica

    def start_with_files(self, secret: Object) -> Replica:
        """One that was given this Secret as a volume; it is none of `replicas`."""
        folder, address, kubeconfig = self._place(self.account)
        volume = folder / "certs"
        volume.mkdir()
        for key in ("tls.crt", "tls.key"):
            (volume / key).write_text(text(secret, key))
        server = Replica(folder, address, kubeconfig, cert_dir=volume)
        self._stack.callback(server.close)
        server.start()
        return server

    def _place(self, account: Account) -> tuple[Path, str, Path]:
        """Folder, address and kubeconfig of the next one."""
        number = next(self._numbers)
        address = f"10.244.1.{number}"
        service_path.ip("address", "add", f"{address}/32", "dev", "lo")
        folder = self.directory / f"replica-{number}"
        user = {"token": self._token(account)}
        return folder, address, account.write_kubeconfig(folder / "kubeconfig", user)

    def _token(self, account: Account) -> str:
        """For as long as all tests of a bed may take together."""
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 7200},
        }
        path = f"/api/v1/namespaces/{account.namespace}/serviceaccounts/{account.name}/token"
        return str(self.api.request("POST", path, body).object["status"]["token"])

    def start_at_once(self, count: int, *flags: str) -> list[Replica]:
        """So many, none of which waits for another; then the Service leads to them."""
        started = [self.start(*flags, until_ready=False) for _ in range(count)]
        for replica in started:
            poll(f"{replica.address} is ready", replica.ready)
        self.lead_to(*started)
        return started

    def lead_to(self, *replicas: Replica) -> None:
        self.proxy.send_to([replica.address for replica in replicas])

    def new_backup(self) -> str:
        """A namespace whose Pods of Job `train` are restored."""
        namespace = self.cluster.new_namespace()
        self.api.create(backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT}))
        return namespace

    # what is there

    def configuration(self) -> Object:
        return self.api.request("GET", f"{CONFIGURATIONS}/{CONFIGURATION}").object

    def bundle(self) -> str:
        """caBundle of our own entry."""
        return bundles(self.configuration())[0]

    def patch_bundle(self, value: str | None, entry: int = 0) -> Object:
        """By hand, as `kubectl patch --type=json` does it; None takes the field away."""
        path = f"/webhooks/{entry}/clientConfig/caBundle"
        change: Object = {"op": "remove", "path": path}
        if value is not None:
            change = {"op": "add", "path": path, "value": encoded(value)}
        return self.api.request(
            "PATCH",
            f"{CONFIGURATIONS}/{CONFIGURATION}",
            [change],  # type: ignore[arg-type]
            content_type=JSON_PATCH,
        ).object

    def secret(self, name: str) -> Object | None:
        try:
            return self.api.request("GET", f"{SECRETS}/{name}").object
        except ApiError as error:
            if error.code != 404:
                raise
            return None

    def delete_secret(self, name: str) -> None:
        self.api.request("DELETE", f"{SECRETS}/{name}")

    def certs(self) -> Object:
        return poll(f"Secret {CERTS_SECRET}", lambda: self.secret(CERTS_SECRET))

    def ca(self) -> Object:
        return poll(f"Secret {CA_SECRET}", lambda: self.secret(CA_SECRET))

    def stored(self) -> list[Object]:
        return [self.ca(), self.certs(), self.configuration()]

    def events(self, reason: str) -> list[Object]:
        items = self.api.request("GET", EVENTS).object["items"]
        return [event for event in items if event["reason"] == reason]

    def holder(self) -> Replica:
        def find() -> Replica | None:
            return next((one for one in self.replicas if one.holds_lease()), None)

        return poll("somebody holds the Lease", find)

    def certs_rotate(self, *flags: str) -> str:
        """By a person with the cluster's kubeconfig."""
        kubeconfig = str(self.cluster.directory / "kubeconfig")
        command = [str(binary()), "certs", "rotate", "--kubeconfig", kubeconfig]
        done = subprocess.run(
            [*command, "--service-namespace", NAMESPACE, *flags],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
            env=environment(),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def steady(self) -> bool:
        """Nothing is under way: every replica serves what is stored, and everybody trusts it."""
        running = [one for one in self.replicas if one.running()]
        return all(one.metric("smw_ca_bundle_in_step") == 1 for one in running) and any(
            one.metric("smw_certificate_rotation_phase", phase="steady") == 1 for one in running
        )

    def until_steady(self) -> None:
        poll("the certificates are steady", self.steady)


def text(secret: Object, key: str) -> str:
    """What a Secret has under a key."""
    return base64.b64decode(secret["data"][key]).decode()


def encoded(pem: str) -> str:
    return base64.b64encode(pem.encode()).decode()


def ends_at(pem: str) -> int:
    """Of the first certificate, in seconds since 1970."""
    command = ["openssl", "x509", "-noout", "-enddate"]
    done = subprocess.run(command, input=pem, capture_output=True, text=True, check=True)
    return ssl.cert_time_to_seconds(done.stdout.strip().removeprefix("notAfter="))


def bundles(configuration: Object) -> list[str]:
    """caBundle of each entry."""
    return [
        base64.b64decode(entry["clientConfig"].get("caBundle", "")).decode(errors="replace")
        for entry in configuration["webhooks"]
    ]


@contextlib.contextmanager
def installed(directory: Path) -> Iterator[Bed]:
    """One in a network of its own."""
    need_binary()
    with contextlib.ExitStack() as stack:
        stack.enter_context(own_network())
        service_path.lay_out()
        cluster = stack.enter_context(controlplane.running(directory, address=NODE))
        if isinstance(cluster, str):
            cannot_run(cluster)
        yield Bed(directory, cluster, stack.enter_context(contextlib.ExitStack()))
