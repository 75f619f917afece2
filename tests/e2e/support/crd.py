"""Our CustomResourceDefinition in a cluster, and taking it away."""

from __future__ import annotations

from .api import ApiError, Object
from .controlplane import ControlPlane
from .poll import poll
from .settings import REPOSITORY

FILE = REPOSITORY / "deploy/crd.yaml"
NAME = "checkpointbackups.migration.dcnlab.com"

KIND = ("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, NAME)
BACKUPS = ("migration.dcnlab.com/v1", "CheckpointBackup")


def find(control_plane: ControlPlane) -> Object | None:
    try:
        return control_plane.api.get(*KIND)
    except ApiError as error:
        if error.code != 404:
            raise
        return None


def is_served(control_plane: ControlPlane) -> bool:
    try:
        control_plane.api.list(*BACKUPS, None, limit="1")
    except ApiError:
        return False
    return True


def install(control_plane: ControlPlane) -> Object:
    """Applies it; returns it as the API server has it once it serves the resource."""
    control_plane.kubectl("apply", "--validate=strict", "-f", str(FILE))

    def established() -> Object | None:
        found = find(control_plane) or {}
        conditions = found.get("status", {}).get("conditions") or []
        true = {entry["type"] for entry in conditions if entry["status"] == "True"}
        return found if "Established" in true else None

    result = poll("the CRD is established", established)
    poll("CheckpointBackups are served", lambda: is_served(control_plane))
    return result


def remove(control_plane: ControlPlane) -> None:
    """Deletes it with all its objects; returns when nothing of it is served."""
    found = find(control_plane)
    if found:
        kind = {"apiVersion": KIND[0], "kind": KIND[1]}
        control_plane.api.delete({**kind, "metadata": found["metadata"]})
    poll("the CRD is gone", lambda: find(control_plane) is None)
    poll("CheckpointBackups are not served", lambda: not is_served(control_plane))
