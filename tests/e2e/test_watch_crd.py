"""The backup controller, whose CRD it is, may come after the server, and go before it."""

from __future__ import annotations

from support import crd
from support.decisions import asking
from support.fixtures import StartWatching
from support.objects import backup
from support.poll import poll
from support.rbac import Account
from support.world import CHECKPOINT, World


def about_absence(log: str) -> int:
    return sum("not installed" in line for line in log.splitlines() if "WARN" in line)


def test_crd_comes_later(breakable_account: Account, start_watching: StartWatching) -> None:
    control_plane = breakable_account.control_plane
    crd.remove(control_plane)
    server = start_watching(breakable_account)
    world = World(control_plane.api, breakable_account.namespace)
    with asking(server) as asks:
        before = world.decisions(asks)
        assert before == world.expected()
        assert {decision.reason for decision in before.values()} == {"no-checkpoint-backup"}
        poll("the log says that the CRD is absent", lambda: about_absence(server.log()))
        assert "[!]watch-checkpointbackups" in server.checks()
        crd.install(control_plane)
        control_plane.api.create(
            backup(world.namespace, "b", ("Job", "train"), {"app": CHECKPOINT})
        )
        after = world.until_followed(asks)
        assert after["train"].images["app"] == CHECKPOINT
    poll("/readyz is content", lambda: "[!]watch-checkpointbackups" not in server.checks())
    # However often it looked.
    assert about_absence(server.log()) == 1
    assert server.metric("smw_cache_synced", resource="checkpointbackups") == 1


def test_crd_goes_and_comes_back(breakable_account: Account, start_watching: StartWatching) -> None:
    control_plane = breakable_account.control_plane
    server = start_watching(breakable_account)
    world = World(control_plane.api, breakable_account.namespace)
    body = backup(world.namespace, "b", ("Job", "train"), {"app": CHECKPOINT})
    control_plane.api.create(body)
    with asking(server) as asks:
        assert world.until_followed(asks)["train"].images["app"] == CHECKPOINT
        # The API server deletes all objects of a CRD before the CRD itself, and the watch tells.
        crd.remove(control_plane)
        after = world.until_followed(asks)
        assert after["train"].reason == "no-checkpoint-backup"
        assert server.ready()
        crd.install(control_plane)
        body["spec"]["containers"][0]["image"] = "registry.example.com/train:again"
        control_plane.api.create(body)
        again = world.until_followed(asks)
        assert again["train"].images["app"] == "registry.example.com/train:again"
