"""What all parts of a soak share: the server under test, what is counted, what went wrong."""

from __future__ import annotations

import asyncio
import collections
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from certificates import Certificates
from history import Calm
from support.controlplane import ControlPlane
from support.rbac import Account
from support.server import Server

# After so many there is nothing to learn from more.
MOST_FAILURES = 20


@dataclass
class Run:
    seed: int
    seconds: float
    plane: ControlPlane
    account: Account
    server: Server
    certificates: Certificates
    calm: Calm
    began: float = field(default_factory=time.monotonic)
    counts: collections.Counter[str] = field(default_factory=collections.Counter)
    # The last ones: for hours all would be too many to sort.
    latencies: collections.deque[float] = field(
        default_factory=lambda: collections.deque(maxlen=50_000)
    )
    failures: list[str] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def random(self, name: str) -> random.Random:
        """Each part draws its own numbers, so that the seed alone decides what it does."""
        return random.Random(f"{self.seed}/{name}")

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def fail(self, what: str) -> None:
        line = f"{self.elapsed:.1f} s: {what}"
        self.failures.append(line)
        print(f"WRONG {line}", flush=True)
        if len(self.failures) >= MOST_FAILURES:
            self.stop.set()

    async def pause(self, seconds: float) -> bool:
        """Whether to go on afterwards."""
        try:
            async with asyncio.timeout(seconds):
                await self.stop.wait()
        except TimeoutError:
            pass
        return not self.stop.is_set()

    async def keep(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        """Runs a part until the end; what it throws is a failure, and it begins anew."""
        while not self.stop.is_set():
            try:
                await part()
            except Exception as error:
                self.fail(f"{name}: {error!r}")
                await self.pause(1)

    def percentile(self, percent: int) -> float:
        """Of the time to an answer, in milliseconds."""
        if len(self.latencies) < 2:
            return 0.0
        return 1000 * statistics.quantiles(self.latencies, n=100)[percent - 1]
