"""A steady stream of Pods of a Job through the API server, by dry run: each must be restored."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from .api import Api
from .node import Cluster
from .objects import backup, container, images, job_pod, pod_spec
from .poll import poll

ORIGINAL = "registry.example.com/train:1.0"
CHECKPOINT = "registry.example.com/train:checkpoint-7"
CLIENTS = 8
AROUND = 500  # creations, before and after


class Load:
    """`count` creations so far; `failed` and `unrestored` tell of those that were not as wanted."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.stop = threading.Event()
        self.count = 0
        self.failed: list[str] = []
        self.unrestored: list[str] = []

    def create(self) -> str:
        """What is wrong with the answer to one creation; nothing when it is restored."""
        name = f"train-{next(self._numbers)}"
        pod = job_pod(self._namespace, name, "train", pod_spec(container("app", ORIGINAL)))
        answered = images(self._api.dry_run(pod).object)
        return "" if answered == {"app": CHECKPOINT} else f"{name} came back with {answered}"

    def run(self) -> None:
        while not self.stop.is_set():
            failure = unrestored = ""
            try:
                unrestored = self.create()
            except Exception as error:  # whatever it is, it is a creation that failed
                failure = repr(error)
            with self._lock:
                self.count += 1
                self.failed += [failure] if failure else []
                self.unrestored += [unrestored] if unrestored else []

    def more(self, count: int) -> None:
        """Waits for that many creations from now on."""
        goal = self.count + count
        poll(f"{count} more creations", lambda: self.failed or self.count >= goal, 180)


@contextlib.contextmanager
def steady(cluster: Cluster, unrestored: bool = False) -> Iterator[Load]:
    """Load until the block ends, which fails unless every creation succeeded and was restored; with
    `unrestored` it need not be."""
    load = Load(cluster.api, cluster.namespace)
    cluster.apply(backup(cluster.namespace, "train", ("Job", "train"), {"app": CHECKPOINT}))
    poll("a Pod is restored", lambda: not load.create())
    begin = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as clients:
        for _ in range(CLIENTS):
            clients.submit(load.run)
        try:
            load.more(AROUND)
            yield load
            load.more(AROUND)
        finally:
            load.stop.set()
    told = f"{load.count} creations in {time.monotonic() - begin:.0f} s: {len(load.failed)} failed"
    told += f", {len(load.unrestored)} not restored"
    print(told)
    assert not load.failed, f"{told}: {load.failed[:3]}"
    assert unrestored or not load.unrestored, f"{told}: {load.unrestored[:3]}"
