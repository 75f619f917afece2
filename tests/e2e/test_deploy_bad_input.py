"""What can be wrong before the scripts begin: one line says what to run next, nothing changes."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
import yaml

from support.api import Object
from support.certificates import issue
from support.deploy import (
    ALL,
    APP,
    CA_SECRET,
    CERTS_SECRET,
    Scripts,
)
from support.rbac import Account


def kubeconfig(scripts: Scripts, file: str, **changes: Object) -> None:
    """The cluster's with another cluster or user, for the scripts from now on."""
    config = yaml.safe_load(scripts.kubeconfig.read_text())
    config["clusters"][0]["cluster"] |= changes.get("cluster", {})
    config["users"][0]["user"] |= changes.get("user", {})
    scripts.kubeconfig = scripts.directory / file
    scripts.kubeconfig.write_text(yaml.safe_dump(config))


# what is missing on the machine


@pytest.mark.parametrize("script", ALL)
def test_without_kubectl(scripts: Scripts, script: str) -> None:
    os.remove(scripts.programs / "kubectl")
    line = scripts.fails(3, script)
    assert "kubectl is not in PATH: install it (https://kubernetes.io/docs/tasks/tools)" in line


@pytest.mark.parametrize("script", ["deploy-webhook", "generate-webhook-certs"])
def test_without_openssl(scripts: Scripts, script: str) -> None:
    os.remove(scripts.programs / "openssl")
    with scripts.unchanged():
        assert "openssl is not in PATH: install it" in scripts.fails(3, script)


@pytest.mark.parametrize("script", ALL)
def test_without_a_cluster(scripts: Scripts, script: str) -> None:
    kubeconfig(scripts, "nobody", cluster={"server": "https://127.0.0.1:1"})
    line = scripts.fails(3, script)
    assert "no cluster answers in context controlplane: " in line
    assert "127.0.0.1:1" in line and "kubectl config get-contexts" in line


@pytest.mark.parametrize("script", ALL)
def test_with_a_context_that_is_not_there(scripts: Scripts, script: str) -> None:
    line = scripts.fails(3, script, "--context", "production")
    assert "no cluster answers in context production" in line
    assert "kubectl config get-contexts" in line


def test_a_dry_run_for_a_context_that_is_not_there_prints_nothing(scripts: Scripts) -> None:
    line = scripts.fails(3, "deploy-webhook", "--dry-run", "--context", "production")
    assert "no cluster answers in context production" in line


@pytest.mark.parametrize("script", ALL)
def test_the_context_is_said_first(scripts: Scripts, script: str) -> None:
    first = scripts.must(script, "--dry-run").splitlines()[0]
    assert first.lstrip("# ").startswith("context controlplane, ")
    assert scripts.namespace in first


# what one may not do


@pytest.mark.parametrize("script", ALL)
def test_with_a_token_that_nobody_knows(scripts: Scripts, script: str) -> None:
    kubeconfig(scripts, "stranger", user={"token": "unknown"})
    line = scripts.fails(3, script)
    assert "Unauthorized" in line


@pytest.mark.parametrize(
    ("script", "missing"),
    [
        ("deploy-webhook", "create mutatingwebhookconfigurations.admissionregistration.k8s.io"),
        ("undeploy-webhook", "delete clusterroles.rbac.authorization.k8s.io in the cluster"),
    ],
)
def test_without_rights(scripts: Scripts, script: str, missing: str) -> None:
    account = Account(scripts.plane, scripts.plane.new_namespace())
    scripts.kubeconfig = account.write_kubeconfig(scripts.directory / "nobody")
    with scripts.unchanged():
        line = scripts.fails(1, script)
    assert "your account in context controlplane lacks rights: " in line
    assert missing in line


def test_without_the_right_to_read_secrets(scripts: Scripts) -> None:
    namespace = scripts.plane.new_namespace()
    rules = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]
    account = Account(scripts.plane, namespace).grant(rules)
    scripts.kubeconfig = account.write_kubeconfig(scripts.directory / "nobody")
    line = scripts.fails(1, "generate-webhook-certs", NAMESPACE=namespace)
    assert "looking at what is there: " in line and f"kubectl --namespace {namespace} get" in line
    assert 'cannot get resource "secrets"' in line


def test_rights_that_one_does_not_have_cannot_be_given(scripts: Scripts) -> None:
    """Everything but what the server may: the role is refused before anything is made."""
    everything = {"apiGroups": [""], "resources": ["*"], "verbs": ["*"]}
    groups = [
        "apps", "apiextensions.k8s.io", "rbac.authorization.k8s.io",
        "admissionregistration.k8s.io", "policy",
    ]  # fmt: skip
    rules = [everything] + [
        {
            "apiGroups": [group],
            "resources": ["*"],
            "verbs": ["get", "list", "watch", "create", "patch", "delete"],
        }
        for group in groups
    ]
    account = Account(scripts.plane, scripts.plane.new_namespace()).grant(rules)
    scripts.kubeconfig = account.write_kubeconfig(scripts.directory / "some")
    with scripts.unchanged():
        line = scripts.fails(1, "deploy-webhook")
    assert "attempting to grant RBAC permissions not currently held" in line
    assert "nothing was changed" in line


# what is there already


@pytest.mark.parametrize("script", ["deploy-webhook", "generate-webhook-certs"])
def test_a_namespace_that_is_being_deleted(scripts: Scripts, script: str) -> None:
    scripts.create_namespace()
    held: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "namespace": scripts.namespace, "name": "held", "finalizers": ["example.com/hold"]
        },
    }  # fmt: skip
    scripts.plane.api.create(held)
    scripts.plane.kubectl("delete", "namespace", scripts.namespace, "--wait=false")
    try:
        line = scripts.fails(1, script)
    finally:
        scripts.plane.api.merge(held, {"metadata": {"finalizers": None}})
    assert f"namespace {scripts.namespace} is being deleted: wait until it is gone" in line
    assert f"kubectl get namespace {scripts.namespace} -o yaml" in line
    assert not scripts.plane.kubectl("get", "clusterrole", APP, "--ignore-not-found")


def test_an_installation_elsewhere(scripts: Scripts) -> None:
    scripts.deploy("--no-wait")
    with scripts.unchanged():
        line = scripts.fails(1, "deploy-webhook", NAMESPACE="another")
    assert f"the cluster has an installation in namespace {scripts.namespace}" in line
    assert f"NAMESPACE={scripts.namespace}" in line and "scripts/undeploy-webhook.sh" in line
    with scripts.unchanged():
        line = scripts.fails(1, "deploy-webhook", SERVICE_NAME="another")
    assert "with Service stateful-migration-webhook-service: " in line


def test_an_object_of_somebody_else_that_has_one_of_our_names(scripts: Scripts) -> None:
    scripts.create_namespace()
    scripts.plane.kubectl(
        "--namespace", scripts.namespace, "create", "service", "clusterip", "api", "--tcp=80"
    )
    with scripts.unchanged():
        for flags in ((), ("--dry-run",)):
            line = scripts.fails(1, "deploy-webhook", *flags, SERVICE_NAME="api")
            assert f": service/api is there without label app={APP}, so it is somebody" in line
            assert f"kubectl --namespace {scripts.namespace} label service/api app={APP}" in line


def put_ca(scripts: Scripts, chain: bytes, key: bytes) -> None:
    data = {"ca.crt": chain, "ca.key": key}
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": scripts.namespace, "name": CA_SECRET},
        "data": {name: base64.b64encode(content).decode() for name, content in data.items()},
    }
    scripts.plane.api.create(body)


@pytest.mark.parametrize("script", ["deploy-webhook", "generate-webhook-certs"])
def test_an_expired_ca(scripts: Scripts, tmp_path: Path, script: str) -> None:
    scripts.create_namespace()
    put_ca(scripts, *issue(tmp_path / "expired", days=-1))
    with scripts.unchanged():
        line = scripts.fails(1, script)
    assert f"the CA in Secret {CA_SECRET} of namespace {scripts.namespace} has expired" in line
    # The command is good as it stands there, with all that it needs.
    command = "scripts/generate-webhook-certs.sh --renew-ca"
    assert line.endswith(f": NAMESPACE={scripts.namespace} {command}")
    scripts.generate("--renew-ca")
    assert "nothing to do" in scripts.generate()


def test_a_ca_that_will_expire_is_told_in_time(scripts: Scripts, tmp_path: Path) -> None:
    scripts.create_namespace()
    put_ca(scripts, *issue(tmp_path / "soon", days=20))
    said = scripts.generate()
    command = f"NAMESPACE={scripts.namespace} scripts/generate-webhook-certs.sh --renew-ca"
    assert f"the CA expires within 30 days: {command}" in said


def test_a_ca_whose_key_is_not_its_own(scripts: Scripts, tmp_path: Path) -> None:
    scripts.create_namespace()
    put_ca(scripts, issue(tmp_path / "one")[0], issue(tmp_path / "other")[1])
    with scripts.unchanged():
        line = scripts.fails(1, "generate-webhook-certs")
    assert "has a key that does not belong to it" in line and line.endswith("--renew-ca")


def test_a_certificate_without_its_ca(scripts: Scripts) -> None:
    """Nobody would trust it, so the old configuration must not be touched."""
    scripts.deploy("--no-wait")
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": scripts.namespace, "name": CERTS_SECRET},
    }
    scripts.plane.api.merge(body, {"data": {"ca.crt": None}})
    scripts.deploy("--no-wait")
    assert scripts.mine("secret", CERTS_SECRET)["data"]["ca.crt"]


def test_generating_for_a_namespace_that_is_not_there(scripts: Scripts) -> None:
    line = scripts.fails(1, "generate-webhook-certs")
    command = f"NAMESPACE={scripts.namespace} scripts/deploy-webhook.sh"
    assert f"namespace {scripts.namespace} does not exist: {command}" in line


def test_cert_manager_that_is_not_installed(scripts: Scripts) -> None:
    with scripts.unchanged():
        line = scripts.fails(1, "deploy-webhook", CERTIFICATES="cert-manager")
    assert "the cluster has no cert-manager: install it" in line
    assert "CERTIFICATES=script" in line
