"""What is wrong shows where an operator looks: the Pod's state, its log, its probes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support import crd
from support.api import Object
from support.certificates import self_signed
from support.deploy import APP, CERTS_SECRET, manifests, of_kind
from support.node import Cluster, cluster, ready
from support.node_images import TAGS, load_server
from support.poll import poll
from support.rbac import RULES


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    directory = tmp_path_factory.mktemp("node")
    with cluster(directory) as result:
        load_server(result, directory)
        if crd.NAME not in result.kubectl("get", "crd", "-o", "name"):
            result.kubectl("apply", "-f", str(crd.FILE))
        result.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": APP}})
        yield result


def make_secret(node: Cluster, directory: Path, name: str) -> None:
    service = f"{APP}-service.{node.namespace}.svc"
    key, certificate = self_signed(directory, "webhook", f"DNS:{service}")
    flags = (f"--key={key}", f"--cert={certificate}")
    node.kubectl("create", "secret", "tls", name, "-n", node.namespace, *flags)


def started(node: Cluster, name: str, *flags: str, secret: str = CERTS_SECRET) -> None:
    """One replica of deploy/deployment.yaml under another name, with further flags."""
    body = of_kind(manifests("deployment.yaml"), "Deployment")
    body["metadata"] = {"name": name}
    spec = body["spec"]
    spec["replicas"] = 1
    spec["selector"] = {"matchLabels": {"app": name}}
    spec["template"]["metadata"]["labels"] = {"app": name}
    (container,) = spec["template"]["spec"]["containers"]
    container["image"] = f"{APP}:{TAGS[0]}"
    container["args"] += flags
    (volume,) = spec["template"]["spec"]["volumes"]
    volume["secret"]["secretName"] = secret
    node.apply(body)


@contextmanager
def granted(node: Cluster) -> Iterator[None]:
    """The rights that the server needs, in the block."""
    name = f"{node.namespace}-server"
    group = "rbac.authorization.k8s.io"
    role: Object = {"apiVersion": f"{group}/v1", "metadata": {"name": name}}
    binding = {
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "namespace": node.namespace, "name": APP}],
    }
    node.apply(
        {**role, "kind": "ClusterRole", "rules": RULES},
        {**role, "kind": "ClusterRoleBinding", **binding},
    )
    try:
        yield
    finally:
        node.kubectl("delete", "clusterrole,clusterrolebinding", name)


def pod_of(node: Cluster, name: str) -> Object:
    """Once the kubelet has started it."""

    def found() -> Object | None:
        pods = node.pods(node.namespace, f"app={name}")
        return pods[0] if pods and pods[0]["status"].get("containerStatuses") else None

    return poll(f"a Pod of {name}", found)


def container_state(node: Cluster, name: str) -> Object:
    (status,) = pod_of(node, name)["status"]["containerStatuses"]
    return dict(status)


def test_wrong_flag(node: Cluster) -> None:
    started(node, "wrong-flag", "--webhook-prot=9443")
    poll("it was started again", lambda: container_state(node, "wrong-flag")["restartCount"] > 0)
    last = container_state(node, "wrong-flag")["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (2, "Error")
    # As the command line says it: one line for one error, and what was meant.
    (line,) = node.log(pod_of(node, "wrong-flag")).splitlines()
    assert "--webhook-prot" in line and "--webhook-port" in line


def checks(node: Cluster, name: str) -> tuple[int, str]:
    return node.ask(pod_of(node, name), 8081, "/readyz?verbose")


def running(node: Cluster, name: str) -> bool:
    return bool(container_state(node, name).get("started"))


def test_missing_secret(node: Cluster) -> None:
    started(node, "no-secret", secret="nonexistent")
    poll("it has started", lambda: running(node, "no-secret"))
    code, text = checks(node, "no-secret")
    assert code == 503
    (line,) = (line for line in text.splitlines() if line.startswith("[-]certificate"))
    assert "/tmp/k8s-webhook-server/serving-certs/tls.crt" in line
    pod = pod_of(node, "no-secret")
    assert not ready(pod)
    assert container_state(node, "no-secret")["restartCount"] == 0
    assert "/tmp/k8s-webhook-server/serving-certs/tls.crt" in node.log(pod)


def test_missing_rights(node: Cluster, tmp_path: Path) -> None:
    make_secret(node, tmp_path, CERTS_SECRET)
    started(node, "no-rights")
    poll("it has started", lambda: running(node, "no-rights"))

    def refused() -> list[str]:
        log = node.log(pod_of(node, "no-rights"))
        return [line for line in log.splitlines() if "\tERROR\t" in line]

    first = poll("an ERROR line", refused)[0]
    for word in ("migration.dcnlab.com", "checkpointbackups", "verbs: ["):
        assert word in first
    code, text = checks(node, "no-rights")
    assert code == 503
    assert any(
        line.startswith("[-]") and "checkpointbackups" in line for line in text.splitlines()
    ), text
    assert not ready(pod_of(node, "no-rights"))

    with granted(node):
        # It asks again within a minute.
        poll("it is ready", lambda: ready(pod_of(node, "no-rights")), 600)


@pytest.mark.in_full
def test_secret_that_comes_late(node: Cluster, tmp_path: Path) -> None:
    """The kubelet brings it within a minute or two; the server takes it up as it is running."""
    with granted(node):
        started(node, "late-secret", secret="late")
        poll("it has started", lambda: running(node, "late-secret"))
        assert checks(node, "late-secret")[0] == 503
        make_secret(node, tmp_path, "late")
        poll("it is ready", lambda: ready(pod_of(node, "late-secret")), 900)
    assert container_state(node, "late-secret")["restartCount"] == 0
