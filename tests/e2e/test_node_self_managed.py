"""Certificates that the servers make themselves, behind the DaemonSet on real nodes."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from support.api import Object
from support.deploy import APP, CA_SECRET, CERTS_SECRET, CONFIGURATION, NAMESPACE, Scripts
from support.node import Cluster, cluster
from support.node_images import TAGS, load_server
from support.node_load import steady
from support.poll import poll

LEASE = f"{APP}-certificates"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    directory = tmp_path_factory.mktemp("node")
    with cluster(directory) as result:
        load_server(result, directory)
        yield result


@pytest.fixture(scope="module")
def scripts(node: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripts]:
    """With an installation; what it said is in `said`."""
    result = Scripts(tmp_path_factory.mktemp("scripts"), node)
    result.namespace = NAMESPACE
    try:
        yield result
    finally:
        result.undeploy()


@pytest.fixture(scope="module")
def said(scripts: Scripts) -> str:
    return scripts.deploy(
        CERTIFICATES="self-managed", KIND="daemonset", IMAGE_TAG=TAGS[0], FAILURE_POLICY="Fail"
    )


def bundle(node: Cluster) -> str:
    (webhook,) = node.get("", "mutatingwebhookconfiguration", CONFIGURATION)["webhooks"]
    return base64.b64decode(webhook["clientConfig"]["caBundle"]).decode()


def secret(node: Cluster, name: str) -> Object:
    return node.get(NAMESPACE, "secret", name)


def test_the_servers_make_what_the_api_server_trusts(
    node: Cluster, scripts: Scripts, said: str
) -> None:
    assert "the webhook answers" in said
    assert bundle(node).count("BEGIN CERTIFICATE") == 2, "the CA in use and the next one"
    assert set(secret(node, CA_SECRET)["data"]) == {"ca.crt", "ca.key", "ca-next.crt", "ca-next.key"}
    pods = node.pods(NAMESPACE)
    holder = node.get(NAMESPACE, "lease", LEASE)["spec"]["holderIdentity"]
    assert any(holder.startswith(pod["metadata"]["name"]) for pod in pods), holder
    for pod in pods:
        assert all("secret" not in volume for volume in pod["spec"].get("volumes", []))
        code, text = node.ask(pod, 8081, "/readyz?verbose")
        assert code == 200 and "[+]certificate-rotation" in text, text


def test_deployed_again_it_changes_nothing(node: Cluster, scripts: Scripts, said: str) -> None:
    before = [secret(node, name) for name in (CA_SECRET, CERTS_SECRET)], bundle(node)
    with steady(node):
        again = scripts.deploy()
    assert "as installed:" in again and "CERTIFICATES=self-managed" in again
    assert ([secret(node, name) for name in (CA_SECRET, CERTS_SECRET)], bundle(node)) == before


def test_a_bundle_that_somebody_empties_is_mended(node: Cluster, said: str) -> None:
    before = bundle(node)
    patch = '[{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]'
    node.kubectl(
        "patch", "mutatingwebhookconfiguration", CONFIGURATION, "--type=json", "-p", patch
    )
    poll("caBundle is back", lambda: bundle_or_nothing(node) == before)


def bundle_or_nothing(node: Cluster) -> str:
    try:
        return bundle(node)
    except KeyError:
        return ""


@pytest.mark.in_full
def test_a_rotation_by_hand(node: Cluster, scripts: Scripts, said: str) -> None:
    """With the rights of a Pod, at the default --ca-publish-wait of a minute."""
    old = secret(node, CA_SECRET)["data"]
    pod = node.pods(NAMESPACE)[0]["metadata"]["name"]
    with steady(node):
        told = node.try_kubectl(
            "exec", "-n", NAMESPACE, pod, "--", APP, "certs", "rotate", "--wait", "170s"
        )
    assert "the new CA is in use" in told.stdout, told.stderr
    new = secret(node, CA_SECRET)["data"]
    assert not {new["ca.crt"], new["ca-next.crt"]} & {old["ca.crt"], old["ca-next.crt"]}
    assert base64.b64decode(old["ca.crt"]).decode() in bundle(node), "trusted for the overlap"


@pytest.mark.in_full
def test_changing_over_to_the_scripts_certificates_and_back(
    node: Cluster, scripts: Scripts, said: str
) -> None:
    rights = ("get", "clusterrole", f"{APP}-certificates", "--ignore-not-found", "-o", "name")
    with steady(node):
        scripts.deploy(CERTIFICATES="script")
        assert node.kubectl(*rights) == ""
        scripts.deploy(CERTIFICATES="self-managed")
    assert node.kubectl(*rights) != ""
