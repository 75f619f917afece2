"""More backups than anybody has, created while reviews are answered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from support.api import Api
from support.decisions import asking, steady
from support.fixtures import StartWatching
from support.leaks import resident
from support.objects import backup
from support.poll import poll
from support.rbac import Account
from support.server import Server
from support.world import CHECKPOINT, World

CREATORS = 6
MOST_MEMORY = 128 << 20


def create(api: Api, namespace: str, count: int) -> None:
    """Of all kinds and none of them for a pod that we ask about, but by the name of a prefix."""

    def one(number: int) -> None:
        kind = "Job" if number % 2 else "CronJob"
        images = {"app": f"registry.example.com/many:{number}", "sidecar": "sidecar:2"}
        api.create(backup(namespace, f"many-{number}", (kind, f"night-{number}"), images))

    with ThreadPoolExecutor(CREATORS) as creators:
        list(creators.map(one, range(count)))


def known(server: Server) -> float:
    return server.metric("smw_cache_objects", resource="checkpointbackups")


def many(account: Account, start_watching: StartWatching, count: int) -> None:
    api = account.control_plane.api
    server = start_watching(account)
    world = World(api, account.namespace)
    api.create(backup(world.namespace, "b", ("Job", "train"), {"app": CHECKPOINT}))
    try:
        with asking(server) as asks:
            before = world.until_followed(asks)
            with steady(server, world.load()):
                create(api, world.namespace, count)
                # All of them are in the namespace of the pods that are asked about.
                poll("the last one has arrived", lambda: known(server) > count)
            assert world.decisions(asks) == before == world.expected()
        assert resident(server.process.pid) < MOST_MEMORY
        # A new server, which reads them all at once.
        fresh = start_watching(account)
        assert known(fresh) == known(server)
        with asking(fresh) as asks:
            assert world.decisions(asks) == before
        assert resident(fresh.process.pid) < MOST_MEMORY
    finally:
        path = f"/apis/migration.dcnlab.com/v1/namespaces/{world.namespace}/checkpointbackups"
        api.request("DELETE", path)
    poll("all are gone again", lambda: known(server) == known(fresh) < count)


def test_some(breakable_account: Account, start_watching: StartWatching) -> None:
    many(breakable_account, start_watching, 1_000)


@pytest.mark.in_full
def test_ten_thousand(breakable_account: Account, start_watching: StartWatching) -> None:
    many(breakable_account, start_watching, 10_000)
