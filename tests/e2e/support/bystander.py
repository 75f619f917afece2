"""A well-behaved caller and a kubelet beside whoever is not: asked all the time, and timed."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from .poll import poll
from .raw_http import connected, post
from .reviews import encode, review
from .server import Server

# What the API server gives a webhook by default, and far more than one needs on a busy machine.
DEADLINE = 10.0


class Bystander:
    """`answered` so far; `wrong` tells of whatever was not as it should be, or came too late."""

    def __init__(self, server: Server, reviews: bool = True) -> None:
        self._server = server
        self.asks: list[Callable[[], None]] = [self._probe, self._metrics]
        if reviews:
            self.asks.append(self._review)
        self.stop = threading.Event()
        self.answered = 0
        self.wrong: list[str] = []
        self.longest = 0.0

    def _review(self) -> None:
        # On a new connection each time: of kept ones the longest idle makes room for others.
        with connected(self._server.port, self._server.ca) as client:
            assert client.ask(post(encode(review()))).status == 200

    def _probe(self) -> None:
        assert self._server.http_get("probes", "/healthz")[0] == 200
        assert self._server.http_get("probes", "/readyz")[0] in (200, 503)

    def _metrics(self) -> None:
        assert self._server.http_get("metrics", "/metrics")[0] == 200

    def run(self, ask: Callable[[], None]) -> None:
        while not self.stop.is_set():
            start = time.monotonic()
            try:
                ask()
            except Exception as error:  # whatever it is, it was not answered
                self.wrong.append(f"{ask.__name__}: {error!r}")
            took = time.monotonic() - start
            if took > DEADLINE:
                self.wrong.append(f"{ask.__name__}: {took:.1f} s")
            self.longest = max(self.longest, took)
            self.answered += 1
            self.stop.wait(0.02)

    def goes_on(self, count: int = 10) -> None:
        """So many more are answered."""
        wanted = self.answered + count
        poll("the bystander is served", lambda: self.wrong or self.answered >= wanted)
        assert self.wrong == []


@contextlib.contextmanager
def bystander(server: Server, reviews: bool = True) -> Iterator[Bystander]:
    """Until the block ends; then nothing may have gone wrong."""
    beside = Bystander(server, reviews)
    threads = [threading.Thread(target=beside.run, args=(ask,)) for ask in beside.asks]
    for thread in threads:
        thread.start()
    try:
        yield beside
    finally:
        beside.stop.set()
        for thread in threads:
            thread.join()
    assert beside.wrong == []
