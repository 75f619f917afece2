"""scripts/deploy-webhook.sh with CERTIFICATES=self-managed. The test has the part of the servers: what
they write, is in test_rotation_*.py, and all of it together in test_node_self_managed.py."""

from __future__ import annotations

import pytest
import yaml
from test_deploy_script import CHANGE, RIGHTS, right

from support.api import Object
from support.controlplane import ControlPlane
from support.deploy import APP, CA_SECRET, CERTS_SECRET, CONFIGURATION, Scripts, manifests
from support.rbac import Account

NAME = f"{APP}-certificates"
SERVERS = f"--field-manager={NAME}"
PUBLISHED = "bWFkZSBieSBzZXJ2ZXJz"


def configuration(scripts: Scripts) -> Object:
    (webhook,) = scripts.get("mutatingwebhookconfiguration", CONFIGURATION)["webhooks"]
    found: Object = webhook["clientConfig"]
    return found


def bundle_file(scripts: Scripts, bundle: str) -> str:
    body = (
        "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\n"
        f"metadata: {{name: {CONFIGURATION}}}\n"
        "webhooks: [{name: pod-mutator.migration.dcnlab.com,"
        f" clientConfig: {{caBundle: {bundle}}}}}]\n"
    )
    file = scripts.directory / "bundle.yaml"
    file.write_text(body)
    return str(file)


PUBLISH = ("apply", "--server-side", "--force-conflicts", SERVERS, "-f")


def write_bundle(scripts: Scripts, bundle: str) -> None:
    """As the servers do, by server-side apply."""
    scripts.plane.kubectl(*PUBLISH, bundle_file(scripts, bundle))


def owners(scripts: Scripts, field: str = "caBundle") -> set[str]:
    flags = ("mutatingwebhookconfiguration", CONFIGURATION, "--show-managed-fields")
    return {
        entry["manager"]
        for entry in scripts.get(*flags)["metadata"]["managedFields"]
        if f"'f:{field}'" in str(entry["fieldsV1"])
    }


def deploy(scripts: Scripts, **settings: str) -> str:
    return scripts.deploy("--no-wait", **settings)


def rights(cluster: ControlPlane, scripts: Scripts) -> list[str]:
    kinds = "role,rolebinding,clusterrole,clusterrolebinding"
    found = cluster.kubectl("get", kinds, "-n", scripts.namespace, "-l", f"app={APP}", "-o", "name")
    return [line for line in found.splitlines() if line.endswith(NAME)]


def prepare_kubectl(scripts: Scripts, before: str) -> None:
    """Has kubectl do something before each thing that the scripts ask of it."""
    kubectl = scripts.programs / "kubectl"
    kubectl.unlink()
    run = f'exec {scripts.plane.kubectl_path} "$@"'
    kubectl.write_text(f"#!{scripts.programs}/bash\n{before}\n{run}\n")
    kubectl.chmod(0o755)


def account(scripts: Scripts, rules: list[Object]) -> None:
    made = Account(scripts.plane, scripts.plane.new_namespace()).grant(rules)
    scripts.kubeconfig = made.write_kubeconfig(scripts.directory / "account")


ROLES = ("roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io")
# One gives no rights that one does not have; here to objects of any name.
GIVEN = [
    {key: value for key, value in rule.items() if key != "resourceNames"}
    for body in manifests("rbac-certificates.yaml")
    for rule in body.get("rules", [])
]


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
    write_bundle(scripts, PUBLISHED)
    said = deploy(scripts)
    assert "as installed: CERTIFICATES=self-managed" in said
    assert "changed" not in said.replace("unchanged", "")
    assert configuration(scripts)["caBundle"] == PUBLISHED


def test_changing_over_keeps_what_is_trusted_until_the_servers_have_taken_over(
    scripts: Scripts,
) -> None:
    deploy(scripts)
    before = configuration(scripts)["caBundle"]
    deploy(scripts, CERTIFICATES="self-managed")
    assert configuration(scripts)["caBundle"] == before
    write_bundle(scripts, PUBLISHED)
    deploy(scripts)
    assert configuration(scripts)["caBundle"] == PUBLISHED


def test_interrupted_before_the_servers_write_what_is_trusted_stays(scripts: Scripts) -> None:
    deploy(scripts)
    before = configuration(scripts)["caBundle"]
    for _ in range(2):
        deploy(scripts, CERTIFICATES="self-managed")
        assert configuration(scripts)["caBundle"] == before
        assert owners(scripts) == {NAME}


def test_interrupted_before_the_configuration_what_is_trusted_stays(scripts: Scripts) -> None:
    """The servers are self-managed already, the configuration is as it was before."""
    deploy(scripts)
    before = configuration(scripts)["caBundle"]
    prepare_kubectl(scripts, f'[[ "$*" != *"--field-manager {NAME} "* ]] || exit 1')
    scripts.run("deploy-webhook", "--no-wait", CERTIFICATES="self-managed")
    assert owners(scripts) == {APP}
    prepare_kubectl(scripts, "")
    assert "as installed: CERTIFICATES=self-managed" in deploy(scripts)
    assert (configuration(scripts)["caBundle"], owners(scripts)) == (before, {NAME})


def test_what_was_applied_without_server_side_is_trusted_all_the_time(scripts: Scripts) -> None:
    deploy(scripts)
    before = configuration(scripts)["caBundle"]
    (webhook,) = (body for body in scripts.rendered() if "webhooks" in body)
    webhook["webhooks"][0]["clientConfig"]["caBundle"] = before
    scripts.plane.kubectl("delete", "mutatingwebhookconfiguration", CONFIGURATION)
    file = scripts.directory / "webhook.yaml"
    file.write_text(yaml.safe_dump(webhook))
    scripts.plane.kubectl("apply", "-f", str(file))
    deploy(scripts, CERTIFICATES="self-managed")
    assert (configuration(scripts)["caBundle"], owners(scripts)) == (before, {NAME})
    # The servers write nothing but the caBundle: of all else that is theirs they would let go.
    assert owners(scripts, "rules") == {APP}


@pytest.mark.parametrize(
    "words", [f"apply --server-side --field-manager {NAME} ", f"--field-manager {APP} -o "]
)
def test_what_servers_write_while_it_runs_stays(scripts: Scripts, words: str) -> None:
    """Between its look and its write, be it the last one of a caBundle or one without."""
    deploy(scripts)
    publish = " ".join((str(scripts.plane.kubectl_path), *PUBLISH, bundle_file(scripts, PUBLISHED)))
    first = f'[[ "$*" != *"{words}"* ]] || {publish} >/dev/null </dev/null'
    prepare_kubectl(scripts, first)
    deploy(scripts, CERTIFICATES="self-managed")
    assert (configuration(scripts)["caBundle"], owners(scripts)) == (PUBLISHED, {NAME})


def test_the_newest_of_both_kinds_says_who_makes_certificates(scripts: Scripts) -> None:
    deploy(scripts, CERTIFICATES="self-managed")
    said = deploy(scripts, KIND="deployment", CERTIFICATES="script")
    assert f"left role/{NAME}, rolebinding/{NAME}, clusterrole/{NAME}, clusterrolebinding" in said
    assert "scripts/deploy-webhook.sh, without --no-wait, deletes them" in said
    assert "self-managed" not in scripts.deploy("--dry-run").splitlines()[0]


def test_the_rights_that_are_asked_for_are_enough_to_change_over(scripts: Scripts) -> None:
    leases = right("leases.coordination.k8s.io", "get", "list", "watch", "delete")
    roles = [right(resource, *CHANGE) for resource in ROLES]
    account(scripts, [*RIGHTS, *roles, leases, *GIVEN])
    deploy(scripts)
    deploy(scripts, CERTIFICATES="self-managed")
    assert len(rights(scripts.plane, scripts)) == 4
    scripts.undeploy()
    assert rights(scripts.plane, scripts) == []


def test_without_self_managed_certificates_nobody_needs_rights_on_roles(scripts: Scripts) -> None:
    account(scripts, RIGHTS)
    deploy(scripts)
    assert f"deleted daemonset/{APP}" in scripts.undeploy()


def test_who_cannot_take_spare_rights_away_is_told_before_anything_is_done(
    scripts: Scripts,
) -> None:
    deploy(scripts, CERTIFICATES="self-managed")
    roles = [right(resource, "get", "create", "patch") for resource in ROLES]
    account(scripts, [*RIGHTS, *roles, *GIVEN])
    with scripts.unchanged():
        line = scripts.fails(1, "deploy-webhook", CERTIFICATES="script")
        assert "lacks rights: delete roles.rbac" in line
        line = scripts.fails(1, "undeploy-webhook")
        assert "delete roles.rbac.authorization.k8s.io" in line


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
    cluster.kubectl("create", "clusterrole", NAME, "--verb=get", "--resource=pods")
    try:
        line = scripts.fails(1, "deploy-webhook", "--no-wait", CERTIFICATES="self-managed")
    finally:
        cluster.kubectl("delete", "clusterrole", NAME)
    assert f"clusterrole/{NAME} is there without label app={APP}" in line


def test_undeploy_takes_rights_and_lease_away(cluster: ControlPlane, scripts: Scripts) -> None:
    deploy(scripts, CERTIFICATES="self-managed")
    lease: Object = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
    lease["metadata"] = {"namespace": scripts.namespace, "name": NAME, "labels": {"app": APP}}
    path = f"/apis/coordination.k8s.io/v1/namespaces/{scripts.namespace}/leases"
    cluster.api.request("POST", path, lease)
    assert f"deleted lease/{NAME}" in scripts.undeploy()
    assert rights(cluster, scripts) == []
