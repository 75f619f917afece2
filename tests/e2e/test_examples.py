"""The files that people apply: deploy/ and examples/ as they are, against a real API server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from support import oracle
from support.api import Api, ApiError, Object
from support.controlplane import ControlPlane
from support.decisions import asking
from support.fixtures import StartServer, StartWatching
from support.objects import backup, images, job_pod
from support.poll import poll
from support.rbac import Account
from support.registration import registered
from support.settings import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
EXAMPLE = REPOSITORY / "examples/webhook-test.yaml"
EXAMPLE_STATUS = REPOSITORY / "examples/webhook-test-status.yaml"

# These need the kinds of cert-manager, which a bare API server does not have.
NEEDS_CERT_MANAGER = {"cert-manager.yaml"}
DEPLOY_FILES = sorted({path.name for path in DEPLOY.glob("*.yaml")} - NEEDS_CERT_MANAGER)


def documents(file: Path) -> list[Object]:
    return [document for document in yaml.safe_load_all(file.read_text()) if document]


def example(kind: str) -> Object:
    (found,) = (document for document in documents(EXAMPLE) if document["kind"] == kind)
    return found


def namespace_of(body: Object) -> str:
    return str(body["metadata"].get("namespace", "default"))


def apply(control_plane: ControlPlane, file: Path, *flags: str) -> str:
    return control_plane.kubectl("apply", "--validate=strict", *flags, "-f", str(file))


def test_crd(installed_crd: Object) -> None:
    crd = installed_crd
    conditions = {entry["type"]: entry["status"] for entry in crd["status"]["conditions"]}
    assert conditions["NamesAccepted"] == "True"
    assert conditions.get("NonStructuralSchema", "False") == "False"
    (version,) = (entry for entry in crd["spec"]["versions"] if entry["name"] == "v1")
    assert version["subresources"] == {"status": {}}
    assert crd["spec"]["scope"] == "Namespaced"


@pytest.mark.parametrize("missing", ["schedule", "podRef", "resourceRef"])
def test_crd_requires(api: Api, namespace: str, installed_crd: Object, missing: str) -> None:
    body = backup(namespace, "train", ("Job", "train"), {"app": "train:1"})
    del body["spec"][missing]
    with pytest.raises(ApiError) as error:
        api.create(body)
    assert error.value.code == 422
    assert f"spec.{missing}" in error.value.message


def test_crd_keeps_unknown_fields(api: Api, namespace: str, installed_crd: Object) -> None:
    # The CRD belongs to the backup controller: what its later versions add must survive ours.
    body = backup(namespace, "train", ("Job", "train"), {"app": "train:1"})
    body["spec"]["addedLater"] = {"nested": [1, 2]}
    assert api.create(body)["spec"] == body["spec"]


def test_example_in_the_cluster(
    control_plane: ControlPlane, api: Api, installed_crd: Object
) -> None:
    wanted = example("CheckpointBackup")
    apply(control_plane, EXAMPLE)
    apply(control_plane, EXAMPLE_STATUS, "--server-side", "--subresource=status")

    name, namespace = wanted["metadata"]["name"], namespace_of(wanted)
    stored = api.get(wanted["apiVersion"], "CheckpointBackup", namespace, name)
    assert contains(stored["spec"], wanted["spec"])
    # `kubectl apply` drops a status; the second file brings it, the same as the first one's.
    assert stored["status"]["builtImages"] == wanted["status"]["builtImages"]
    assert name in control_plane.kubectl("get", "checkpointbackups", "--namespace", namespace)
    control_plane.kubectl("delete", "-f", str(EXAMPLE))


def contains(whole: Any, part: Any) -> bool:
    """Whether all of `part` is in `whole`; the API server may have added defaults."""
    if isinstance(part, dict):
        return all(key in whole and contains(whole[key], part[key]) for key in part)
    return bool(whole == part)


def test_example_restores(
    control_plane: ControlPlane,
    api: Api,
    controllers: None,
    start_server: StartServer,
    tmp_path: Path,
) -> None:
    server = start_server(*documents(EXAMPLE))
    job = example("Job")
    namespace, name = namespace_of(job), job["metadata"]["name"]
    job_file = tmp_path / "job.yaml"
    job_file.write_text(yaml.safe_dump(job))
    with registered(api, namespace, server):
        apply(control_plane, job_file)
        pods = poll("its pod", lambda: pods_of(api, namespace, name))
    control_plane.kubectl("delete", "-f", str(job_file))

    (built,) = example("CheckpointBackup")["status"]["builtImages"]
    assert name == "test-migration-job"
    assert images(job["spec"]["template"])["app-container"] == "nginx:1.19"
    assert images(pods[0])["app-container"] == "nginx:1.20-checkpoint"
    assert images(pods[0])[built["containerName"]] == built["imageName"]


def test_example_restores_from_the_cluster(
    control_plane: ControlPlane,
    api: Api,
    controllers: None,
    account: Account,
    start_watching: StartWatching,
    tmp_path: Path,
) -> None:
    """As the README has it: backup, status, then the Job."""
    server = start_watching(account)
    wanted, job = example("CheckpointBackup"), example("Job")
    namespace, name = namespace_of(job), job["metadata"]["name"]
    for body in (wanted, job):
        (tmp_path / f"{body['kind']}.yaml").write_text(yaml.safe_dump(body))
    with registered(api, namespace, server):
        apply(control_plane, tmp_path / "CheckpointBackup.yaml")
        apply(control_plane, EXAMPLE_STATUS, "--server-side", "--subresource=status")
        stored_backup = api.get(*oracle.BACKUPS, namespace, wanted["metadata"]["name"])
        pod = job_pod(namespace, name, name, job["spec"]["template"]["spec"])
        with asking(server) as asks:
            asks.until(pod, oracle.expected(api, pod))
        apply(control_plane, tmp_path / "Job.yaml")
        (stored,) = poll("its pod", lambda: pods_of(api, namespace, name))
    control_plane.kubectl("delete", "-f", str(EXAMPLE))
    (built,) = wanted["status"]["builtImages"]
    assert stored_backup["status"]["builtImages"] == [built]
    assert images(stored) == {
        "app-container": "nginx:1.20-checkpoint",
        built["containerName"]: built["imageName"],
    }


def pods_of(api: Api, namespace: str, job_name: str) -> list[Object]:
    """By uid: pods of a Job of this name that another test deleted may still be there."""
    uid = api.get("batch/v1", "Job", namespace, job_name)["metadata"]["uid"]
    selector = f"batch.kubernetes.io/controller-uid={uid}"
    return api.list("v1", "Pod", namespace, labelSelector=selector)


@pytest.mark.parametrize("file", DEPLOY_FILES)
def test_deploy_file_is_valid(control_plane: ControlPlane, api: Api, file: str) -> None:
    """Each file is taken by the API server, with no field that it does not know."""
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "stateful-migration"},
    }
    try:
        api.create(namespace)
    except ApiError as error:
        if error.code != 409:  # another file's test made it
            raise
    apply(control_plane, DEPLOY / file, "--dry-run=server")
