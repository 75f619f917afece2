"""The network loses the watch's packets and tells nobody: a NAT that forgot, a pulled cable."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from support import controlplane, crd
from support.controlplane import ControlPlane, UnavailableError
from support.decisions import asking, steady
from support.fixtures import StartWatching
from support.network import Cut, own_network
from support.objects import backup
from support.poll import poll
from support.rbac import RULES, Account
from support.server import Server
from support.settings import cannot_run
from support.world import CHECKPOINT, World


@pytest.fixture(scope="module")
def remote_or_why(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane | str]:
    """A control plane in a network namespace, in which this module's tests run, too."""
    directory = tmp_path_factory.mktemp("remote")
    with own_network():
        try:
            result = controlplane.up(directory)
        except UnavailableError as why:
            yield f"no control plane: {why}"
            return
        crd.install(result)
        yield result
        controlplane.down(directory)


@pytest.fixture
def remote(remote_or_why: ControlPlane | str) -> Account:
    if isinstance(remote_or_why, str):
        cannot_run(remote_or_why)
    return Account(remote_or_why, remote_or_why.new_namespace()).grant(RULES)


def relists(server: Server) -> float:
    return server.metric("smw_cache_relists_total", resource="checkpointbackups")


def silent_cut(server: Server, account: Account, patience: float, at_least: float = 0) -> None:
    """Changes made while the watch is dead are seen within `patience`; `at_least` goes by before
    the network is well again."""
    world = World(account.control_plane.api, account.namespace)
    body = backup(world.namespace, "before", ("Job", "train"), {"app": CHECKPOINT})
    world.api.create(body)
    with asking(server) as asks:
        before = world.until_followed(asks)
        lists = relists(server)
        unchanged = [item for item in world.load() if item[1] != before["train"]]
        began = time.monotonic()
        cut = Cut(server.process.pid, account.control_plane.port)
        try:
            with steady(server, unchanged):
                world.api.delete(body)
                poll("a packet is lost", cut.dropped)
                after = world.until_followed(asks, patience)
                assert after["train"].reason == "no-checkpoint-backup"
                world.api.create(body)
                poll("it is as long as it shall be", lambda: elapsed(began, at_least), at_least + 9)
                # On a connection of its own: the server closes what is idle for two minutes.
                with asking(server) as asks_later:
                    assert world.until_followed(asks_later) == before
                assert server.ready()
        finally:
            cut.mend()
        # It went on where it was: nothing was read anew.
        assert relists(server) == lists


def elapsed(began: float, seconds: float) -> bool:
    return time.monotonic() - began >= seconds


def test_short(remote: Account, start_watching: StartWatching) -> None:
    silent_cut(start_watching(remote, "--watch-silence", "3s"), remote, patience=30)


@pytest.mark.in_full
def test_three_minutes(remote: Account, start_watching: StartWatching) -> None:
    """With the settings that people have."""
    silent_cut(start_watching(remote), remote, patience=160, at_least=180)
