"""An installation on real nodes, from scripts/deploy-webhook.sh to scripts/undeploy-webhook.sh: as
DaemonSet, then as Deployment, and what a cluster does to its Pods, under load.

The tests go on where the one before ended, as an operator does; each can also run alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from support.api import Object
from support.deploy import APP, CRD, NAMESPACE, Scripts
from support.examples import EXAMPLE, STORE_STATUS
from support.image import UID
from support.node import Cluster, cluster, names_of, ready
from support.node_images import STAND_IN, TAGS, load_server, load_stand_ins
from support.node_load import steady
from support.objects import backup, images, webhook_configuration
from support.poll import poll
from support.written import Written, difference

REPLICAS = 3
CERTIFICATES = "/tmp/k8s-webhook-server/serving-certs"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    directory = tmp_path_factory.mktemp("node")
    with cluster(directory) as result:
        load_server(result, directory)
        load_stand_ins(result, directory)
        yield result


@pytest.fixture(scope="module")
def scripts(node: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Scripts:
    result = Scripts(tmp_path_factory.mktemp("scripts"), node)
    result.namespace = NAMESPACE
    return result


def deploy(scripts: Scripts, kind: str, tag: str, failure_policy: str = "Fail") -> str:
    return scripts.deploy(KIND=kind, IMAGE_TAG=tag, FAILURE_POLICY=failure_policy)


def everything(scripts: Scripts) -> Written:
    """But for nodes, which the tests cordon and drain."""
    return {key: body for key, body in scripts.written().items() if key[0] != "Node"}


@pytest.fixture(scope="module")
def before(node: Cluster, scripts: Scripts) -> Iterator[Written]:
    """What there was before the installation, somebody else's things among it."""
    others = webhook_configuration("nowhere", "others", 1, "", webhook_name="others.example.com")
    del others["webhooks"][0]["clientConfig"]["caBundle"]
    others["metadata"]["name"] = f"{node.namespace}-others"
    secret: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "others"}}
    node.apply(others, {**secret, "stringData": {"key": "precious"}})
    yield everything(scripts)
    node.kubectl("delete", "mutatingwebhookconfiguration", others["metadata"]["name"])


@pytest.fixture(scope="module")
def installed(scripts: Scripts, before: Written) -> Iterator[str]:
    """What the script said; at the end the webhook goes, if a test has not done it already."""
    try:
        yield deploy(scripts, "daemonset", TAGS[0])
    finally:
        scripts.undeploy()


def server_pod(node: Cluster) -> Object:
    return node.pods(NAMESPACE)[0]


def look(node: Cluster, pod: Object, *files: str) -> str:
    """These files, read by another container of the Pod in the process namespace of the server."""
    name = pod["metadata"]["name"]
    flags = ("--image", STAND_IN, "--target", "webhook", "--container", "look")
    command = ("/program", "cat", *files)
    node.kubectl("debug", "-n", NAMESPACE, name, *flags, "--profile=general", "--", *command)

    def ended() -> bool:
        status = node.get(NAMESPACE, "pod", name)["status"]
        return any(
            "terminated" in entry["state"] for entry in status.get("ephemeralContainerStatuses", [])
        )

    poll("it has been read", ended)
    return node.log(pod, "-c", "look")


def test_the_process_runs_as_the_manifest_says(node: Cluster, installed: str) -> None:
    limits = ("memory.max", "memory/memory.limit_in_bytes")  # cgroup v2 and v1
    files = [f"/proc/1/root/sys/fs/cgroup/{name}" for name in limits]
    text = look(node, server_pod(node), "/proc/1/status", "/proc/1/mountinfo", *files)
    status = dict(re.findall(r"^(\w+):\t(.*)$", text, re.MULTILINE))
    assert status["Name"] == APP[:15]
    assert set(status["Uid"].split() + status["Gid"].split()) == {str(UID)}
    capabilities = {value for name, value in status.items() if name.startswith("Cap")}
    assert capabilities == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    mounts = dict(re.findall(r"^\d+ \d+ \S+ \S+ (\S+) (\S+)", text, re.MULTILINE))
    assert "ro" in mounts["/"].split(",")
    assert "ro" in mounts[CERTIFICATES].split(",")
    assert re.search(rf"^{256 << 20}$", text, re.MULTILINE), text


def probes(node: Cluster, pod: Object) -> dict[tuple[str, str], int]:
    """By kind and result, how often the kubelet has probed the container."""
    path = f"/api/v1/nodes/{pod['spec']['nodeName']}/proxy/metrics/probes"
    return {
        (kind, result): int(float(count))
        for name, kind, result, count in re.findall(
            r'^prober_probe_total\{.*pod="([^"]+)".*probe_type="(\w+)",result="(\w+)"\} (\S+)$',
            node.kubectl("get", "--raw", path),
            re.MULTILINE,
        )
        if name == pod["metadata"]["name"]
    }


def test_the_kubelet_probes_it(node: Cluster, installed: str) -> None:
    pod = server_pod(node)
    kinds = {(kind, "successful") for kind in ("Startup", "Readiness", "Liveness")}
    poll("each probe has succeeded", lambda: kinds <= probes(node, pod).keys())
    assert ("Liveness", "failed") not in probes(node, pod)
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0


def test_it_is_the_image_that_was_asked_for(node: Cluster, installed: str) -> None:
    assert "the webhook answers" in installed
    pods = node.pods(NAMESPACE)
    assert len(pods) == len(node.get("", "nodes")["items"])
    for pod in pods:
        (status,) = pod["status"]["containerStatuses"]
        assert status["image"] == f"docker.io/library/{APP}:{TAGS[0]}"
        assert '"revision"' in node.log(pod)


def test_the_certificate_is_that_of_the_secret(node: Cluster, installed: str) -> None:
    for pod in node.pods(NAMESPACE):
        code, text = node.ask(pod, 8081, "/readyz?verbose")
        assert code == 200 and "[+]certificate" in text
        assert 'smw_certificate_expiry_timestamp_seconds{role="serving"}' in (
            node.ask(pod, 8080, "/metrics")[1]
        )


@pytest.mark.in_full
def test_a_renewed_secret_comes_by_the_kubelet(
    node: Cluster, scripts: Scripts, installed: str
) -> None:
    """As cert-manager renews: a Secret of its layout is updated, and the kubelet swaps the volume, when
    it comes to it. Until then, and after, everybody is answered."""
    reloaded = 'smw_certificate_reloads_total{result="ok"} 1'
    with steady(node):
        scripts.generate("--renew")
        poll(
            "all serve the new certificate",
            lambda: all(
                reloaded in node.ask(pod, 8080, "/metrics")[1] for pod in node.pods(NAMESPACE)
            ),
            patience=300,
        )


def test_the_example_runs_the_checkpoint_images(node: Cluster, installed: str) -> None:
    selector = "batch.kubernetes.io/job-name=test-migration-job"

    def succeeded() -> Object | None:
        pods = node.pods("default", selector)
        return pods[0] if [pod["status"]["phase"] for pod in pods] == ["Succeeded"] else None

    try:
        node.kubectl("apply", "-f", str(EXAMPLE))
        node.kubectl(*STORE_STATUS)
        # The Job again, now that the status is there.
        node.kubectl("delete", "job", "-n", "default", "test-migration-job")
        node.kubectl("apply", "-f", str(EXAMPLE))
        pod = poll("the Job's Pod has run", succeeded)
        wanted = {
            "app-container": "nginx:1.20-checkpoint",
            "sidecar": "fluent/fluent-bit:2.0-checkpoint",
        }
        assert images(pod) == wanted
        for name, image in wanted.items():
            # Each image says which one it is.
            assert node.log(pod, "-c", name).strip() == image
    finally:
        node.kubectl("delete", "--ignore-not-found", "-f", str(EXAMPLE))


def replace_all(node: Cluster, scripts: Scripts, kind: str, tag: str) -> None:
    """Deploys under load, until none of the Pods before is left."""
    old = names_of(node.pods(NAMESPACE))
    with steady(node):
        deploy(scripts, kind, tag)
        node.until_gone(NAMESPACE, old)
    new = node.pods(NAMESPACE)
    assert new and old.isdisjoint(names_of(new))
    assert all(map(ready, new))
    assert {image for pod in new for image in images(pod).values()} == {f"{APP}:{tag}"}


def test_rolling_update_of_the_daemonset(
    node: Cluster, scripts: Scripts, installed: str
) -> None:
    replace_all(node, scripts, "daemonset", TAGS[1])


@pytest.mark.in_full
def test_deleted_pods_of_the_daemonset(node: Cluster, scripts: Scripts, installed: str) -> None:
    """All of them at once. Others take their place within seconds, while they still answer; were
    they late, Pods would be created unchanged, which is what the policy Ignore is for."""
    deploy(scripts, "daemonset", TAGS[1], "Ignore")
    old = names_of(node.pods(NAMESPACE))
    with steady(node, unrestored=True) as load:
        node.kubectl("delete", "pod", "-n", NAMESPACE, *old, "--wait=false")
        node.until_gone(NAMESPACE, old)
        node.kubectl("rollout", "status", "-n", NAMESPACE, f"daemonset/{APP}", "--timeout=50s")
        poll("a Pod is restored again", lambda: not load.create())
    deploy(scripts, "daemonset", TAGS[1])


@pytest.fixture
def deployment(node: Cluster, scripts: Scripts, installed: str) -> list[Object]:
    """The Pods of the Deployment, all ready; deploys it when the DaemonSet is there still."""
    if node.kubectl("get", "daemonset", "-n", NAMESPACE, "-o", "name"):
        deploy(scripts, "deployment", TAGS[0])
    return poll("all are ready", lambda: all_ready(node))


def all_ready(node: Cluster) -> list[Object] | None:
    pods = node.pods(NAMESPACE)
    return pods if len(pods) == REPLICAS and all(map(ready, pods)) else None


def test_changing_over_to_the_deployment(
    node: Cluster, scripts: Scripts, installed: str
) -> None:
    replace_all(node, scripts, "deployment", TAGS[0])
    assert node.kubectl("get", "daemonset", "-n", NAMESPACE, "-o", "name") == ""
    assert all_ready(node)


@pytest.mark.in_full
def test_rolling_update_of_the_deployment(
    node: Cluster, scripts: Scripts, deployment: list[Object]
) -> None:
    replace_all(node, scripts, "deployment", TAGS[1])


def test_deleted_pods(node: Cluster, deployment: list[Object]) -> None:
    """All but one at once, as when nodes are taken away with grace."""
    leaving = names_of(deployment[1:])
    with steady(node):
        node.kubectl("delete", "pod", "-n", NAMESPACE, *leaving, "--wait=false")
        node.until_gone(NAMESPACE, leaving)
    assert leaving.isdisjoint(names_of(poll("all are ready", lambda: all_ready(node))))


def test_drained_node(node: Cluster, deployment: list[Object]) -> None:
    """The budget lets one Pod go at a time; where there is no other node, no further one."""
    place = deployment[0]["spec"]["nodeName"]
    here = names_of([pod for pod in deployment if pod["spec"]["nodeName"] == place])
    selected = ("--pod-selector", f"app={APP}", "--timeout=10s")
    with steady(node):
        try:
            drained = node.try_kubectl("drain", place, "--ignore-daemonsets", *selected)
            assert f"node/{place} cordoned" in drained.stdout
            gone = here - names_of(node.pods(NAMESPACE))
            assert gone
            node.until_gone(NAMESPACE, gone)
        finally:
            node.kubectl("uncordon", place)
    if drained.returncode != 0:
        assert "disruption budget" in drained.stderr
        assert len(gone) == 1
    poll("all are ready", lambda: all_ready(node))


def test_undeploy_leaves_nothing_of_ours_and_all_of_others(
    node: Cluster, scripts: Scripts, before: Written, installed: str
) -> None:
    node.apply(backup(node.namespace, "kept", ("Job", "x"), {"app": "x:1"}))
    scripts.undeploy()
    assert CRD in node.kubectl("get", "crd", "-o", "name")
    assert "kept" in node.kubectl("get", "checkpointbackups", "-n", node.namespace)
    of_backups = ("CheckpointBackup", "CustomResourceDefinition")
    changed = difference(before, everything(scripts))
    assert {key for key in changed if key[0] not in of_backups} == set()
