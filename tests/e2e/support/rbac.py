"""Who the server is to the API server: a ServiceAccount with no rights but deploy/rbac.yaml's."""

from __future__ import annotations

from pathlib import Path

import yaml

from .api import Api, Object
from .controlplane import ControlPlane
from .poll import poll
from .settings import REPOSITORY

GROUP = "rbac.authorization.k8s.io"


def granted() -> list[Object]:
    documents = yaml.safe_load_all((REPOSITORY / "deploy/rbac.yaml").read_text())
    (role,) = (document for document in documents if document["kind"] == "ClusterRole")
    rules: list[Object] = role["rules"]
    return rules


# All that the server may do.
RULES = granted()
BACKUPS, JOBS = RULES


def attributes(rules: list[Object], namespace: str | None) -> list[Object]:
    """Each thing that the rules allow, in the words of an access review."""
    return [
        {"group": group, "resource": resource, "verb": verb, "namespace": namespace or ""}
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


class Account:
    """A ServiceAccount with a role of its own, in all namespaces or in some."""

    def __init__(self, control_plane: ControlPlane, namespace: str, name: str = "server") -> None:
        self.control_plane = control_plane
        self.namespace = namespace
        self.name = name
        self._api = control_plane.api
        metadata = {"namespace": namespace, "name": name}
        self._api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})

    # rights

    def grant(self, rules: list[Object], namespaces: tuple[str, ...] = ()) -> Account:
        """Binds a new role with these rules, in these namespaces or, without any, everywhere."""
        scopes: tuple[str | None, ...] = namespaces or (None,)
        for scope in scopes:
            kind, metadata = self._role(scope)
            role = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata}
            self._api.create({**role, "rules": rules})
            subject = {"kind": "ServiceAccount", "namespace": self.namespace, "name": self.name}
            self._api.create(
                {
                    "apiVersion": f"{GROUP}/v1",
                    "kind": f"{kind}Binding",
                    "metadata": metadata,
                    "roleRef": {"apiGroup": GROUP, "kind": kind, "name": metadata["name"]},
                    "subjects": [subject],
                }
            )
            self._until_allowed(rules, scope, allowed=True)
        return self

    def change(self, rules: list[Object], before: list[Object]) -> None:
        """Gives the role that is granted everywhere these rules instead of those."""
        kind, metadata = self._role(None)
        role = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata}
        self._api.merge(role, {"rules": rules})
        self._until_allowed(rules, None, allowed=True)
        taken = [rule for rule in before if rule not in rules]
        self._until_allowed(taken, None, allowed=False)

    def _role(self, namespace: str | None) -> tuple[str, Object]:
        name = f"{self.namespace}-{self.name}"
        if namespace:
            return "Role", {"namespace": namespace, "name": name}
        return "ClusterRole", {"name": name}

    def _until_allowed(self, rules: list[Object], namespace: str | None, allowed: bool) -> None:
        # The API server's authorizer learns of roles by a watch, so a moment after they are stored.
        asking = self.api(self.token())
        for wanted in attributes(rules, namespace):
            review = {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": wanted},
            }
            path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
            poll(
                f"{wanted} allowed is {allowed}",
                lambda review=review: (  # type: ignore[misc]
                    asking.request("POST", path, review).object["status"]["allowed"] is allowed
                ),
            )

    # credentials

    def token(self, bound_to: Object | None = None) -> str:
        """A new token for ten minutes, the least there is; it dies with what it is bound to."""
        spec: Object = {"expirationSeconds": 600}
        if bound_to:
            spec["boundObjectRef"] = {
                "apiVersion": bound_to["apiVersion"],
                "kind": bound_to["kind"],
                "name": bound_to["metadata"]["name"],
                "uid": bound_to["metadata"]["uid"],
            }
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{self.name}/token"
        return str(self._api.request("POST", path, body).object["status"]["token"])

    def api(self, token: str) -> Api:
        """A client of the test's that speaks for the account."""
        return Api(self.control_plane.directory / "kubeconfig", token)

    def write_kubeconfig(self, file: Path, user: Object | None = None) -> Path:
        """With a new token, or with this `user`."""
        config = yaml.safe_load((self.control_plane.directory / "kubeconfig").read_text())
        config["users"][0]["user"] = user or {"token": self.token()}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(config))
        return file
