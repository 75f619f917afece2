"""scripts/deploy-webhook.sh on a real API server. There is no kubelet: a DaemonSet without nodes is
rolled out at once, and for a Deployment the test makes the Pods ready."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from support.api import Object
from support.certificates import issue
from support.controlplane import ControlPlane
from support.deploy import (
    APP,
    CERTS_SECRET,
    CONFIGURATION,
    CRD,
    DEPLOY,
    NAMESPACE,
    SERVICE,
    Scripts,
    answering,
    complete_rollout,
)
from support.fixtures import StartServer
from support.poll import poll
from support.rbac import RULES, Account

CREATED_BY = "migration.dcnlab.com/created-by"


@pytest.fixture
def answered(cluster: ControlPlane, start_server: StartServer) -> Iterator[None]:
    with answering(cluster, start_server):
        yield


def webhook(scripts: Scripts) -> Object:
    (entry,) = scripts.get("mutatingwebhookconfiguration", CONFIGURATION)["webhooks"]
    return dict(entry)


@pytest.mark.usefixtures("answered")
def test_a_first_run_installs_everything_and_proves_it(scripts: Scripts) -> None:
    said = scripts.deploy()
    assert "self-test: stateful-migration-webhook" in said
    assert said.splitlines()[-1] == "done: the webhook answers, failurePolicy is Ignore"
    assert scripts.get("namespace", scripts.namespace)["metadata"]["annotations"] == {
        CREATED_BY: "deploy-webhook.sh"
    }
    for kind, name in (("daemonset", APP), ("service", SERVICE), ("serviceaccount", APP)):
        assert scripts.exists(kind, name), kind
    # As the manifest says, with what the API server adds.
    text = (DEPLOY / "webhook.yaml").read_text()
    text = re.sub(f"(?m)(?<= ){NAMESPACE}$", scripts.namespace, text)
    (entry,) = yaml.safe_load(text)["webhooks"]
    entry["clientConfig"]["caBundle"] = scripts.mine("secret", CERTS_SECRET)["data"]["ca.crt"]
    assert webhook(scripts) == {**entry, "objectSelector": {}}


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize(
    "kind", [pytest.param("daemonset", marks=pytest.mark.in_full), "deployment"]
)
def test_a_second_run_changes_nothing(scripts: Scripts, kind: str) -> None:
    finished = complete_later(scripts) if kind == "deployment" else None
    scripts.deploy(KIND=kind)
    if finished:
        finished.join()
        deployment = scripts.mine("deployment", APP)
        assert deployment["status"]["availableReplicas"] == deployment["spec"]["replicas"]
    with scripts.unchanged():
        scripts.deploy(KIND=kind)


def complete_later(scripts: Scripts) -> threading.Thread:
    """Makes the Pods ready once there are all of them, while the script waits for that."""
    thread = threading.Thread(target=complete_rollout, args=(scripts.plane, scripts.namespace))
    thread.start()
    return thread


@pytest.mark.usefixtures("answered")
def test_there_is_no_configuration_before_the_rollout_is_complete(scripts: Scripts) -> None:
    settings = {"KIND": "deployment", "ROLLOUT_TIMEOUT": "1s"}
    line = scripts.fails(1, "deploy-webhook", **settings)
    for next_ in ("describe pods", "logs"):
        assert f"kubectl --namespace {scripts.namespace} {next_} -l app={APP}" in line
    # What was done is said, and what was not is not there.
    assert "done so far: " in line and f"deployment/{APP}" in line
    assert not scripts.exists("mutatingwebhookconfiguration", CONFIGURATION)

    complete_rollout(scripts.plane, scripts.namespace)
    poll(
        "it is rolled out",
        lambda: scripts.mine("deployment", APP)["status"].get("availableReplicas") == 3,
    )
    assert "done: " in scripts.deploy(KIND="deployment")
    assert scripts.exists("mutatingwebhookconfiguration", CONFIGURATION)


@pytest.mark.usefixtures("answered")
def test_the_other_kind_is_taken_away_after_the_rollout(scripts: Scripts) -> None:
    scripts.deploy()
    scripts.fails(1, "deploy-webhook", KIND="deployment", ROLLOUT_TIMEOUT="1s")
    assert scripts.exists("daemonset", APP), "nobody serves while the Deployment is not there"
    complete_rollout(scripts.plane, scripts.namespace)
    scripts.deploy(KIND="deployment")
    assert not scripts.exists("daemonset", APP)
    scripts.deploy(KIND="daemonset")
    for kind in ("deployment", "poddisruptionbudget"):
        poll(f"{kind} is gone", lambda kind=kind: not scripts.exists(kind, APP))  # type: ignore[misc]


def test_fail_is_set_only_once_the_webhook_has_answered(
    scripts: Scripts, start_server: StartServer
) -> None:
    # Nobody answers: no Pod may come to depend on that.
    impatient = {"FAILURE_POLICY": "Fail", "SELF_TEST_TIMEOUT": "1s"}
    line = scripts.fails(1, "deploy-webhook", **impatient)
    assert "did not answer the self-test" in line
    assert f"kubectl --namespace {scripts.namespace} logs -l app={APP}" in line
    assert "namespaceSelector" in line and "SELF_TEST_NAMESPACE" in line
    assert webhook(scripts)["failurePolicy"] == "Ignore"
    with answering(scripts.plane, start_server):
        scripts.deploy(FAILURE_POLICY="Fail")
    assert webhook(scripts)["failurePolicy"] == "Fail"
    # Where it does not answer any more, the API server says why.
    line = scripts.fails(1, "deploy-webhook", **impatient)
    assert "Pods of Jobs are refused: " in line and "failed calling webhook" in line


def test_without_waiting_nothing_is_asked(scripts: Scripts) -> None:
    said = scripts.deploy("--no-wait", KIND="deployment")
    assert "self-test" not in said
    assert f"rollout status deployment/{APP}" in said
    assert webhook(scripts)["clientConfig"]["caBundle"]


def test_what_is_installed_stays_unless_it_is_asked_for(scripts: Scripts) -> None:
    image = {"IMAGE": "registry.example.com:5000/webhook", "IMAGE_TAG": "1.2.3"}
    scripts.deploy("--no-wait", KIND="deployment", **image)
    # As an operator, or the cloud's own controller, adds to it.
    body = scripts.get("mutatingwebhookconfiguration", CONFIGURATION)
    selector = body["webhooks"][0]["namespaceSelector"]
    added = {"key": "control-plane", "operator": "NotIn", "values": ["true", "1"]}
    selector["matchExpressions"] += [added, {"key": "a.b/c", "operator": "DoesNotExist"}]
    selector["matchLabels"] = {"restored": "yes"}
    body["webhooks"][0]["failurePolicy"] = "Fail"
    file = scripts.directory / "changed.yaml"
    file.write_text(yaml.safe_dump(body))
    scripts.plane.kubectl("replace", "-f", str(file))

    said = scripts.deploy("--no-wait", KIND="daemonset")
    taken = "; as installed: IMAGE=registry.example.com:5000/webhook IMAGE_TAG=1.2.3"
    assert said.splitlines()[0].endswith(f"{taken} FAILURE_POLICY=Fail")
    assert webhook(scripts) == body["webhooks"][0]
    # Nobody knows whether the new one serves.
    assert f"left deployment/{APP}, poddisruptionbudget/{APP}: " in said
    assert scripts.exists("deployment", APP)
    containers = scripts.mine("daemonset", APP)["spec"]["template"]["spec"]["containers"]
    assert containers[0]["image"] == ":".join(image.values())
    scripts.plane.kubectl("--namespace", scripts.namespace, "delete", "daemonset", APP)
    assert scripts.deploy("--dry-run").splitlines()[0].endswith(
        f"{taken} KIND=deployment FAILURE_POLICY=Fail"
    )


@pytest.mark.in_full
@pytest.mark.usefixtures("answered")
def test_the_rights_that_are_asked_for_are_enough(scripts: Scripts) -> None:
    account = Account(scripts.plane, scripts.plane.new_namespace()).grant(RIGHTS)
    scripts.kubeconfig = account.write_kubeconfig(scripts.directory / "account")
    scripts.deploy()
    finished = complete_later(scripts)
    scripts.deploy(KIND="deployment")
    finished.join()
    said = scripts.deploy(KIND="daemonset")
    assert f"deleted deployment/{APP}" in said
    assert f"deleted namespace {scripts.namespace}" in scripts.undeploy()


def right(resource: str, *verbs: str) -> Object:
    name, _, group = resource.partition(".")
    return {"apiGroups": [group], "resources": [name], "verbs": list(verbs)}


CHANGE = ("get", "list", "watch", "create", "patch", "delete")

RIGHTS = [
    *(
        right(resource, *CHANGE)
        for resource in (
            "mutatingwebhookconfigurations.admissionregistration.k8s.io",
            "clusterroles.rbac.authorization.k8s.io",
            "clusterrolebindings.rbac.authorization.k8s.io",
            "serviceaccounts", "secrets", "services", "daemonsets.apps", "deployments.apps",
            "poddisruptionbudgets.policy",
        )
    ),
    right("networkpolicies.networking.k8s.io", "get", "list", "watch", "delete"),
    right("namespaces", "get", "list", "watch", "create", "delete"),
    right("customresourcedefinitions.apiextensions.k8s.io", "get", "create"),
    right("pods", "create"),
    right("*.*", "list"),
    # One gives no rights that one does not have.
    *RULES,
]  # fmt: skip


def test_a_dry_run_changes_nothing(scripts: Scripts) -> None:
    with scripts.unchanged():
        said = scripts.deploy("--dry-run")
    assert f"# would create namespace {scripts.namespace}" in said
    scripts.deploy("--no-wait")
    with scripts.unchanged():
        assert "# would keep the serving certificate" in scripts.deploy("--dry-run")
        # Of what is there already the API server checks all, and does nothing.
        scripts.deploy("--dry-run", KIND="deployment", IMAGE_TAG="v2")


def test_a_dry_run_shows_what_would_differ(scripts: Scripts) -> None:
    scripts.deploy("--no-wait", IMAGE_TAG="v1")
    assert "# nothing differs from what is installed" in scripts.deploy("--dry-run")
    said = scripts.deploy("--dry-run", IMAGE_TAG="v2", NETWORK_POLICY="yes")
    plan = [line.removeprefix("# ").strip() for line in said.splitlines() if line[:2] == "# "]
    at = plan.index(f"would change daemonset/{APP}:")
    assert [line for line in plan[at:] if line[0] in "-+"] == [
        f"-        image: {APP}:v1",
        f"+        image: {APP}:v2",
    ]
    assert f"would create networkpolicy/{APP}" in plan
    # What stays as it is, is not in the way.
    assert not [line for line in plan if line.startswith("would change") and APP not in line]
    said = scripts.deploy("--dry-run", KIND="deployment")
    for what in (f"would create deployment/{APP}", f"would delete daemonset/{APP} once"):
        assert f"# {what}" in said


def test_what_was_changed_is_told_from_what_was_not(scripts: Scripts) -> None:
    said = scripts.deploy("--no-wait", IMAGE_TAG="v1")
    assert "unchanged" not in said and f"daemonset/{APP}" in line_of(said, "created secret")
    said = scripts.deploy("--no-wait", IMAGE_TAG="v2")
    assert line_of(said, "changed") == f"changed daemonset/{APP}"
    for what in (f"service/{SERVICE}", f"clusterrole/{APP}"):
        assert what in line_of(said, "unchanged:")
    scripts.plane.kubectl("--namespace", scripts.namespace, "delete", "service", SERVICE)
    said = scripts.deploy("--no-wait")
    assert line_of(said, "created") == f"created service/{SERVICE}"


def line_of(said: str, word: str) -> str:
    return next(line for line in said.splitlines() if line.startswith(word))


def test_a_network_policy_is_applied_kept_and_taken_away(scripts: Scripts) -> None:
    scripts.deploy("--no-wait", NETWORK_POLICY="yes")
    assert scripts.mine("networkpolicy", APP)["spec"]["podSelector"]["matchLabels"] == {"app": APP}
    said = scripts.deploy("--no-wait")
    assert "; as installed: NETWORK_POLICY=yes" in said
    assert f"networkpolicy/{APP}" in line_of(said, "unchanged:")
    assert f"deleted networkpolicy/{APP}" in scripts.undeploy()


def test_where_the_self_test_cannot_be_is_said_before_anything_is_changed(
    scripts: Scripts,
) -> None:
    with scripts.unchanged():
        line = scripts.fails(1, "deploy-webhook", SELF_TEST_NAMESPACE="nowhere")
    assert "namespace nowhere, where the self-test would create its Pod, does not exist" in line
    picky = scripts.plane.new_namespace()
    least = {"type": "Container", "min": {"cpu": "1"}}
    body: Object = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "large"}}
    file = scripts.directory / "large.yaml"
    file.write_text(yaml.safe_dump({**body, "spec": {"limits": [least]}}))
    scripts.plane.kubectl("create", "--namespace", picky, "-f", str(file))
    with scripts.unchanged():
        line = scripts.fails(1, "deploy-webhook", SELF_TEST_NAMESPACE=picky)
    assert f"the Pod of the self-test is refused in namespace {picky}: " in line
    assert "minimum cpu usage per Container is 1" in line and "nothing was changed" in line


# the CustomResourceDefinition


@pytest.fixture
def without_crd(cluster: ControlPlane) -> None:
    cluster.kubectl("delete", "crd", CRD, "--ignore-not-found")


@pytest.mark.usefixtures("without_crd")
def test_the_crd_is_created_where_there_is_none(scripts: Scripts) -> None:
    assert f"created the CustomResourceDefinition {CRD}" in scripts.deploy("--no-wait")
    assert scripts.exists("crd", CRD)
    assert f"left the CustomResourceDefinition {CRD} as it is" in scripts.deploy("--no-wait")


@pytest.mark.usefixtures("without_crd")
def test_the_crd_of_somebody_else_stays_as_it_is(scripts: Scripts, tmp_path: Path) -> None:
    theirs = (
        (DEPLOY / "crd.yaml").read_text().replace("checkpoints a running workload", "is theirs")
    )
    file = tmp_path / "theirs.yaml"
    file.write_text(theirs)
    scripts.plane.kubectl("create", "-f", str(file))
    with scripts.unchanged():
        scripts.deploy("--no-wait")
        scripts.undeploy()
    assert "is theirs" in str(scripts.get("crd", CRD))


# in place of the Go implementation


def former(scripts: Scripts, ca_bundle: str) -> list[Object]:
    """What its manifests make: names like ours, but another selector and another webhook."""
    labels = {"app": APP, "control-plane": "webhook-server"}
    metadata = {"namespace": scripts.namespace, "name": APP, "labels": labels}
    container = {"name": "webhook", "image": "go-webhook:v1.0"}
    service = {"name": SERVICE, "namespace": scripts.namespace, "path": "/mutate-v1-pod"}
    rule = {
        "operations": ["CREATE"],
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "resources": ["pods"],
    }
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**metadata, "name": SERVICE},
            "spec": {
                "selector": labels,
                "ports": [{"name": "webhook-server", "port": 443, "targetPort": 9443}],
            },
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": CONFIGURATION, "labels": {"app": APP}},
            "webhooks": [
                {
                    "name": "stateful-migration-pod-mutator.migration.dcnlab.com",
                    "clientConfig": {"service": service, "caBundle": ca_bundle},
                    "rules": [rule],
                    "admissionReviewVersions": ["v1", "v1beta1"],
                    "sideEffects": "None",
                    "failurePolicy": "Ignore",
                }
            ],
        },
    ]


@pytest.mark.usefixtures("answered")
def test_it_takes_the_place_of_the_go_implementation(scripts: Scripts, tmp_path: Path) -> None:
    scripts.create_namespace()
    chain, key = issue(tmp_path / "former")
    file = tmp_path / "former.yaml"
    file.write_text(yaml.safe_dump_all(former(scripts, base64.b64encode(chain).decode())))
    scripts.plane.kubectl("apply", "-f", str(file))

    scripts.deploy()
    # One webhook, and its pods still show the former certificate for a while.
    entry = webhook(scripts)
    assert entry["name"] == "pod-mutator.migration.dcnlab.com"
    assert chain.decode() in base64.b64decode(entry["clientConfig"]["caBundle"]).decode()
    # What the Service selects, ours have.
    selector = scripts.mine("service", SERVICE)["spec"]["selector"]
    labels = scripts.mine("daemonset", APP)["spec"]["template"]["metadata"]["labels"]
    assert selector.items() <= labels.items()
    poll("the former servers are gone", lambda: not scripts.exists("deployment", APP))
    with scripts.unchanged():
        scripts.deploy()
