"""What scripts/deploy-webhook.sh makes of the manifests: its settings go through everything."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from support.api import Object
from support.controlplane import ControlPlane
from support.deploy import (
    ALL,
    APP,
    CONFIGURATION,
    NAMESPACE,
    SERVICE,
    Scripts,
    manifests,
    of_kind,
    strings,
)

KINDS = {"daemonset": "daemonset.yaml", "deployment": "deployment.yaml"}


def default_objects(kind: str, certificates: str = "script") -> list[Object]:
    files = ["rbac.yaml", "service.yaml", KINDS[kind]]
    if certificates == "cert-manager":
        files.append("cert-manager.yaml")
    return [body for file in (*files, "webhook.yaml", "crd.yaml") for body in manifests(file)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_defaults_are_those_of_the_manifests(offline: Scripts, kind: str) -> None:
    rendered = offline.rendered(NAMESPACE=NAMESPACE, KIND=kind)
    assert rendered == default_objects(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_self_managed_certificates_need_rights_and_no_volume(offline: Scripts, kind: str) -> None:
    rendered = offline.rendered(NAMESPACE=NAMESPACE, KIND=kind, CERTIFICATES="self-managed")
    wanted = default_objects(kind) + manifests("rbac-certificates.yaml")
    for body in wanted:
        if body["kind"].lower() == kind:
            pod = body["spec"]["template"]["spec"]
            (server,) = pod["containers"]
            del pod["volumes"], server["volumeMounts"]
            server["args"] = [
                "--certificates=self-managed" if text == "--certificates=files" else text
                for text in server["args"]
                if not text.startswith("--cert-dir=")
            ]
    assert sorted(map(repr, rendered)) == sorted(map(repr, wanted))


def test_the_network_policy_is_for_the_namespace_that_is_meant(offline: Scripts) -> None:
    rendered = offline.rendered(NETWORK_POLICY="yes", NAMESPACE="batch-restore")
    (wanted,) = manifests("networkpolicy.yaml")
    wanted["metadata"]["namespace"] = "batch-restore"
    assert of_kind(rendered, "NetworkPolicy") == wanted


def standing_alone(word: str, objects: list[Object]) -> list[str]:
    """Texts that have the word by itself, not as a part of another name."""
    pattern = re.compile(rf"(?<![a-z0-9-]){re.escape(word)}(?![a-z0-9-])")
    return [text for text in strings(objects) if pattern.search(text)]


def replaced(value: object, words: dict[str, str]) -> object:
    if isinstance(value, dict):
        return {key: replaced(part, words) for key, part in value.items()}
    if isinstance(value, list):
        return [replaced(part, words) for part in value]
    if isinstance(value, str):
        alternatives = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
        pattern = rf"(?<![a-z0-9-])({alternatives})(?![a-z0-9-])"
        return re.sub(pattern, lambda match: words[match[1]], value)
    return value


@pytest.mark.parametrize(
    ("kind", "certificates"), list(itertools.product(KINDS, ["script", "cert-manager"]))
)
def test_a_custom_namespace_is_carried_through_everything(
    offline: Scripts, kind: str, certificates: str
) -> None:
    names = {"NAMESPACE": "batch-restore", "SERVICE_NAME": "pod-mutator"}
    rendered = offline.rendered(**names, KIND=kind, CERTIFICATES=certificates)
    assert standing_alone(NAMESPACE, rendered) == []
    assert standing_alone(SERVICE, rendered) == []
    configuration = of_kind(rendered, "MutatingWebhookConfiguration")
    annotations = configuration["metadata"].pop("annotations", {})
    if certificates == "cert-manager":
        assert annotations == {"cert-manager.io/inject-ca-from": f"batch-restore/{APP}"}
    # And nothing else is.
    words = {NAMESPACE: "batch-restore", SERVICE: "pod-mutator"}
    assert rendered == replaced(default_objects(kind, certificates), words)
    # Those by which others find it keep their names.
    assert configuration["metadata"]["name"] == CONFIGURATION
    (entry,) = configuration["webhooks"]
    selectors = entry["namespaceSelector"]["matchExpressions"]
    assert all("batch-restore" in selector["values"] for selector in selectors)
    (subject,) = of_kind(rendered, "ClusterRoleBinding")["subjects"]
    assert subject["namespace"] == "batch-restore"


@pytest.mark.parametrize(
    ("namespace", "service"),
    [
        # What YAML would take for a number, a truth or nothing.
        ("123", "true"),
        ("1e3", "null"),
        ("0x1f", "no"),
        # What is a name of ours already.
        (SERVICE, NAMESPACE),
        (NAMESPACE, APP),
        (APP, SERVICE),
        ("stateful-migration-2", "stateful-migration-webhook-service-2"),
        ("a" * 63, "b" * 63),
    ],
)
def test_any_name_that_kubernetes_takes_is_carried_through(
    offline: Scripts, namespace: str, service: str
) -> None:
    rendered = offline.rendered(
        NAMESPACE=namespace, SERVICE_NAME=service, CERTIFICATES="cert-manager"
    )
    configuration = of_kind(rendered, "MutatingWebhookConfiguration")
    del configuration["metadata"]["annotations"]
    words = {NAMESPACE: namespace, SERVICE: service}
    assert rendered == replaced(default_objects("daemonset", "cert-manager"), words)


@pytest.mark.parametrize(
    ("image", "tag", "expected"),
    [
        ("registry.example.com:5000/team/webhook", "v1.2_3", ":v1.2_3"),
        ("webhook", "2", ":2"),
        ("123", "456", ":456"),
        ("webhook", f"sha256:{'a' * 64}", f"@sha256:{'a' * 64}"),
    ],
)
def test_the_image_is_carried_through(
    offline: Scripts, image: str, tag: str, expected: str
) -> None:
    for kind, name in (("daemonset", "DaemonSet"), ("deployment", "Deployment")):
        rendered = offline.rendered(IMAGE=image, IMAGE_TAG=tag, KIND=kind)
        (server,) = of_kind(rendered, name)["spec"]["template"]["spec"]["containers"]
        assert server["image"] == image + expected
        # A loaded image works.
        assert server["imagePullPolicy"] == "IfNotPresent"


def webhook(objects: list[Object]) -> Object:
    (entry,) = of_kind(objects, "MutatingWebhookConfiguration")["webhooks"]
    return dict(entry)


def test_the_failure_policy_is_carried_through(offline: Scripts) -> None:
    assert webhook(offline.rendered())["failurePolicy"] == "Ignore"
    assert webhook(offline.rendered(FAILURE_POLICY="Fail"))["failurePolicy"] == "Fail"


# Says of itself that it is older, and is the real one for the rest.
OLDER = """#!/usr/bin/env bash
case "$*" in
*"--raw /version"*) printf '{"major": "1", "minor": "%s"}\\n' "$MINOR" ;;
*) exec "${0%/*}/real/kubectl" "$@" ;;
esac
"""


@pytest.mark.parametrize(("minor", "has_them"), [("25+", False), ("29", False), ("30", True)])
def test_match_conditions_are_for_api_servers_that_have_them(
    cluster: ControlPlane, tmp_path: Path, minor: str, has_them: bool
) -> None:
    scripts = Scripts(tmp_path, cluster)
    kubectl = scripts.programs / "kubectl"
    (scripts.programs / "real").mkdir()
    kubectl.rename(scripts.programs / "real/kubectl")
    kubectl.write_text(OLDER)
    kubectl.chmod(0o755)
    assert ("matchConditions" in webhook(scripts.rendered(MINOR=minor))) is has_them


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"NAMESPACE": "Batch"}, "NAMESPACE='Batch' must be a namespace's name"),
        ({"NAMESPACE": "a\nkind: x"}, "must be a namespace's name"),
        ({"NAMESPACE": "a" * 64}, "must be a namespace's name"),
        ({"SERVICE_NAME": "1st"}, "SERVICE_NAME='1st' must be a Service's name"),
        ({"IMAGE": "webhook:v1@x"}, "IMAGE='webhook:v1@x' must be an image"),
        ({"IMAGE": "registry:5000/webhook:v1"}, "must be an image without tag"),
        ({"IMAGE_TAG": "v 1"}, "IMAGE_TAG='v 1' must be a tag"),
        ({"KIND": "pod"}, "KIND='pod' must be daemonset or deployment"),
        ({"FAILURE_POLICY": "fail"}, "FAILURE_POLICY='fail' must be Ignore or Fail"),
        ({"CERTIFICATES": "none"}, "CERTIFICATES='none' must be script, cert-manager or self-man"),
        ({"NETWORK_POLICY": "true"}, "NETWORK_POLICY='true' must be yes or no"),
        ({"ROLLOUT_TIMEOUT": "soon"}, "ROLLOUT_TIMEOUT='soon' must be a duration"),
        ({"SELF_TEST_NAMESPACE": "kube-system"}, "must be a namespace whose Pods"),
        ({"NAMESPACE": "default"}, "SELF_TEST_NAMESPACE='default' must be a namespace whose Pods"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_it_may_be(
    offline: Scripts, settings: dict[str, str], complaint: str
) -> None:
    done = offline.run("deploy-webhook", "--dry-run", **settings)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert done.stderr.rstrip().endswith("see deploy-webhook.sh --help")


def test_all_wrong_settings_are_told_at_once(offline: Scripts) -> None:
    done = offline.run("deploy-webhook", KIND="x", FAILURE_POLICY="y", CERTIFICATES="z")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 3


@pytest.mark.parametrize("script", ALL)
def test_help_names_flags_settings_and_exit_status(offline: Scripts, script: str) -> None:
    text = offline.must(script, "--help")
    for word in ("usage:", "--dry-run", "--context NAME", "NAMESPACE", "exit status: 0 done"):
        assert word in text
    assert "unknown argument --nonsense" in offline.fails(2, script, "--nonsense")
    assert "--context needs a name" in offline.fails(2, script, "--context")
