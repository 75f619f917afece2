"""Ending one of two servers under load, as a rolling update does: not one admission may fail."""

from __future__ import annotations

import itertools
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from support.api import Api
from support.balancer import Balancer
from support.fixtures import Register, StartServer
from support.objects import backup, container, images, job_pod, pod_spec
from support.poll import poll
from support.server import Server

APP = container("app", "registry.example.com/train:1.0")
CHECKPOINT = "registry.example.com/train:checkpoint-7"

CLIENTS = 16
ENOUGH = 150  # creations, before and after


class Load:
    """Creates pods from many threads until `stop`; `created` counts, `failures` tells."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace
        self.stop = threading.Event()
        self.failures: list[str] = []
        self._numbers = itertools.count(1)
        self.created = 0
        self._lock = threading.Lock()

    def run(self) -> None:
        while not self.stop.is_set():
            name = f"train-{next(self._numbers)}"
            try:
                body = job_pod(self.namespace, name, "train", pod_spec(APP))
                stored = images(self.api.create(body))
                failure = "" if stored == {"app": CHECKPOINT} else f"{name} is stored with {stored}"
            except Exception as error:  # whatever it is, it is a creation that failed
                failure = f"{name}: {error!r}"
            with self._lock:
                self.created += 1
                if failure:
                    self.failures.append(failure)

    def more(self, count: int) -> Callable[[], bool]:
        goal = self.created + count
        return lambda: bool(self.failures) or self.created >= goal


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

    load = Load(api, namespace)
    with ThreadPoolExecutor(CLIENTS) as clients:
        for _ in range(CLIENTS):
            clients.submit(load.run)
        try:
            poll("creations before", load.more(ENOUGH))
            served = mutated(leaving), mutated(staying)
            leaving.process.send_signal(signal.SIGTERM)
            status = leaving.process.wait(timeout=60)
            poll("creations after", load.more(ENOUGH))
        finally:
            load.stop.set()
    balancer.close()

    assert load.failures == []
    assert status == 0
    assert all(count > 0 for count in served), f"one server got no requests before: {served}"
