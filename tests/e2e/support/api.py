"""A Kubernetes API client of the few calls that the tests make.

kubectl would do, but a process for each call is slow, and it hides the Warning headers.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import yaml

from .poll import poll

Object = dict[str, Any]

# Who we are in the managedFields of what we write.
MANAGER = "e2e"

PLURALS = {
    "CheckpointBackup": "checkpointbackups",
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "ConfigMap": "configmaps",
    "CronJob": "cronjobs",
    "CustomResourceDefinition": "customresourcedefinitions",
    "Deployment": "deployments",
    "Job": "jobs",
    "MutatingWebhookConfiguration": "mutatingwebhookconfigurations",
    "Namespace": "namespaces",
    "Pod": "pods",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "Secret": "secrets",
    "ServiceAccount": "serviceaccounts",
}


class ApiError(Exception):
    """An answer that is not 2xx; `status` is its Status object."""

    def __init__(self, code: int, status: Object) -> None:
        super().__init__(f"{code}: {status.get('message')}")
        self.code = code
        self.status = status

    @property
    def message(self) -> str:
        return str(self.status.get("message", ""))


@dataclass
class Reply:
    """An object as the API server answered it, and the warnings that came along."""

    object: Object
    warnings: list[str] = field(default_factory=list)


def path_of(api_version: str, kind: str, namespace: str | None, name: str | None = None) -> str:
    group = "/api/" if "/" not in api_version else "/apis/"
    path = group + api_version
    if namespace:
        path += f"/namespaces/{namespace}"
    path += f"/{PLURALS[kind]}"
    return f"{path}/{name}" if name else path


def warning_texts(headers: list[str]) -> list[str]:
    """The texts of `Warning: 299 - "text"` headers."""
    quoted = [re.search(r'^299 \S+ "((?:[^"\\]|\\.)*)"', header) for header in headers]
    return [re.sub(r"\\(.)", r"\1", match.group(1)) for match in quoted if match]


class Api:
    """One connection for each thread that calls, kept open.

    Speaks for the kubeconfig's user, or for the bearer of `token`.
    """

    def __init__(self, kubeconfig: Path, token: str | None = None) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        self._server = urlsplit(cluster["server"])
        self._tls = ssl.create_default_context(cafile=cluster["certificate-authority"])
        self._token = token or config["users"][0]["user"]["token"]
        self._connections = threading.local()

    @property
    def port(self) -> int:
        return self._server.port or 443

    def _connection(self) -> http.client.HTTPSConnection:
        connection = getattr(self._connections, "connection", None)
        if connection is None:
            connection = http.client.HTTPSConnection(
                self._server.hostname or "", self._server.port, context=self._tls, timeout=60
            )
            self._connections.connection = connection
        return connection

    def request(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Reply:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": content_type,
            "User-Agent": MANAGER,
        }
        target = f"{path}?{urlencode(query)}" if query else path
        data = json.dumps(body) if body else None

        def ask() -> tuple[http.client.HTTPResponse, bytes] | None:
            # 429: it has just started ("storage is (re)initializing") or has too much to do.
            answered = self._exchange(method, target, data, headers)
            return None if answered[0].status == 429 else answered

        response, text = poll(f"an answer to {method} {path}", ask)
        if response.getheader("Content-Type", "").startswith("text/plain"):
            # A path that nobody serves is answered without a Status.
            raise ApiError(response.status, {"message": text.decode()})
        answer = json.loads(text)
        if response.status >= 300:
            raise ApiError(response.status, answer)
        return Reply(answer, warning_texts(response.headers.get_all("Warning") or []))

    def _exchange(
        self, method: str, target: str, data: str | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = self._connection()
        # The other end of a kept connection may have gone since: then once more on a new one.
        kept = connection.sock is not None
        try:
            connection.request(method, target, data, headers)
            response = connection.getresponse()
            return response, response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if kept and not isinstance(error, TimeoutError):
                return self._exchange(method, target, data, headers)
            raise

    def post(self, body: Object, **query: str) -> Reply:
        """Creates an object; its fields are checked strictly, so that a typo in a test shows."""
        namespace = body["metadata"].get("namespace")
        path = path_of(body["apiVersion"], body["kind"], namespace)
        return self.request("POST", path, body, {"fieldValidation": "Strict", **query})

    def create(self, body: Object) -> Object:
        return self.post(body).object

    def dry_run(self, body: Object) -> Reply:
        return self.post(body, dryRun="All")

    def get(self, api_version: str, kind: str, namespace: str | None, name: str) -> Object:
        return self.request("GET", path_of(api_version, kind, namespace, name)).object

    def list(
        self, api_version: str, kind: str, namespace: str | None, **query: str
    ) -> list[Object]:
        """All of a namespace, or of all; the most recent state, never a cached one."""
        path = path_of(api_version, kind, namespace)
        return list(self.request("GET", path, query=query).object["items"])

    def merge(self, body: Object, patch: Object, subresource: str = "") -> Object:
        """Applies a merge patch to the object that `body` names."""
        metadata = body["metadata"]
        path = path_of(
            body["apiVersion"], body["kind"], metadata.get("namespace"), metadata["name"]
        )
        content_type = "application/merge-patch+json"
        return self.request("PATCH", path + subresource, patch, content_type=content_type).object

    def delete(self, body: Object) -> None:
        metadata = body["metadata"]
        path = path_of(
            body["apiVersion"], body["kind"], metadata.get("namespace"), metadata["name"]
        )
        self.request("DELETE", path, query={"propagationPolicy": "Background"})
