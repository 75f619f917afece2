"""The rights of deploy/rbac-certificates.yaml: all of them, and parts."""

from __future__ import annotations

from .api import Object
from .deploy import APP, NAMESPACE, manifests, of_kind

NAME = LEASE = f"{APP}-certificates"
GROUP = "rbac.authorization.k8s.io"
VERSION = f"{GROUP}/v1"

GRANTED = manifests("rbac-certificates.yaml")
IN_NAMESPACE: list[Object] = of_kind(GRANTED, "Role")["rules"]
IN_CLUSTER: list[Object] = of_kind(GRANTED, "ClusterRole")["rules"]


def rule(resource: str, verb: str) -> Object:
    """The one that gives it."""
    (found,) = (
        entry
        for entry in IN_NAMESPACE + IN_CLUSTER
        if resource in entry["resources"] and verb in entry["verbs"]
    )
    return found


MAY_WATCH_SECRETS = rule("secrets", "watch")
MAY_LEAD = [rule("leases", verb) for verb in ("create", "update")]
MAY_PUBLISH = rule("mutatingwebhookconfigurations", "patch")


def bound(account: str, in_namespace: list[Object], in_cluster: list[Object]) -> list[Object]:
    """A role in the namespace and one in the cluster, and their bindings to that account."""
    name = f"{account}-certificates"
    subject = {"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}
    result: list[Object] = []
    for kind, rules in (("Role", in_namespace), ("ClusterRole", in_cluster)):
        metadata = {"name": name}
        if kind == "Role":
            metadata["namespace"] = NAMESPACE
        result += [
            {"apiVersion": VERSION, "kind": kind, "metadata": metadata, "rules": rules},
            {
                "apiVersion": VERSION,
                "kind": f"{kind}Binding",
                "metadata": metadata,
                "roleRef": {"apiGroup": GROUP, "kind": kind, "name": name},
                "subjects": [subject],
            },
        ]
    return result
