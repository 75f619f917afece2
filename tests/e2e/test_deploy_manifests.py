"""The files of deploy/: what they say, and that the API server takes each of them as it is."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.api import Api, Object
from support.controlplane import ControlPlane
from support.deploy import (
    APP,
    CERTS_SECRET,
    CONFIGURATION,
    DEPLOY,
    NAMESPACE,
    SERVICE,
    documents,
    manifests,
    of_kind,
)
from support.fixtures import StartServer
from support.objects import container, job_pod, pod, pod_spec, webhook_configuration
from support.poll import poll
from support.rbac import RULES, attributes
from support.registration import answers, configuration
from support.server import Server
from support.standalone import need_binary

NEEDS_CERT_MANAGER = "cert-manager.yaml"
FILES = sorted(path.name for path in DEPLOY.glob("*.yaml"))
VARIANTS = ("webhook.yaml", "webhook-pre-1.30.yaml")
WORKLOADS = {"daemonset.yaml": "DaemonSet", "deployment.yaml": "Deployment"}


def template(file: str) -> Object:
    spec: Object = of_kind(manifests(file), WORKLOADS[file])["spec"]["template"]
    return spec


def webhook(file: str) -> Object:
    (result,) = of_kind(manifests(file), "MutatingWebhookConfiguration")["webhooks"]
    return dict(result)


def arguments(file: str) -> dict[str, str]:
    (server,) = template(file)["spec"]["containers"]
    flags = [text.lstrip("-").split("=", 1) for text in server["args"][1:]]
    return {name: value for name, value in flags}


# what they say


def test_the_files_are_those_that_the_documentation_lists() -> None:
    assert set(FILES) == {
        "crd.yaml", "rbac.yaml", "service.yaml", "daemonset.yaml", "deployment.yaml",
        "webhook.yaml", "webhook-pre-1.30.yaml", "cert-manager.yaml", "networkpolicy.yaml",
        "rbac-certificates.yaml",
    }  # fmt: skip


def test_daemonset_and_deployment_run_the_same_pod() -> None:
    ours, theirs = (copy.deepcopy(template(file)) for file in WORKLOADS)
    spread = theirs["spec"].pop("topologySpreadConstraints")
    assert ours == theirs
    # Where a zone or node is missing, replicas are worth more than their spread.
    assert {entry["whenUnsatisfiable"] for entry in spread} == {"ScheduleAnyway"}


def test_the_webhook_differs_only_in_match_conditions() -> None:
    new, old = (webhook(file) for file in VARIANTS)
    assert new.pop("matchConditions")
    assert new == old


@pytest.mark.parametrize("file", VARIANTS)
def test_the_webhook_is_the_one_that_the_contract_names(file: str) -> None:
    body = of_kind(manifests(file), "MutatingWebhookConfiguration")
    assert body["metadata"]["name"] == CONFIGURATION
    result = webhook(file)
    result.pop("matchConditions", None)
    excluded = ["kube-system", "kube-public", "kube-node-lease", NAMESPACE]
    (usual,) = webhook_configuration("", "", 0, "")["webhooks"]
    assert result == {
        **usual,
        "clientConfig": {
            "service": {
                "name": SERVICE, "namespace": NAMESPACE, "path": "/mutate-v1-pod", "port": 443
            }
        },
        "failurePolicy": "Ignore",
        "namespaceSelector": {
            "matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": excluded},
                {"key": "name", "operator": "NotIn", "values": excluded},
            ]
        },
    }  # fmt: skip


@pytest.mark.parametrize("file", WORKLOADS)
def test_a_pod_is_killed_only_after_it_could_have_drained(file: str) -> None:
    flags = arguments(file)
    drain = sum(int(flags[name].rstrip("s")) for name in ("shutdown-delay", "drain-timeout"))
    assert template(file)["spec"]["terminationGracePeriodSeconds"] > drain


@pytest.mark.parametrize("file", WORKLOADS)
def test_a_rolling_update_adds_before_it_takes_away(file: str) -> None:
    spec = of_kind(manifests(file), WORKLOADS[file])["spec"]
    strategy = spec["updateStrategy" if file == "daemonset.yaml" else "strategy"]
    assert strategy["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    # Two Pods on one node, while it lasts: no port may be the node's.
    spec = template(file)["spec"]
    assert not spec.get("hostNetwork")
    assert not any("hostPort" in port for port in spec["containers"][0]["ports"])


@pytest.mark.parametrize("file", WORKLOADS)
def test_ports_and_folders_are_those_that_the_flags_name(file: str) -> None:
    flags = arguments(file)
    spec = template(file)["spec"]
    (server,) = spec["containers"]
    ports = {port["name"]: port["containerPort"] for port in server["ports"]}
    assert ports == {
        "webhook": int(flags["webhook-port"]),
        "probes": int(flags["health-probe-bind-address"].lstrip(":")),
        "metrics": int(flags["metrics-bind-address"].lstrip(":")),
    }
    annotations = template(file)["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(ports["metrics"])
    service = of_kind(manifests("service.yaml"), "Service")
    assert service["metadata"]["name"] == flags["service-name"] == SERVICE
    assert {(port["port"], port["targetPort"]) for port in service["spec"]["ports"]} == {
        (443, ports["webhook"]),
        (8080, ports["metrics"]),
    }
    (mount,) = server["volumeMounts"]
    (volume,) = spec["volumes"]
    assert mount["mountPath"] == flags["cert-dir"]
    assert volume["secret"]["secretName"] == CERTS_SECRET
    assert volume["secret"]["optional"] is True


@pytest.mark.parametrize("file", WORKLOADS)
def test_the_server_takes_the_flags(file: str, tmp_path: Path) -> None:
    """All but those that say where things are, which are a container's."""
    need_binary()
    (server,) = template(file)["spec"]["containers"]
    flags = [flag for flag in server["args"][1:] if not re.search("-(port|address|dir)=", flag)]
    # Of a flag given twice the last one counts.
    started = Server(tmp_path, *flags, "--shutdown-delay=100ms")
    try:
        started.start()
    finally:
        started.close()


def test_every_object_carries_the_label_by_which_it_is_taken_away_again() -> None:
    for file in FILES:
        for body in manifests(file):
            if body["kind"] not in ("Namespace", "CustomResourceDefinition"):
                labels = body["metadata"].get("labels", {})
                assert labels.get("app") == APP, f"{file}: {body['kind']}"


def test_the_role_is_bound_to_the_account_of_the_pods() -> None:
    objects = manifests("rbac.yaml")
    account = of_kind(objects, "ServiceAccount")["metadata"]
    binding = of_kind(objects, "ClusterRoleBinding")
    assert binding["roleRef"]["name"] == of_kind(objects, "ClusterRole")["metadata"]["name"]
    (subject,) = binding["subjects"]
    assert (subject["namespace"], subject["name"]) == (account["namespace"], account["name"])
    assert template("daemonset.yaml")["spec"]["serviceAccountName"] == account["name"]


def test_the_server_may_read_what_it_needs_and_nothing_else() -> None:
    """That this suffices and less does not, is in test_watch_rbac.py."""
    allowed = {
        (entry["group"], entry["resource"], entry["verb"]) for entry in attributes(RULES, None)
    }
    assert allowed == {
        ("migration.dcnlab.com", "checkpointbackups", "get"),
        ("migration.dcnlab.com", "checkpointbackups", "list"),
        ("migration.dcnlab.com", "checkpointbackups", "watch"),
        ("batch", "jobs", "get"),
    }


def test_the_rights_of_self_managed_certificates_are_for_named_objects() -> None:
    """But for what RBAC cannot hold to a name. That they suffice, is in test_rotation_rights.py."""
    for body in manifests("rbac-certificates.yaml"):
        for rule in body.get("rules", []):
            assert rule.get("resourceNames") or rule["verbs"] == ["create"], rule
            assert "delete" not in rule["verbs"]


def test_ingress_of_the_webhook_is_limited_by_nothing_that_the_api_server_lacks() -> None:
    spec = of_kind(manifests("networkpolicy.yaml"), "NetworkPolicy")["spec"]
    open_ports = {
        port["port"] for rule in spec["ingress"] if "from" not in rule for port in rule["ports"]
    }
    assert {9443, 8081} <= open_ports


def test_cert_manager_issues_what_the_pods_mount_and_the_api_server_dials() -> None:
    objects = manifests("cert-manager.yaml")
    (leaf,) = (body for body in objects if body["spec"].get("secretName") == CERTS_SECRET)
    assert set(leaf["spec"]["dnsNames"]) == {
        SERVICE,
        f"{SERVICE}.{NAMESPACE}",
        f"{SERVICE}.{NAMESPACE}.svc",
        f"{SERVICE}.{NAMESPACE}.svc.cluster.local",
    }
    issuers = {body["metadata"]["name"] for body in objects if body["kind"] == "Issuer"}
    certificates = [body for body in objects if body["kind"] == "Certificate"]
    assert {body["spec"]["issuerRef"]["name"] for body in certificates} == issuers


# that they are valid


def stored(cluster: ControlPlane, path: str) -> list[Object]:
    """The objects of a file without what the API server keeps in them for itself."""
    (found,) = documents(cluster.kubectl("get", "-f", path, "-o", "yaml"))
    kept = ("kind", "spec", "rules", "roleRef", "subjects", "webhooks")
    return [{key: body.get(key) for key in kept} for body in found.get("items", [found])]


@pytest.mark.parametrize("file", [file for file in FILES if file != NEEDS_CERT_MANAGER])
def test_each_file_can_be_applied_alone(cluster: ControlPlane, file: str) -> None:
    """To a cluster that has nothing of ours but the namespace, which rbac.yaml brings itself."""
    path = str(DEPLOY / file)
    if file != "rbac.yaml":
        cluster.kubectl("create", "namespace", NAMESPACE)
    try:
        cluster.kubectl("apply", "--validate=strict", "-f", path)
        before = stored(cluster, path)
        # Server-side, as scripts/deploy-webhook.sh does it, it is the same.
        server_side = ("--server-side", "--force-conflicts", "--validate=strict")
        cluster.kubectl("apply", *server_side, "-f", path)
        assert stored(cluster, path) == before
    finally:
        cluster.kubectl("delete", "--ignore-not-found", "-f", path)
        cluster.kubectl("delete", "--ignore-not-found", "namespace", NAMESPACE)


def test_pods_are_taken_where_only_restricted_ones_are(cluster: ControlPlane) -> None:
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    name = "restricted"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    cluster.api.create(body)
    for file in WORKLOADS:
        spec = template(file)["spec"]
        answer = cluster.api.dry_run(pod(name, "server", spec))
        assert answer.warnings == []


# whom the API server asks about


@pytest.fixture
def asked(cluster: ControlPlane, start_server: StartServer) -> Iterator[tuple[Api, Server]]:
    """The webhook as webhook.yaml has it, but for the address."""
    server = start_server()
    body = copy.deepcopy(of_kind(manifests("webhook.yaml"), "MutatingWebhookConfiguration"))
    (entry,) = body["webhooks"]
    entry["clientConfig"] = {
        "url": f"https://127.0.0.1:{server.port}/mutate-v1-pod",
        "caBundle": base64.b64encode(server.ca.encode()).decode(),
    }
    entry["failurePolicy"] = "Fail"
    with configuration(cluster.api, body):
        poll("the webhook answers", lambda: answers(cluster.api, "default"))
        yield cluster.api, server


def requests(server: Server) -> float:
    return server.metric("smw_admission_requests_total")


def owner(api_version: str, kind: str) -> Object:
    return {"apiVersion": api_version, "kind": kind, "name": "x", "uid": "x"}


@pytest.mark.parametrize(
    ("owners", "labels", "is_asked"),
    [
        pytest.param([owner("batch/v1", "Job")], {}, True, id="job"),
        pytest.param([owner("batch/v2", "Job")], {}, True, id="another version"),
        pytest.param([owner("v1", "Node"), owner("batch/v1", "Job")], {}, True, id="one of two"),
        pytest.param([], {"batch.kubernetes.io/job-name": "x"}, False, id="the label alone"),
        pytest.param([], {}, False, id="nobody's"),
        pytest.param([owner("apps/v1", "ReplicaSet")], {}, False, id="replica set"),
        pytest.param([owner("batch.volcano.sh/v1alpha1", "Job")], {}, False, id="another group"),
        pytest.param([owner("batch/v1", "CronJob")], {}, False, id="cron job"),
    ],
)
def test_the_api_server_asks_about_pods_that_a_job_owns(
    asked: tuple[Api, Server], owners: list[Object], labels: dict[str, str], is_asked: bool
) -> None:
    api, server = asked
    body = pod("default", "some", pod_spec(container("app", "busybox:1.36")))
    body["metadata"] |= {"ownerReferences": owners, "labels": labels}
    before = requests(server)
    api.dry_run(body)
    assert requests(server) - before == (1 if is_asked else 0)


@pytest.mark.parametrize("excluded", ["kube-system", "kube-public", NAMESPACE, "labelled"])
def test_the_api_server_does_not_ask_about_its_own_namespaces(
    asked: tuple[Api, Server], excluded: str
) -> None:
    api, server = asked
    if not excluded.startswith("kube-"):
        # `labelled` has the name of ours in the label of clusters before 1.21.
        labels = {"name": NAMESPACE} if excluded == "labelled" else {}
        metadata = {"name": excluded, "labels": labels}
        api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    before = requests(server)
    api.dry_run(job_pod(excluded, "some", "x", pod_spec(container("app", "busybox:1.36"))))
    assert requests(server) == before
