"""scripts/undeploy-webhook.sh: nothing of ours is left, everything of others is as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support import crd
from support.api import Object
from support.controlplane import ControlPlane
from support.deploy import (
    APP,
    CA_SECRET,
    CERTS_SECRET,
    CONFIGURATION,
    CRD,
    DEPLOY,
    SERVICE,
    Scripts,
)
from support.objects import backup

HOLD = "e2e.example.com/hold"

CONFIG = ("mutatingwebhookconfiguration", CONFIGURATION)

# Everyone can set it.
OUR_LABEL = {"app": APP}


@pytest.fixture(scope="module")
def cluster(cluster: ControlPlane) -> ControlPlane:
    crd.install(cluster)
    return cluster


def object_(kind: str, namespace: str, name: str) -> Object:
    version = "admissionregistration.k8s.io/v1" if kind.startswith("Mutating") else "v1"
    metadata = {"namespace": namespace, "name": name} if namespace else {"name": name}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


@contextmanager
def held(scripts: Scripts, body: Object) -> Iterator[None]:
    """Somebody's finalizer on it: deleted, it stays until the block ends."""
    api = scripts.plane.api
    api.merge(body, {"metadata": {"finalizers": [HOLD]}})
    try:
        yield
    finally:
        api.merge(body, {"metadata": {"finalizers": None}})


@pytest.mark.parametrize(
    "kind", [pytest.param("daemonset", marks=pytest.mark.in_full), "deployment"]
)
def test_nothing_of_ours_is_left_and_all_else_is_untouched(scripts: Scripts, kind: str) -> None:
    api = scripts.plane.api
    others = scripts.plane.new_namespace()
    api.create(backup(others, "nightly", ("CronJob", "nightly"), {"app": "app:1"}))
    api.create(object_("ConfigMap", others, APP))
    with scripts.unchanged():
        scripts.deploy("--no-wait", KIND=kind)
        scripts.plane.kubectl("--namespace", scripts.namespace, "get", kind, APP)
        said = scripts.undeploy()
    assert f"deleted namespace {scripts.namespace}" in said


def test_what_was_applied_by_hand_is_taken_away_too(scripts: Scripts, tmp_path: Path) -> None:
    """And the namespace stays, for only deploy-webhook.sh says that it made it."""
    for file in ("rbac", "service", "deployment", "daemonset", "webhook", "networkpolicy"):
        scripts.plane.kubectl("apply", "-f", str(DEPLOY / f"{file}.yaml"))
    namespace = scripts.namespace = "stateful-migration"
    said = scripts.undeploy()
    assert f"left alone: namespace {namespace}, which deploy-webhook.sh did not make" in said
    assert ours(scripts) == []
    scripts.plane.kubectl("delete", "namespace", namespace, "--wait=false")


def ours(scripts: Scripts) -> list[Object]:
    """In no namespace, or in that of this test."""
    return [
        body
        for (_, namespace, _), body in scripts.written().items()
        if namespace in ("", scripts.namespace)
        and body["metadata"].get("labels", {}).get("app") == APP
    ]


def test_a_second_run_says_that_there_is_nothing(scripts: Scripts) -> None:
    scripts.deploy("--no-wait")
    assert "nothing to undeploy" not in scripts.undeploy()
    with scripts.unchanged():
        assert "nothing to undeploy" in scripts.undeploy()


def test_a_dry_run_deletes_nothing(scripts: Scripts) -> None:
    scripts.deploy("--no-wait")
    with scripts.unchanged():
        said = scripts.undeploy("--dry-run")
    for what in (f"mutatingwebhookconfiguration/{CONFIGURATION}", f"daemonset/{APP}", "namespace"):
        assert f"would delete {what}" in said


def test_the_configuration_goes_before_anything_else(scripts: Scripts) -> None:
    """It cannot be deleted here, so nothing is: nobody may call servers that are gone."""
    scripts.deploy("--no-wait")
    with held(scripts, object_("MutatingWebhookConfiguration", "", CONFIGURATION)):
        line = scripts.fails(1, "undeploy-webhook", TIMEOUT="1s")
        assert f"deleting mutatingwebhookconfiguration/{CONFIGURATION}" in line
        for kind, name in (("daemonset", APP), ("service", SERVICE), ("clusterrole", APP)):
            assert scripts.exists(kind, name), kind
    # Run again it goes on from there.
    scripts.undeploy()
    assert ours(scripts) == []


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param([CONFIG], marks=pytest.mark.in_full),
        [CONFIG, ("daemonset", APP), ("service", SERVICE)],
        pytest.param([("daemonset", APP), ("clusterrolebinding", APP)], marks=pytest.mark.in_full),
        pytest.param(
            [("secret", CERTS_SECRET), ("secret", CA_SECRET), ("serviceaccount", APP)],
            marks=pytest.mark.in_full,
        ),
    ],
    ids=["one step", "three steps", "in between", "the last ones"],
)
def test_half_done_it_is_finished(scripts: Scripts, gone: list[tuple[str, str]]) -> None:
    scripts.deploy("--no-wait")
    for kind, name in gone:
        scripts.plane.kubectl("--namespace", scripts.namespace, "delete", kind, name, "--wait")
    scripts.undeploy()
    assert ours(scripts) == []
    assert not scripts.exists("namespace", scripts.namespace)


# what is never deleted


def test_backups_keep_their_namespace(scripts: Scripts) -> None:
    scripts.deploy("--no-wait")
    body = backup(scripts.namespace, "nightly", ("CronJob", "nightly"), {"app": "app:1"})
    body["metadata"]["labels"] = OUR_LABEL
    stored = scripts.plane.api.create(body)
    said = scripts.undeploy()
    holds = f"left alone: namespace {scripts.namespace}, which holds checkpointbackup"
    assert holds in said
    kept = scripts.mine("checkpointbackup", "nightly")["metadata"]
    for key in ("uid", "resourceVersion"):
        assert kept[key] == stored["metadata"][key]
    assert scripts.exists("crd", CRD)


def test_a_namespace_that_was_there_before_stays(scripts: Scripts) -> None:
    scripts.create_namespace()
    with scripts.unchanged():
        scripts.deploy("--no-wait")
        assert "which deploy-webhook.sh did not make" in scripts.undeploy()


def test_a_namespace_in_which_others_settled_stays(scripts: Scripts) -> None:
    """With our label and without; nor are the Pods of others waited for."""
    scripts.deploy("--no-wait")
    created = scripts.plane.api.create(object_("ConfigMap", scripts.namespace, "theirs"))
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "theirs", "controller": True}
    pod = object_("Pod", scripts.namespace, "labelled")
    # With a controller of its own, so that our DaemonSet does not adopt it.
    pod["metadata"]["ownerReferences"] = [{**owner, "uid": created["metadata"]["uid"]}]
    pod["metadata"]["labels"] = OUR_LABEL
    pod["spec"] = {"containers": [{"name": "app", "image": "app:1"}]}
    scripts.plane.api.create(pod)
    for said in (scripts.undeploy("--dry-run"), scripts.undeploy(TIMEOUT="30s")):
        assert "which holds configmap/theirs, pod/labelled\n" in said
    for kind, name in (("configmap", "theirs"), ("pod", "labelled")):
        assert scripts.exists(kind, name)


def test_what_has_our_name_but_not_our_label_stays(scripts: Scripts) -> None:
    scripts.create_namespace()
    theirs = object_("Secret", scripts.namespace, CERTS_SECRET)
    scripts.plane.api.create(theirs)
    said = scripts.undeploy()
    assert f"left alone: secret {CERTS_SECRET}, which has no label app={APP}" in said
    assert scripts.exists("secret", CERTS_SECRET)


def test_a_configuration_of_others_does_not_lose_its_servers(scripts: Scripts) -> None:
    scripts.create_namespace()
    kubectl, namespace = scripts.plane.kubectl, ("--namespace", scripts.namespace)
    kubectl(*namespace, "create", "service", "clusterip", SERVICE, "--tcp=443")
    kubectl(*namespace, "label", "service", SERVICE, f"app={APP}", "--overwrite")
    configuration = object_("MutatingWebhookConfiguration", "", CONFIGURATION)
    called = {"namespace": scripts.namespace, "name": SERVICE}
    entry = {
        "name": "theirs.example.com",
        "clientConfig": {"service": called},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    }
    scripts.plane.api.create({**configuration, "webhooks": [entry]})
    with scripts.unchanged():
        line = scripts.fails(1, "undeploy-webhook", "--context", "controlplane")
    command = f"kubectl --context controlplane delete mutatingwebhookconfiguration {CONFIGURATION}"
    assert f"{command}, then undeploy-webhook.sh again" in line
    kubectl("delete", *CONFIG)


def test_an_installation_elsewhere_is_not_taken_for_ours(scripts: Scripts, tmp_path: Path) -> None:
    scripts.deploy("--no-wait")
    with scripts.unchanged():
        line = scripts.fails(1, "undeploy-webhook", NAMESPACE="another")
    assert f": NAMESPACE={scripts.namespace} scripts/undeploy-webhook.sh takes it away" in line


def test_in_a_namespace_that_is_being_deleted_the_rest_is_taken_away(scripts: Scripts) -> None:
    scripts.deploy("--no-wait")
    namespace = scripts.namespace
    scripts.plane.api.create(object_("ConfigMap", namespace, "stays"))
    with held(scripts, object_("ConfigMap", namespace, "stays")):
        scripts.plane.kubectl("delete", "namespace", namespace, "--wait=false")
        said = scripts.undeploy()
        assert f"left alone: namespace {namespace}, which is being deleted already" in said
        for kind, name in (("clusterrole", APP), ("mutatingwebhookconfiguration", CONFIGURATION)):
            assert not scripts.exists(kind, name)
