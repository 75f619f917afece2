"""CheckpointBackups as people write them: what is refused is named, what is in use is taken."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from support.api import Api, ApiError, Object
from support.controlplane import ControlPlane

MINIMAL: Object = {
    "schedule": "0 * * * *",
    "podRef": {"name": "train-abcde"},
    "resourceRef": {"apiVersion": "batch/v1", "kind": "Job", "name": "train"},
}

FULL: Object = {
    "schedule": "immediately",
    "stopPod": True,
    "buildImage": False,
    "podRef": {"name": "train-abcde", "namespace": "default"},
    "resourceRef": {**MINIMAL["resourceRef"], "namespace": "default"},
    "registry": {
        "url": "https://registry.example.com/",
        "repository": "checkpoints",
        "secretRef": {"name": "registry", "namespace": "default"},
    },
    "containers": [{"name": "app", "image": "train:checkpoint-7"}],
}

STATUS: Object = {
    "phase": "Completed",
    "lastCheckpointTime": "2026-11-20T12:00:00Z",
    "message": "done",
    "observedGeneration": 3,
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Built",
            "message": "",
            "lastTransitionTime": "2026-11-20T12:00:00Z",
        }
    ],
    "builtImages": [
        {
            "containerName": "app",
            "imageName": "train:checkpoint-7",
            "buildTime": "2026-11-20T12:00:00Z",
            "pushed": True,
        },
        # As its writer leaves it out when it is false.
        {"containerName": "sidecar", "imageName": "sidecar:1", "buildTime": "2026-11-20T12:00:00Z"},
    ],
    "checkpointFiles": [
        {
            "containerName": "app",
            "filePath": "/var/lib/kubelet/checkpoints/x.tar",
            "checkpointTime": "2026-11-20T12:00:00Z",
        }
    ],
}


def backup(namespace: str, spec: Object) -> Object:
    return {
        "apiVersion": "migration.dcnlab.com/v1",
        "kind": "CheckpointBackup",
        "metadata": {"namespace": namespace, "name": "train"},
        "spec": copy.deepcopy(spec),
    }


def changed(spec: Object, path: str, value: Any) -> Object:
    """With another value at a path, or without it for None."""
    result = copy.deepcopy(spec)
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    target: Any = result
    for part in parents:
        target = target[part]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return result


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("schedule", None, "spec.schedule"),
        ("schedule", 5, "spec.schedule"),
        ("podRef", None, "spec.podRef"),
        ("podRef.name", None, "spec.podRef.name"),
        ("podRef.name", 7, "spec.podRef.name"),
        ("resourceRef", None, "spec.resourceRef"),
        ("resourceRef", "train", "spec.resourceRef"),
        ("resourceRef.apiVersion", None, "spec.resourceRef.apiVersion"),
        ("resourceRef.kind", None, "spec.resourceRef.kind"),
        ("resourceRef.name", None, "spec.resourceRef.name"),
        ("stopPod", "yes", "spec.stopPod"),
        ("registry.url", 5000, "spec.registry.url"),
        ("containers", "train:1", "spec.containers"),
        ("containers.0.name", None, "spec.containers[0].name"),
        ("containers.0.image", None, "spec.containers[0].image"),
        ("containers.0.image", ["train:1"], "spec.containers[0].image"),
    ],
)
def test_what_the_schema_refuses_is_named(
    api: Api, namespace: str, installed_crd: Object, path: str, value: Any, named: str
) -> None:
    with pytest.raises(ApiError) as error:
        api.create(backup(namespace, changed(FULL, path, value)))
    assert error.value.code == 422
    assert f"{named}: " in error.value.message


@pytest.mark.parametrize(
    "spec",
    [
        MINIMAL,
        FULL,
        {**MINIMAL, "containers": [], "registry": {}},
        changed(FULL, "resourceRef.apiVersion", "apps/v1"),
        # What other versions of its controller add must survive ours.
        {**MINIMAL, "retention": {"keep": 3}, "tags": ["a", "b"]},
        changed(FULL, "resourceRef.uid", "x"),
        changed(FULL, "podRef.labels", {"app": "train"}),
        changed(FULL, "containers.0.digest", "sha256:0"),
        changed(FULL, "registry.insecure", True),
    ],
)
def test_what_people_have_is_taken_and_kept(
    api: Api, namespace: str, installed_crd: Object, spec: Object
) -> None:
    body = backup(namespace, spec)
    assert api.create(body)["spec"] == spec
    status = {**STATUS, "addedLater": {"nested": [1]}}
    stored = api.merge(body, {"status": status}, "/status")
    assert (stored["spec"], stored["status"]) == (spec, status)


def test_a_status_is_the_controllers_alone(api: Api, namespace: str, installed_crd: Object) -> None:
    body = backup(namespace, MINIMAL)
    assert "status" not in api.create({**body, "status": STATUS})


def test_kubectl_shows_what_matters(
    control_plane: ControlPlane, api: Api, namespace: str, installed_crd: Object
) -> None:
    body = backup(namespace, FULL)
    api.create(body)
    api.merge(body, {"status": STATUS}, "/status")
    text = control_plane.kubectl("get", "checkpointbackups", "--namespace", namespace)
    header, line = text.splitlines()
    assert header.split() == "NAME KIND RESOURCE SCHEDULE PHASE LAST CHECKPOINT AGE".split()
    for word in ("Job", "train", "immediately", "Completed"):
        assert word in line.split()
