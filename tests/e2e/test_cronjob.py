"""Runs of CronJobs, whose Jobs say by their owner or name alone which CheckpointBackup is meant."""

from __future__ import annotations

import json

import pytest

from support.api import Api
from support.controlplane import ControlPlane
from support.fixtures import PodOf, Register, StartServer
from support.objects import backup, container, cron_job, images, job, pod_spec
from support.poll import poll

APP = container("app", "registry.example.com/train:1.0")
CHECKPOINT = "registry.example.com/train:checkpoint-7"

# A CronJob starts its runs on the full minute; the rest is room for a loaded machine.
A_FULL_MINUTE = 150.0


@pytest.mark.slow
def test_real_run(
    api: Api,
    namespace: str,
    start_server: StartServer,
    register: Register,
    controllers: None,
) -> None:
    register(
        start_server(backup(namespace, "nightly", ("CronJob", "nightly"), {"app": CHECKPOINT}))
    )
    created = api.create(cron_job(namespace, "nightly", pod_spec(APP)))
    stored = poll("the CronJob's run", lambda: api.list("v1", "Pod", namespace), A_FULL_MINUTE)[0]
    api.delete(created)
    name = stored["metadata"]["labels"]["batch.kubernetes.io/job-name"]
    # The rule of names rests on this: the controller appends digits, the minute of the schedule.
    assert name.startswith("nightly-")
    assert name.removeprefix("nightly-").isdigit()
    assert images(stored) == {"app": CHECKPOINT}


def test_manual_run_is_known_by_its_owner(
    control_plane: ControlPlane,
    api: Api,
    namespace: str,
    start_server: StartServer,
    register: Register,
    pod_of: PodOf,
) -> None:
    server = start_server(backup(namespace, "nightly", ("CronJob", "nightly"), {"app": CHECKPOINT}))
    register(server)
    api.create(cron_job(namespace, "nightly", pod_spec(APP), suspend=True))
    # kubectl's own run; suspended, so that the server can learn of the Job before there is a pod.
    run = json.loads(
        control_plane.kubectl(
            *("create", "job", "by-hand", "--from=cronjob/nightly"),
            *("--namespace", namespace, "--dry-run=client", "--output=json"),
        )
    )
    run["spec"]["suspend"] = True
    stored = api.create(run)
    assert stored["metadata"]["ownerReferences"][0]["kind"] == "CronJob"
    server.write_manifest("jobs", {"apiVersion": "batch/v1", "kind": "Job", **stored})
    poll("the Job's manifest is read", lambda: server.metric("smw_cache_objects", resource="jobs"))
    api.merge(stored, {"spec": {"suspend": False}})
    assert images(pod_of("by-hand")) == {"app": CHECKPOINT}


def test_longest_name_counts(
    control_plane: ControlPlane,
    api: Api,
    namespace: str,
    start_server: StartServer,
    register: Register,
    pod_of: PodOf,
) -> None:
    """The name of a run of CronJob `a-b` also begins with `a-`."""
    backups = [
        backup(namespace, name, ("CronJob", name), {"app": f"registry.example.com/{name}:1"})
        for name in ("a", "a-b")
    ]
    register(start_server(*backups))
    api.create(job(namespace, "a-b-29376840", pod_spec(APP)))
    assert images(pod_of("a-b-29376840")) == {"app": "registry.example.com/a-b:1"}
    api.create(job(namespace, "a-29376840", pod_spec(APP)))
    assert images(pod_of("a-29376840")) == {"app": "registry.example.com/a:1"}
    api.create(job(namespace, "ab-29376840", pod_spec(APP)))
    assert images(pod_of("ab-29376840")) == {"app": APP["image"]}


def test_direct_backup_wins(
    api: Api,
    namespace: str,
    start_server: StartServer,
    register: Register,
    pod_of: PodOf,
) -> None:
    direct = backup(namespace, "z", ("Job", "nightly-1"), {"app": CHECKPOINT})
    by_name = backup(namespace, "a", ("CronJob", "nightly"), {"app": "registry.example.com/x:1"})
    register(start_server(direct, by_name))
    api.create(job(namespace, "nightly-1", pod_spec(APP)))
    assert images(pod_of("nightly-1")) == {"app": CHECKPOINT}
