"""A steady stream of Pods of a Job through the API server: each must be restored."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from .api import Api
from .objects import container, images, job_pod, pod_spec
from .poll import poll
from .world import CHECKPOINT, ORIGINAL


class Load:
    """Creates Pods of the Job `train`, by dry run unless they are to be `stored`: `count` so far;
    `failed` and `unrestored` tell of those that were not as wanted."""

    def __init__(self, api: Api, namespace: str, stored: bool = False) -> None:
        self._namespace = namespace
        self._create = api.post if stored else api.dry_run
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.count = 0
        self.failed: list[str] = []
        self.unrestored: list[str] = []

    def create(self) -> str:
        """What is wrong with the answer to one creation; nothing when it is restored."""
        name = f"train-{next(self._numbers)}"
        pod = job_pod(self._namespace, name, "train", pod_spec(container("app", ORIGINAL)))
        answered = images(self._create(pod).object)
        return "" if answered == {"app": CHECKPOINT} else f"{name} came back with {answered}"

    def _run(self) -> None:
        while not self._stop.is_set():
            failure = unrestored = ""
            try:
                unrestored = self.create()
            except Exception as error:  # whatever it is, it is a creation that failed
                failure = repr(error)
            with self._lock:
                self.count += 1
                self.failed += [failure] if failure else []
                self.unrestored += [unrestored] if unrestored else []

    def until(self, count: int) -> None:
        """That many are created, or one has failed."""
        poll(f"{count} creations", lambda: self.failed or self.count >= count, 600)

    def more(self, count: int) -> None:
        self.until(self.count + count)

    @contextlib.contextmanager
    def running(self, clients: int) -> Iterator[None]:
        """By so many threads, until the block ends."""
        with ThreadPoolExecutor(clients) as threads:
            for _ in range(clients):
                threads.submit(self._run)
            try:
                yield
            finally:
                self._stop.set()
