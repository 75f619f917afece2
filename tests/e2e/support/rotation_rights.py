"""What self-managed certificates need beside deploy/rbac.yaml, and nothing without them: two
Secrets, the caBundle of our own configuration, a Lease for the one replica that writes, Events."""

from __future__ import annotations

from .api import Object
from .deploy import APP, CA_SECRET, CERTS_SECRET, CONFIGURATION, NAMESPACE

NAME = f"{APP}-certificates"
LEASE = NAME
GROUP = "rbac.authorization.k8s.io"
VERSION = f"{GROUP}/v1"

MAY_WATCH_SECRETS: Object = {
    "apiGroups": [""],
    "resources": ["secrets"],
    "resourceNames": [CA_SECRET, CERTS_SECRET],
    "verbs": ["get", "list", "watch", "update", "patch"],
}
MAY_CREATE_SECRETS: Object = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]}
MAY_LEAD: list[Object] = [
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "resourceNames": [LEASE],
        "verbs": ["get", "update"],
    },
]
MAY_TELL: Object = {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]}
MAY_PUBLISH: Object = {
    "apiGroups": ["admissionregistration.k8s.io"],
    "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
    "resourceNames": [CONFIGURATION],
    "verbs": ["get", "list", "watch", "patch"],
}

IN_NAMESPACE: list[Object] = [MAY_CREATE_SECRETS, MAY_WATCH_SECRETS, *MAY_LEAD, MAY_TELL]
IN_CLUSTER: list[Object] = [MAY_PUBLISH]


def bound(account: str, in_namespace: list[Object], in_cluster: list[Object]) -> list[Object]:
    """A role in the namespace and one in the cluster, and their bindings to that account."""
    name = f"{account}-certificates"
    subject = {"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}
    result: list[Object] = []
    for kind, rules in (("Role", in_namespace), ("ClusterRole", in_cluster)):
        metadata = (
            {"name": name} if kind == "ClusterRole" else {"name": name, "namespace": NAMESPACE}
        )
        reference = {"apiGroup": GROUP, "kind": kind, "name": name}
        result += [
            {"apiVersion": VERSION, "kind": kind, "metadata": metadata, "rules": rules},
            {
                "apiVersion": VERSION,
                "kind": f"{kind}Binding",
                "metadata": metadata,
                "roleRef": reference,
                "subjects": [subject],
            },
        ]
    return result
