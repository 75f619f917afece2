"""scripts/deploy-webhook.sh with CERTIFICATES=self-managed. The test has the part of the servers: what
they write, is in test_rotation_*.py, and all of it together in test_node_self_managed.py."""

from __future__ import annotations

from support.api import Object
from support.controlplane import ControlPlane
from support.deploy import APP, CA_SECRET, CERTS_SECRET, CONFIGURATION, Scripts

RIGHTS = f"{APP}-certificates"
SERVERS = f"--field-manager={RIGHTS}"


def configuration(scripts: Scripts) -> Object:
    (webhook,) = scripts.get("mutatingwebhookconfiguration", CONFIGURATION)["webhooks"]
    found: Object = webhook["clientConfig"]
    return found


def write_bundle(scripts: Scripts, bundle: str) -> None:
    """As the servers do, by server-side apply."""
    body = (
        "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\n"
        f"metadata: {{name: {CONFIGURATION}}}\n"
        "webhooks: [{name: pod-mutator.migration.dcnlab.com,"
        f" clientConfig: {{caBundle: {bundle}}}}}]\n"
    )
    file = scripts.directory / "bundle.yaml"
    file.write_text(body)
    scripts.plane.kubectl(
        "apply", "--server-side", "--force-conflicts", SERVERS, "-f", str(file)
    )


def deploy(scripts: Scripts, **settings: str) -> str:
    return scripts.deploy("--no-wait", **settings)


def rights(cluster: ControlPlane, scripts: Scripts) -> list[str]:
    kinds = "role,rolebinding,clusterrole,clusterrolebinding"
    found = cluster.kubectl("get", kinds, "-n", scripts.namespace, "-l", f"app={APP}", "-o", "name")
    return [line for line in found.splitlines() if line.endswith(RIGHTS)]


def test_it_gives_rights_and_makes_no_certificate(
    cluster: ControlPlane, scripts: Scripts
) -> None:
    deploy(scripts, CERTIFICATES="self-managed")
    assert len(rights(cluster, scripts)) == 4
    assert "caBundle" not in configuration(scripts)
    secrets = cluster.kubectl("get", "secrets", "-n", scripts.namespace, "-o", "name")
    assert secrets == ""


def test_deployed_again_it_leaves_to_the_servers_what_is_theirs(scripts: Scripts) -> None:
    deploy(scripts, CERTIFICATES="self-managed")
    write_bundle(scripts, "bWFkZSBieSBzZXJ2ZXJz")
    said = deploy(scripts)
    assert "as installed: CERTIFICATES=self-managed" in said
    assert "changed" not in said.replace("unchanged", "")
    assert configuration(scripts)["caBundle"] == "bWFkZSBieSBzZXJ2ZXJz"


def test_changing_over_keeps_what_is_trusted_until_the_servers_have_taken_over(
    scripts: Scripts,
) -> None:
    deploy(scripts)
    before = configuration(scripts)["caBundle"]
    deploy(scripts, CERTIFICATES="self-managed")
    assert configuration(scripts)["caBundle"] == before
    write_bundle(scripts, "bWFkZSBieSBzZXJ2ZXJz")
    deploy(scripts)
    assert configuration(scripts)["caBundle"] == "bWFkZSBieSBzZXJ2ZXJz"


def test_changing_back_the_scripts_certificate_is_good(scripts: Scripts) -> None:
    deploy(scripts, CERTIFICATES="self-managed")
    deploy(scripts, CERTIFICATES="script")
    assert configuration(scripts)["caBundle"]
    assert set(scripts.mine("secret", CERTS_SECRET)["data"]) == {"tls.crt", "tls.key", "ca.crt"}
    assert "ca.key" in scripts.mine("secret", CA_SECRET)["data"]


def test_a_certificate_of_cert_manager_is_left_to_it(scripts: Scripts) -> None:
    scripts.create_namespace()
    scripts.plane.api.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "namespace": scripts.namespace,
                "name": CERTS_SECRET,
                "annotations": {"cert-manager.io/certificate-name": APP},
            },
        }
    )
    line = scripts.fails(1, "deploy-webhook", "--no-wait", CERTIFICATES="self-managed")
    assert f"Secret {CERTS_SECRET} of namespace {scripts.namespace} is from cert-manager" in line
    assert "scripts/undeploy-webhook.sh" in line


def test_rights_of_somebody_else_are_not_taken_over(
    cluster: ControlPlane, scripts: Scripts
) -> None:
    cluster.kubectl("create", "clusterrole", RIGHTS, "--verb=get", "--resource=pods")
    try:
        line = scripts.fails(1, "deploy-webhook", "--no-wait", CERTIFICATES="self-managed")
    finally:
        cluster.kubectl("delete", "clusterrole", RIGHTS)
    assert f"clusterrole/{RIGHTS} is there without label app={APP}" in line


def test_undeploy_takes_rights_and_lease_away(cluster: ControlPlane, scripts: Scripts) -> None:
    deploy(scripts, CERTIFICATES="self-managed")
    lease: Object = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
    lease["metadata"] = {"namespace": scripts.namespace, "name": RIGHTS, "labels": {"app": APP}}
    path = f"/apis/coordination.k8s.io/v1/namespaces/{scripts.namespace}/leases"
    cluster.api.request("POST", path, lease)
    assert f"deleted lease/{RIGHTS}" in scripts.undeploy()
    assert rights(cluster, scripts) == []
