"""CheckpointBackups are created, changed and deleted in a cluster: decisions follow."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support import oracle
from support.api import Api, Object
from support.decisions import Decision, asking
from support.fixtures import PodOf, Register, StartWatching
from support.objects import backup, images, pod_of_job, run_by_hand
from support.rbac import RULES, Account
from support.world import CHECKPOINT, ORIGINAL, SPEC, World

UNTOUCHED = {"app": ORIGINAL, "sidecar": "sidecar:1"}


def image(tag: str) -> str:
    return f"registry.example.com/train:{tag}"


def checkpointed(time: str, **images: str) -> Object:
    """A status: when, and the images built by container."""
    built = [
        {"containerName": name, "imageName": image, "buildTime": time, "pushed": True}
        for name, image in images.items()
    ]
    return {"status": {"lastCheckpointTime": time, "builtImages": built}}


@pytest.fixture
def world(api: Api, namespace: str) -> World:
    return World(api, namespace)


# What is done to the cluster, one after the other, and whose decision it changes.
def steps(api: Api, namespace: str) -> list[tuple[Callable[[], object], set[str]]]:
    train = backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT})
    later = backup(namespace, "a-later", ("Job", "train"), {"app": image("later")})
    nightly = backup(namespace, "nightly", ("CronJob", "nightly"), {"app": image("nightly")})
    runs = {"by-hand", "nightly-29376840"}

    def patch(body: Object, change: Object, subresource: str = "") -> Callable[[], object]:
        return lambda: api.merge(body, change, subresource)

    at_noon = checkpointed("2026-11-20T12:00:00Z", sidecar="sidecar:built")
    at_one = checkpointed("2026-11-20T13:00:00Z")
    return [
        (lambda: api.create(train), {"train"}),
        (lambda: api.create(nightly), runs),
        (patch(train, at_noon, "/status"), {"train"}),
        (lambda: api.create(later), set()),
        (patch(later, at_one, "/status"), {"train"}),
        (patch(nightly, {"spec": {"registry": {"url": "http://r.example:5000/"}}}), set()),
        (patch(nightly, {"spec": {"containers": [{"name": "app", "image": "n:2"}]}}), runs),
        (lambda: api.delete(later), {"train"}),
        (patch(train, {"spec": {"resourceRef": {"name": "another"}}}), {"train"}),
        (patch(train, {"spec": {"resourceRef": {"name": "train"}}}), {"train"}),
        (patch(train, {"spec": {"containers": None}}), {"train"}),
        (lambda: api.delete(nightly), runs),
        (lambda: api.delete(train), {"train"}),
    ]


def test_each_change(
    api: Api, namespace: str, account: Account, start_watching: StartWatching, world: World
) -> None:
    server = start_watching(account)
    with asking(server) as asks:
        before = world.until_followed(asks)
        assert {decision.reason for decision in before.values()} == {"no-checkpoint-backup"}
        for number, (change, changes) in enumerate(steps(api, namespace)):
            change()
            after = world.until_followed(asks)
            changed = {name for name in after if after[name] != before[name]}
            assert changed == changes, f"step {number}"
            before = after
        assert all(decision.images == UNTOUCHED for decision in before.values())


def test_pods_while_backups_change(
    api: Api,
    namespace: str,
    account: Account,
    start_watching: StartWatching,
    register: Register,
    pod_of: PodOf,
    world: World,
) -> None:
    """Real Jobs run by hand, one after each change; the controller makes their pods."""
    server = start_watching(account)
    register(server)
    seen = set()
    with asking(server) as asks:
        for number, (change, _) in enumerate(steps(api, namespace)):
            change()
            world.until_followed(asks)
            run = api.create(run_by_hand(world.cron_job, f"unlike-{number}"))
            stored = pod_of(f"unlike-{number}")
            wanted = oracle.expected(api, pod_of_job(run, SPEC))
            assert images(stored) == wanted.images, f"after step {number}"
            seen.add(images(stored)["app"])
    assert len(seen) >= 3, seen


def test_two_servers(
    api: Api, namespace: str, account: Account, start_watching: StartWatching, world: World
) -> None:
    servers = [start_watching(account) for _ in range(2)]
    with asking(servers[0]) as first, asking(servers[1]) as second:
        for change, _ in steps(api, namespace)[:6]:
            change()
            wanted = world.until_followed(first)
            assert world.until_followed(second) == wanted


def test_what_was_there_before(
    api: Api, namespace: str, account: Account, start_watching: StartWatching, world: World
) -> None:
    """The first review after /readyz said 200 knows all of it."""
    for change, _ in steps(api, namespace)[:6]:
        change()
    server = start_watching(account)
    with asking(server) as asks:
        assert world.decisions(asks) == world.expected()
    # Other tests left backups, also of what is no Job.
    everywhere = {body["metadata"]["namespace"] for body in api.list(*oracle.BACKUPS, None)}
    of_jobs = [
        body
        for place in everywhere
        for body in oracle.candidates(api, place)
        if oracle.refers(body, "Job") or oracle.refers(body, "CronJob")
    ]
    assert server.metric("smw_cache_objects", resource="checkpointbackups") == len(of_jobs)
    assert server.metric("smw_cache_synced", resource="checkpointbackups") == 1
    assert server.metric("smw_cache_relists_total", resource="checkpointbackups") == 1


def test_rights_in_some_namespaces_only(
    api: Api,
    account: Account,
    namespace: str,
    start_watching: StartWatching,
) -> None:
    mine, also_mine, not_mine = (World(api, name) for name in some_namespaces(api, namespace))
    names = (mine.namespace, also_mine.namespace)
    local = Account(account.control_plane, namespace, "local").grant(RULES, names)
    server = start_watching(local, "--namespaces", ",".join(names))
    with asking(server) as asks:
        for world in (mine, also_mine, not_mine):
            for change, _ in steps(api, world.namespace)[:2]:
                change()
        for world in (mine, also_mine):
            wanted = world.until_followed(asks)
            assert wanted["train"].images["app"] == CHECKPOINT
            assert wanted["by-hand"].images["app"] == image("nightly")
        elsewhere = Decision("not-applicable", None, UNTOUCHED)
        assert all(found == elsewhere for found in not_mine.decisions(asks).values())
    # Of all that the cluster has it knows only those.
    assert server.metric("smw_cache_objects", resource="checkpointbackups") == 4


def some_namespaces(api: Api, prefix: str) -> list[str]:
    names = [f"{prefix}-{number}" for number in range(3)]
    for name in names:
        api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return names
