"""AdmissionReviews: recorded ones, and one that a test shapes."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path

from .api import Object
from .objects import backup, container, job_pod, pod_spec
from .settings import REPOSITORY

RECORDED = sorted((REPOSITORY / "tests/data").glob("reviews-1.*/*.json"))
ORIGINAL = "registry.example/train:1"
CHECKPOINT = "registry.example/train:checkpoint-7"


def train_backup() -> Object:
    """The backup that restores review()."""
    return backup("team-a", "train-backup", ("Job", "train"), {"app": CHECKPOINT})


def review(uid: str = "4a1c6f0e-0001", job: str | None = "train", **request: object) -> Object:
    """A review of a pod of that Job, or of a bare pod; a field of the request that is None goes."""
    pod = job_pod("team-a", "train-x7k2p", job or "", pod_spec(container("app", ORIGINAL)))
    if job is None:
        del pod["metadata"]["ownerReferences"]
    fields: Object = {
        "uid": uid,
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "namespace": "team-a",
        "operation": "CREATE",
        "object": pod,
        "oldObject": None,
        "dryRun": False,
        **request,
    }
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {key: value for key, value in fields.items() if value is not None},
    }


def encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def patch_of(response: Object) -> list[Object]:
    """The JSON patch of a response; none when nothing changes."""
    if "patch" not in response:
        assert "patchType" not in response
        return []
    assert response["patchType"] == "JSONPatch"
    result = json.loads(base64.b64decode(response["patch"], validate=True))
    assert isinstance(result, list) and result
    return result


def apply_patch(document: Object, patch: list[Object]) -> Object:
    """RFC 6902 for what the contract allows: replace what is there, add what is not."""
    result = copy.deepcopy(document)
    for op in patch:
        *parents, last = [
            part.replace("~1", "/").replace("~0", "~") for part in op["path"].split("/")[1:]
        ]
        place: object = result
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place[part]  # type: ignore
        assert isinstance(place, dict), op
        assert (op["op"] == "replace") == isinstance(place.get(last), str), op
        assert op["op"] in ("add", "replace"), op
        place[last] = op["value"]
    return result


def padded(size: int) -> bytes:
    """A review of exactly `size` bytes."""
    value = review()
    value["request"]["object"]["metadata"]["annotations"] = {"padding": ""}
    missing = size - len(encode(value))
    assert missing >= 0
    value["request"]["object"]["metadata"]["annotations"] = {"padding": "x" * missing}
    return encode(value)


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"
