"""Ending one of two servers under load, as a rolling update does: not one admission may fail."""

from __future__ import annotations

import signal

from support.api import Api
from support.balancer import Balancer
from support.fixtures import Register, StartServer
from support.load import Load
from support.objects import backup
from support.server import Server
from support.world import CHECKPOINT

CLIENTS = 16
ENOUGH = 150  # creations, before and after


def mutated(server: Server) -> float:
    return server.metric("smw_admission_requests_total", outcome="mutated")


def test_sigterm_of_one_of_two(
    api: Api, namespace: str, start_server: StartServer, register: Register
) -> None:
    object_ = backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT})
    # Far longer than the balancer takes to notice.
    flags = ("--shutdown-delay", "5s")
    leaving, staying = (start_server(object_, flags=flags) for _ in range(2))
    balancer = Balancer(leaving, staying)
    # Each server has a CA of its own; a caBundle may hold several.
    register(staying, port=balancer.port, ca=leaving.ca + staying.ca, failurePolicy="Fail")

    load = Load(api, namespace, stored=True)
    with load.running(CLIENTS):
        load.more(ENOUGH)
        served = mutated(leaving), mutated(staying)
        leaving.process.send_signal(signal.SIGTERM)
        status = leaving.process.wait(timeout=60)
        load.more(ENOUGH)
    balancer.close()

    assert load.failed + load.unrestored == []
    assert status == 0
    assert all(count > 0 for count in served), f"one server got no requests before: {served}"
