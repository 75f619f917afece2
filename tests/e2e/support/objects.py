"""The Kubernetes objects that the tests create."""

from __future__ import annotations

import base64
from typing import Any

from .api import Object

SKIP_RESTORE = "migration.dcnlab.com/skip-restore"
SELF_TEST = "migration.dcnlab.com/self-test"
WEBHOOK_NAME = "pod-mutator.migration.dcnlab.com"


def container(name: str, image: str, **fields: Any) -> Object:
    return {"name": name, "image": image, **fields}


def pod_spec(*containers: Object, init: list[Object] | None = None) -> Object:
    spec: Object = {"restartPolicy": "Never", "containers": list(containers)}
    if init:
        spec["initContainers"] = init
    return spec


def job(
    namespace: str,
    name: str,
    spec: Object,
    annotations: dict[str, str] | None = None,
    **job_spec: Any,
) -> Object:
    """A Job; `annotations` are its pods'."""
    template = {"metadata": {"annotations": annotations or {}}, "spec": spec}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"backoffLimit": 0, "template": template, **job_spec},
    }


def cron_job(namespace: str, name: str, spec: Object, **cron_job_spec: Any) -> Object:
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "schedule": "* * * * *",
            "jobTemplate": {"spec": {"backoffLimit": 0, "template": {"spec": spec}}},
            **cron_job_spec,
        },
    }


def pod(
    namespace: str, name: str, spec: Object, annotations: dict[str, str] | None = None
) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "annotations": annotations or {}},
        "spec": spec,
    }


def job_pod(
    namespace: str,
    name: str,
    job_name: str,
    spec: Object,
    annotations: dict[str, str] | None = None,
) -> Object:
    """A pod as the Job controller would make it, of a Job that need not exist."""
    result = pod(namespace, name, spec, annotations)
    result["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "name": job_name,
            "uid": "5d6a5b1e-8d8c-4a0e-9a55-2f3d6d0f5a11",
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]
    return result


def pod_of_job(job_object: Object, spec: Object) -> Object:
    """A pod as the Job controller would make it, of a Job that is stored."""
    metadata = job_object["metadata"]
    result = job_pod(metadata["namespace"], f"{metadata['name']}-x7k2p", metadata["name"], spec)
    result["metadata"]["ownerReferences"][0]["uid"] = metadata["uid"]
    return result


def run_by_hand(cron_job_object: Object, name: str) -> Object:
    """What `kubectl create job NAME --from=cronjob/…` sends."""
    metadata = cron_job_object["metadata"]
    owner = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "namespace": metadata["namespace"],
            "name": name,
            "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
            "ownerReferences": [owner],
        },
        "spec": cron_job_object["spec"]["jobTemplate"]["spec"],
    }


def deployment(namespace: str, name: str, spec: Object) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {**spec, "restartPolicy": "Always"},
            },
        },
    }


def backup(
    namespace: str,
    name: str,
    resource: tuple[str, str],
    images: dict[str, str] | None = None,
    built_images: list[Object] | None = None,
    registry: str | None = None,
) -> Object:
    """A CheckpointBackup of the Job or CronJob `resource` (kind, name)."""
    kind, resource_name = resource
    result: Object = {
        "apiVersion": "migration.dcnlab.com/v1",
        "kind": "CheckpointBackup",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "schedule": "*/5 * * * *",
            "podRef": {"name": f"{resource_name}-abcde"},
            "resourceRef": {"apiVersion": "batch/v1", "kind": kind, "name": resource_name},
            "containers": [{"name": key, "image": value} for key, value in (images or {}).items()],
        },
    }
    if registry:
        result["spec"]["registry"] = {"url": registry}
    if built_images:
        result["status"] = {"builtImages": built_images}
    return result


def webhook_configuration(
    namespace: str,
    name: str,
    port: int,
    ca: str,
    path: str = "/mutate-v1-pod",
    webhook_name: str = WEBHOOK_NAME,
    **fields: Any,
) -> Object:
    """One webhook for the pods created in `namespace`, as deploy/ has it but for the URL."""
    client_config = {
        "url": f"https://127.0.0.1:{port}{path}",
        "caBundle": base64.b64encode(ca.encode()).decode(),
    }
    webhook = {
        "name": webhook_name,
        "clientConfig": client_config,
        "rules": [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "operations": ["CREATE"],
                "resources": ["pods"],
                "scope": "Namespaced",
            }
        ],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        # Not the Ignore of deploy/: a test must see a failed call.
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "reinvocationPolicy": "IfNeeded",
        "matchPolicy": "Equivalent",
        "timeoutSeconds": 5,
        "admissionReviewVersions": ["v1", "v1beta1"],
        **fields,
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": f"{namespace}-{name}"},
        "webhooks": [webhook],
    }


def images(pod_object: Object) -> dict[str, str]:
    """Image by container name, init containers included: names are unique over both."""
    spec = pod_object["spec"]
    containers = spec["containers"] + spec.get("initContainers", [])
    return {entry["name"]: entry["image"] for entry in containers}
