"""The files that people apply: examples/ and the CRD as they are, against a real API server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from support import oracle
from support.api import Api, Object
from support.controlplane import ControlPlane
from support.decisions import asking
from support.deploy import documents
from support.examples import EXAMPLE, STORE_STATUS, example
from support.fixtures import StartServer, StartWatching
from support.objects import images, job_pod
from support.poll import poll
from support.rbac import Account
from support.registration import registered


def namespace_of(body: Object) -> str:
    return str(body["metadata"].get("namespace", "default"))


def apply(control_plane: ControlPlane, file: Path) -> None:
    control_plane.kubectl("apply", "--validate=strict", "-f", str(file))


def test_crd(installed_crd: Object) -> None:
    crd = installed_crd
    conditions = {entry["type"]: entry["status"] for entry in crd["status"]["conditions"]}
    assert conditions["NamesAccepted"] == "True"
    assert conditions.get("NonStructuralSchema", "False") == "False"
    (version,) = (entry for entry in crd["spec"]["versions"] if entry["name"] == "v1")
    assert version["subresources"] == {"status": {}}
    assert crd["spec"]["scope"] == "Namespaced"


def test_example_in_the_cluster(
    control_plane: ControlPlane, api: Api, installed_crd: Object
) -> None:
    wanted = example("CheckpointBackup")
    apply(control_plane, EXAMPLE)
    control_plane.kubectl(*STORE_STATUS)

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
    server = start_server(*documents(EXAMPLE.read_text()))
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
        control_plane.kubectl(*STORE_STATUS)
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
