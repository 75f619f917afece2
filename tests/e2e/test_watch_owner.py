"""Which CronJob a Job belongs to, asked of the API server while the pod waits."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from support import oracle
from support.api import Api, Object
from support.controlplane import ControlPlane
from support.decisions import Decision, asking
from support.fixtures import Register, StartWatching
from support.objects import backup, container, cron_job, images, pod_of_job, pod_spec, run_by_hand
from support.poll import poll
from support.rbac import Account
from support.server import Server
from support.world import CHECKPOINT, ORIGINAL, SPEC, World

RUNS = 200
CREATORS = 8


def by_kubectl(control_plane: ControlPlane, namespace: str, cron_job_name: str) -> Object:
    """What kubectl itself would create."""
    created: Object = json.loads(
        control_plane.kubectl(
            *("create", "job", "to-be-named", f"--from=cronjob/{cron_job_name}"),
            *("--namespace", namespace, "--dry-run=client", "--output=json"),
        )
    )
    return created


def test_runs_by_hand_none_missed(
    control_plane: ControlPlane,
    api: Api,
    namespace: str,
    account: Account,
    start_watching: StartWatching,
    register: Register,
    controllers: None,
) -> None:
    """Their names say nothing; 200 at once, each with a pod of the real controller's."""
    server = start_watching(account)
    register(server)
    spec = pod_spec(container("app", ORIGINAL))
    stored = api.create(cron_job(namespace, "nightly", spec, suspend=True))
    run = by_kubectl(control_plane, namespace, "nightly")
    ours = run_by_hand(stored, "to-be-named")
    assert run["metadata"]["ownerReferences"] == ours["metadata"]["ownerReferences"]
    api.create(backup(namespace, "b", ("CronJob", "nightly"), {"app": CHECKPOINT}))
    held_back = run_by_hand(stored, "held-back")
    held_back["spec"] = {**held_back["spec"], "suspend": True}
    known = pod_of_job(api.create(held_back), spec)
    with asking(server) as asks:
        asks.until(known, oracle.expected(api, known))

    def create(number: int) -> None:
        metadata = {**run["metadata"], "name": f"{number:03}-run-of-somebody"}
        api.create({**run, "metadata": metadata})

    with ThreadPoolExecutor(CREATORS) as creators:
        list(creators.map(create, range(RUNS)))

    def all_pods() -> list[Object] | None:
        found = api.list("v1", "Pod", namespace)
        return found if len(found) >= RUNS else None

    pods = poll("all pods are created", all_pods)
    names = [body["metadata"]["name"] for body in pods if images(body) != {"app": CHECKPOINT}]
    assert names == [], f"{len(names)} of {RUNS} were missed: {lookups(server)}"


def lookups(server: Server) -> dict[str, float]:
    return {
        sample.labels["result"]: sample.value
        for sample in server.samples()
        if sample.name == "smw_job_lookups_total"
    }


def test_answers_are_kept(
    api: Api, namespace: str, account: Account, start_watching: StartWatching
) -> None:
    server = start_watching(account)
    api.create(backup(namespace, "b", ("CronJob", "nightly"), {"app": CHECKPOINT}))
    world = World(api, namespace)
    with asking(server) as asks:
        world.until_followed(asks)
        before = lookups(server)
        for _ in range(20):
            world.decisions(asks)
        after = lookups(server)
    asked = {name for name in after if after[name] != before[name]}
    assert asked == {"cached"}
    assert after["cached"] - before["cached"] == 20 * len(world.pods)


def test_job_that_is_gone(
    api: Api, namespace: str, account: Account, start_watching: StartWatching
) -> None:
    server = start_watching(account)
    api.create(backup(namespace, "b", ("CronJob", "nightly"), {"app": CHECKPOINT}))
    world = World(api, namespace)
    gone = Decision("job-gone", None, {"app": ORIGINAL, "sidecar": "sidecar:1"})
    with asking(server) as asks:
        world.until_followed(asks)
        # Deleted and created again with the same name: the pod is of the one before.
        stored = api.get("batch/v1", "Job", namespace, "nightly-29376840")
        stored["metadata"]["uid"] = "5d6a5b1e-8d8c-4a0e-9a55-2f3d6d0f5a11"
        assert asks.decide(pod_of_job(stored, SPEC)) == gone
        stored["metadata"]["name"] = "nightly-1"
        of_nobody = pod_of_job(stored, SPEC)
        assert asks.decide(of_nobody) == gone == oracle.expected(api, of_nobody)
