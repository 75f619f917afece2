"""The way of production: the API server dials the Service's name, kube-proxy picks a server, and
servers that are started as the applied DaemonSet says answer."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import controlplane, service_path
from support.api import Api, ApiError, Object
from support.controlplane import ControlPlane
from support.deploy import APP, CONFIGURATION, CRD, NAMESPACE, SERVICE, Scripts, documents
from support.examples import EXAMPLE
from support.load import Load
from support.network import own_network
from support.objects import backup, container, images, job_pod, pod_spec
from support.oracle import BACKUPS
from support.poll import poll
from support.registration import configuration
from support.service_path import Node, Proxy
from support.service_path_pod import NODE, SERVER, Pod, Template
from support.settings import cannot_run
from support.standalone import need_binary
from support.world import CHECKPOINT
from support.written import Key, Written, difference

SPEC = pod_spec(container("app", "registry.example.com/train:1.0"))

CLIENTS = 16
ALL = 10_000
# Admissions by both servers before one of them is told to end, and at least as many after.
SOME = 2_000


@dataclass
class Installation:
    cluster: ControlPlane
    scripts: Scripts
    before: Written
    proxy: Proxy
    node: Node
    template: Template
    servers: list[Pod]


def install(cluster: ControlPlane, directory: Path) -> Iterator[Installation]:
    """By the script, which ends when the webhook answers; meanwhile the node does its part."""
    scripts = Scripts(plane=cluster, directory=directory)
    scripts.namespace = NAMESPACE
    before = scripts.written()
    proxy = Proxy(cluster.port)
    node = Node(directory, cluster, proxy)
    try:
        with ThreadPoolExecutor(1) as aside:
            script = aside.submit(scripts.deploy, FAILURE_POLICY="Fail")
            path = f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets/{APP}"

            def applied() -> Object | None:
                if script.done():
                    script.result()
                return find(cluster.api, path)

            template = Template.of(poll("the DaemonSet is applied", applied))
            proxy.add(service_address(cluster.api, SERVICE), 443, template.port("webhook"))
            servers = [node.run(template) for _ in range(2)]
            for server in servers:
                node.wait_until_ready(server)
            script.result()
        yield Installation(cluster, scripts, before, proxy, node, template, servers)
    finally:
        node.close()


def find(api: Api, path: str) -> Object | None:
    try:
        return api.request("GET", path).object
    except ApiError as error:
        if error.code != 404:
            raise
        return None


def service_address(api: Api, name: str) -> str:
    path = f"/api/v1/namespaces/{NAMESPACE}/services/{name}"
    return str(api.request("GET", path).object["spec"]["clusterIP"])


@pytest.fixture(scope="module")
def installation_or_why(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation | str]:
    directory = tmp_path_factory.mktemp("service-path")
    need_binary()
    with own_network():
        service_path.lay_out()
        with controlplane.running(directory, address=NODE) as cluster:
            if isinstance(cluster, str) or not cluster.has_controllers:
                yield cluster if isinstance(cluster, str) else "no kube-controller-manager"
                return
            yield from install(cluster, directory)


@pytest.fixture
def installation(installation_or_why: Installation | str) -> Installation:
    if isinstance(installation_or_why, str):
        cannot_run(installation_or_why)
    return installation_or_why


def until_known(installation: Installation) -> None:
    """Both servers know every backup."""
    stored = len(installation.cluster.api.list(*BACKUPS, None))

    def known() -> bool:
        return all(pod.metric("smw_cache_objects") == stored for pod in installation.servers)

    poll(f"{stored} backups are known", known)


def mutated(server: Pod) -> float:
    return server.metric("smw_admission_requests_total", outcome="mutated")


def handshakes(server: Pod) -> float:
    return server.metric("smw_tls_handshakes_total", result="ok")


def replace(installation: Installation, load: Load) -> tuple[Pod, Pod, int]:
    """The first server by a new one, in the order of a DaemonSet with maxSurge 1; returns both and
    the old one's exit status."""
    node, (old, staying) = installation.node, installation.servers
    new = node.run(installation.template)
    node.wait_until_ready(new)
    load.more(SOME)
    installation.servers = [staying, new]
    node.delete(old, noticed_after=1)
    return old, new, old.wait()


def test_servers_are_what_the_daemon_set_says(installation: Installation) -> None:
    """Who reads the template is tested, too: a lax reader would test something else."""
    arguments = installation.template.container["args"]
    for server in installation.servers:
        process = Path(f"/proc/{server.process.pid}")
        status = dict(
            line.split(":\t", 1) for line in (process / "status").read_text().splitlines()
        )
        assert status["Uid"].split() == status["Gid"].split() == ["65532"] * 4
        assert (int(status["CapEff"], 16), int(status["CapBnd"], 16)) == (0, 0)
        assert status["NoNewPrivs"] == "1"
        command = (process / "cmdline").read_text().split("\0")[:-1]
        assert command == [SERVER, *arguments]
        root = next(
            mount.split()
            for mount in (process / "mountinfo").read_text().splitlines()
            if mount.split()[4] == "/"
        )
        assert "ro" in root[5].split(",")


def test_a_server_is_replaced_under_load(installation: Installation) -> None:
    cluster = installation.cluster
    namespace = cluster.new_namespace()
    cluster.api.create(backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT}))
    until_known(installation)

    load = Load(cluster.api, namespace)
    with load.running(CLIENTS):
        load.until(SOME)
        both = installation.servers
        before = [(mutated(server), handshakes(server)) for server in both]
        old, new, status = replace(installation, load)
        load.until(ALL)

    assert not load.failed, load.failed[:3]
    assert not load.unrestored, load.unrestored[:3]
    assert load.count >= ALL
    assert status == 0, old.log()
    # The API server keeps its connections: each of them has carried many requests.
    for requests, connections in before:
        assert requests > 10 * connections > 0, before
    # The new one and the one that stayed have had their share.
    assert mutated(new) > 0
    assert mutated(both[1]) > before[1][0]


def test_another_name_is_not_the_servers(installation: Installation) -> None:
    """The API server checks the certificate against the Service's name that it dials."""
    cluster = installation.cluster
    other: Object = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "other"}}
    other["spec"] = {"ports": [{"port": 443}]}
    services = f"/api/v1/namespaces/{NAMESPACE}/services"
    cluster.api.request("POST", services, other)
    installation.proxy.add(service_address(cluster.api, "other"), 443, 9443)
    kind = ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration")
    stored = cluster.api.get(*kind, None, CONFIGURATION)
    namespace = cluster.new_namespace()
    (webhook,) = stored["webhooks"]
    webhook["clientConfig"]["service"]["name"] = "other"
    webhook["name"] = "other.example.com"
    body = {
        "apiVersion": kind[0],
        "kind": kind[1],
        "metadata": {"name": "other"},
        "webhooks": [webhook],
    }
    pod = job_pod(namespace, "train-x", "train", SPEC)

    def refusal() -> str:
        try:
            cluster.api.dry_run(pod)
        except ApiError as error:
            return error.message
        return ""

    with configuration(cluster.api, body):
        message = poll("the other webhook is asked", refusal)
    cluster.api.request("DELETE", f"{services}/other")
    assert "x509" in message and f"not other.{NAMESPACE}.svc" in message, message


def test_example_then_undeploy(installation: Installation) -> None:
    """A Job's pod made by its controller is restored, and what was installed goes again."""
    cluster, scripts = installation.cluster, installation.scripts
    backup_, job = documents(EXAMPLE.read_text())
    cluster.api.create(backup_)
    until_known(installation)
    cluster.api.create(job)
    (stored,) = poll("its pod", lambda: cluster.api.list("v1", "Pod", "default"))
    assert images(stored)["app-container"] == "nginx:1.20-checkpoint"
    cluster.kubectl("delete", "-f", str(EXAMPLE))
    poll("its pod is gone", lambda: not cluster.api.list("v1", "Pod", "default"))
    scripts.undeploy()
    changed = difference(installation.before, scripts.written())
    # The CustomResourceDefinition stays: with it all backups would go.
    assert {key for key in changed if not by_tests(key)} == {("CustomResourceDefinition", "", CRD)}


def by_tests(key: Key) -> bool:
    """In a namespace of a test, or that namespace itself."""
    return any(name.startswith("e2e-") for name in key[1:])
