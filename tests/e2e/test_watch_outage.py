"""The API server crashes and comes back, remembering the past or not."""

from __future__ import annotations

import time

from support.api import Object
from support.decisions import RESTORED, Asking, asking, steady
from support.fixtures import StartWatching
from support.objects import backup, images, job_pod
from support.poll import poll
from support.rbac import Account
from support.server import Server
from support.world import CHECKPOINT, SPEC, World

TROUBLE = "[!]watch-checkpointbackups"
# A cache of etcd's; without it every watch goes to etcd, and compaction shows.
NO_WATCH_CACHE = "--watch-cache=false"


def relists(server: Server, cause: str) -> float:
    return server.metric("smw_cache_relists_total", resource="checkpointbackups", cause=cause)


def some_backups(world: World) -> list[Object]:
    namespace = world.namespace
    result = [
        backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT}),
        backup(namespace, "nightly", ("CronJob", "nightly"), {"sidecar": "sidecar:2"}),
        backup(namespace, "other", ("Job", "other"), {"app": "registry.example.com/other:2"}),
    ]
    for body in result:
        world.api.create(body)
    return result


def key_of(body: Object) -> str:
    """Where etcd has it."""
    metadata = body["metadata"]
    return f"migration.dcnlab.com/checkpointbackups/{metadata['namespace']}/{metadata['name']}"


def all_is_well(server: Server, world: World) -> None:
    """What it says of itself is so."""
    poll("/readyz is content", lambda: TROUBLE not in server.checks())
    stored = len(world.api.list("migration.dcnlab.com/v1", "CheckpointBackup", None))
    poll(
        f"{stored} objects",
        lambda: server.metric("smw_cache_objects", resource="checkpointbackups") == stored,
    )
    assert server.metric("smw_cache_synced", resource="checkpointbackups") == 1
    assert relists(server, "initial") == 1


def test_crash_under_load(breakable_account: Account, start_watching: StartWatching) -> None:
    control_plane = breakable_account.control_plane
    server = start_watching(breakable_account)
    world = World(control_plane.api, breakable_account.namespace)
    bodies = some_backups(world)
    with asking(server) as asks:
        before = world.until_followed(asks)
        with steady(server, world.load()) as load:
            control_plane.kill()
            poll("/readyz?verbose tells", lambda: TROUBLE in server.checks())
            assert server.ready()
            assert server.metric("smw_cache_synced", resource="checkpointbackups") == 1
            owners_cannot_be_known(asks, world)
            without = load.count
            poll("reviews without an API server", lambda: load.count > without + 50)
            control_plane.start()
            poll("/readyz is content", lambda: TROUBLE not in server.checks())
        assert world.decisions(asks) == before == world.expected()
        world.api.delete(bodies[0])
        after = world.until_followed(asks)
        assert after["train"] != before["train"]
    all_is_well(server, world)
    server.wait_for_message("Watch resumed")
    messages = [line.message for line in server.log_lines()]
    interrupted = messages.index("Watch interrupted; serving the last good state")
    assert "Watch resumed" in messages[interrupted:]


def owners_cannot_be_known(asks: Asking, world: World) -> None:
    """Jobs that the server has never asked about, now that nobody answers: digits decide."""
    spec, namespace = SPEC, world.namespace
    by_digits = asks.decide(job_pod(namespace, "nightly-77-x", "nightly-77", spec))
    assert (by_digits.reason, by_digits.backup) == (RESTORED, f"{namespace}/nightly")
    began = time.monotonic()
    unknown = asks.answer(job_pod(namespace, "nightly-by-hand-x", "nightly-by-hand", spec))
    assert unknown.decision.reason == "owner-unknown"
    assert unknown.decision.images == images({"spec": spec})
    assert unknown.warnings
    # The budget is 200 ms; a machine may have more to do, but nobody waits for the deadline.
    assert time.monotonic() - began < 5


def forgotten_while_away(
    account: Account, start_watching: StartWatching, compact: bool = False
) -> None:
    """A backup is deleted, and history is lost, while no API server tells."""
    control_plane = account.control_plane
    server = start_watching(account)
    world = World(control_plane.api, account.namespace)
    bodies = some_backups(world)
    with asking(server) as asks:
        before = world.until_followed(asks)
        load = [(pod, decision) for pod, decision in world.load() if decision != before["train"]]
        gone = relists(server, "gone")
        with steady(server, load):
            control_plane.kill()
            control_plane.forget(key_of(bodies[0]))
            if compact:
                control_plane.compact()
            assert world.decisions(asks) == before
            control_plane.start()
            after = world.until_followed(asks)
        assert after["train"].reason == "no-checkpoint-backup"
        assert {name for name in after if after[name] != before[name]} == {"train"}
    assert relists(server, "gone") == gone + 1
    all_is_well(server, world)


def test_history_lost_by_restart(breakable_account: Account, start_watching: StartWatching) -> None:
    """An API server's watch cache begins when it starts: 410 for who comes from before."""
    forgotten_while_away(breakable_account, start_watching)


def test_history_lost_by_compaction(
    breakable_account: Account, start_watching: StartWatching
) -> None:
    control_plane = breakable_account.control_plane
    control_plane.restart(apiserver_flags=NO_WATCH_CACHE)
    try:
        forgotten_while_away(breakable_account, start_watching, compact=True)
    finally:
        if control_plane.answers():
            control_plane.kill()
        control_plane.start(apiserver_flags="")
