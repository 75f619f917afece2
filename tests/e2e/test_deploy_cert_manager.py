"""scripts/deploy-webhook.sh with CERTIFICATES=cert-manager. The test has the part of cert-manager:
its kinds, with the fields that its documentation names, and what it does about a Certificate."""

from __future__ import annotations

import base64
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.api import Object
from support.certificates import issue
from support.controlplane import ControlPlane
from support.deploy import (
    APP,
    CERTS_SECRET,
    CONFIGURATION,
    DEPLOY,
    NAMESPACE,
    Scripts,
    documents,
    manifests,
)
from support.poll import poll

ISSUED_BY = {"cert-manager.io/certificate-name": APP}


def text_fields(*names: str) -> Object:
    return {name: {"type": "string"} for name in names}


def fields(required: list[str], **properties: Any) -> Object:
    return {"type": "object", "required": required, "properties": properties}


STRINGS = {"type": "array", "items": {"type": "string"}}

SPECS = {
    "Issuer": fields(
        [], selfSigned=fields([]), ca=fields(["secretName"], **text_fields("secretName"))
    ),
    "Certificate": fields(
        ["issuerRef", "secretName"],
        **text_fields("secretName", "commonName", "duration", "renewBefore"),
        isCA={"type": "boolean"},
        dnsNames=STRINGS,
        usages=STRINGS,
        secretTemplate=fields(
            [], labels={"type": "object", "additionalProperties": {"type": "string"}}
        ),
        privateKey=fields(
            [], **text_fields("algorithm", "rotationPolicy"), size={"type": "integer"}
        ),
        issuerRef=fields(["name"], **text_fields("group", "kind", "name")),
    ),
}


def kind_of_cert_manager(kind: str) -> Object:
    plural = f"{kind.lower()}s"
    status = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = fields(["spec"], spec=SPECS[kind], status=status)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.cert-manager.io"},
        "spec": {
            "group": "cert-manager.io",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


@pytest.fixture(scope="module")
def cluster(cluster: ControlPlane) -> ControlPlane:
    file = cluster.directory / "kinds.yaml"
    file.write_text(yaml.safe_dump_all(kind_of_cert_manager(kind) for kind in SPECS))
    cluster.kubectl("apply", "-f", str(file))
    cluster.kubectl("wait", "--for", "condition=Established", "--timeout=60s", "-f", str(file))
    return cluster


def certificate(scripts: Scripts, status: Object | None = None) -> Object | None:
    path = f"/apis/cert-manager.io/v1/namespaces/{scripts.namespace}/certificates"
    items = scripts.plane.api.request("GET", path).object["items"]
    found = [body for body in items if body["metadata"]["name"] == APP]
    if found and status:
        content_type = "application/merge-patch+json"
        body = {"status": status}
        scripts.plane.api.request("PATCH", f"{path}/{APP}/status", body, content_type=content_type)
    return found[0] if found else None


def issue_when_asked(scripts: Scripts, chain: bytes, key: bytes) -> threading.Thread:
    """Waits for our Certificate, stores what it asks for, and says that it is ready."""
    data = {"tls.crt": chain, "tls.key": key, "ca.crt": chain}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {
            "namespace": scripts.namespace,
            "name": CERTS_SECRET,
            "labels": {"app": APP},
            "annotations": ISSUED_BY,
        },
        "data": {name: base64.b64encode(content).decode() for name, content in data.items()},
    }

    def run() -> None:
        poll("our Certificate", lambda: certificate(scripts))
        scripts.plane.api.create(secret)
        condition = {"type": "Ready", "status": "True", "reason": "Ready", "message": "issued"}
        certificate(scripts, {"conditions": [condition]})

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_the_file_can_be_applied_alone(cluster: ControlPlane) -> None:
    cluster.kubectl("create", "namespace", NAMESPACE)
    path = str(DEPLOY / "cert-manager.yaml")
    cluster.kubectl("apply", "--validate=strict", "-f", path)
    (found,) = documents(cluster.kubectl("get", "-f", path, "-o", "yaml"))
    assert [body["spec"] for body in found["items"]] == [
        body["spec"] for body in manifests("cert-manager.yaml")
    ]
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def test_it_waits_for_the_certificate_and_trusts_its_ca(scripts: Scripts, tmp_path: Path) -> None:
    chain, key = issue(tmp_path / "issued")
    issuing = issue_when_asked(scripts, chain, key)
    scripts.deploy("--no-wait", CERTIFICATES="cert-manager")
    issuing.join()
    configuration = scripts.get("mutatingwebhookconfiguration", CONFIGURATION)
    # Trusted from the first moment on; and cert-manager keeps it up to date.
    (entry,) = configuration["webhooks"]
    assert base64.b64decode(entry["clientConfig"]["caBundle"]) == chain
    assert configuration["metadata"]["annotations"] == {
        "cert-manager.io/inject-ca-from": f"{scripts.namespace}/{APP}"
    }
    with scripts.unchanged():
        assert "; as installed: CERTIFICATES=cert-manager" in scripts.deploy("--no-wait")
    # It is the one or the other.
    line = scripts.fails(1, "deploy-webhook", CERTIFICATES="script")
    assert "belongs to cert-manager" in line and "scripts/undeploy-webhook.sh" in line
    scripts.undeploy()
    assert not scripts.plane.kubectl("get", "namespace", scripts.namespace, "--ignore-not-found")


def test_a_certificate_that_is_not_issued_is_said(scripts: Scripts) -> None:
    settings = {"CERTIFICATES": "cert-manager", "ROLLOUT_TIMEOUT": "1s"}
    line = scripts.fails(1, "deploy-webhook", **settings)
    assert "waiting for cert-manager: " in line
    assert f"kubectl --namespace {scripts.namespace} describe certificates" in line
    assert not scripts.plane.kubectl(
        "get", "mutatingwebhookconfiguration", CONFIGURATION, "--ignore-not-found"
    )


def test_the_certificate_of_the_script_is_not_overwritten(scripts: Scripts) -> None:
    scripts.deploy("--no-wait")
    with scripts.unchanged():
        line = scripts.fails(1, "deploy-webhook", CERTIFICATES="cert-manager")
    assert (
        f"Secret {CERTS_SECRET} of namespace {scripts.namespace} is not from cert-manager" in line
    )
