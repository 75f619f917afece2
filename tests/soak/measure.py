"""What the server holds: looked at each second, and judged at the end."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from run import Run
from support.leaks import Holdings, descriptors, nothing_leaked, resident, settled, status_field

# Between the end of the warm-up and the end: what an allocator keeps differs by so much.
MOST_GROWTH = 8 << 20
# Of the whole: until every thread has seen each kind of request, and for the medians compared.
WARM_UP, WINDOW = 0.3, 0.2
LONGEST_WARM_UP = 120.0


@dataclass
class Look:
    at: float
    resident: int
    descriptors: int
    threads: int


class Measure:
    def __init__(self, run: Run) -> None:
        self._run = run
        self._before: Holdings = settled(run.server, run.plane.port)
        self.looks: list[Look] = []

    async def keep_looking(self) -> None:
        async def one() -> None:
            self.look()
            await self._run.pause(1)

        await self._run.keep("measuring", one)

    def look(self) -> Look:
        pid = self._run.server.process.pid
        threads = status_field(pid, "Threads")
        look = Look(self._run.elapsed, resident(pid), len(descriptors(pid)), threads)
        self.looks.append(look)
        return look

    # at the end, all connections being closed

    def judge(self) -> None:
        self._judge_memory()
        threads = {look.threads for look in self.looks} - {self._before.threads}
        if threads:
            self._run.fail(f"{sorted(threads)} threads, {self._before.threads} at the start")
        try:
            nothing_leaked(self._run.server, self._run.plane.port, self._before)
        except AssertionError as error:
            self._run.fail(str(error))

    def medians(self) -> tuple[float, float] | None:
        """Of the memory after the warm-up, and at the end of the load; of a run that failures ended
        early there are none."""
        window = WINDOW * self._run.seconds
        warm = min(LONGEST_WARM_UP, WARM_UP * self._run.seconds)
        after = [look.resident for look in self.looks if warm <= look.at < warm + window]
        last = self.looks[-1].at
        end = [look.resident for look in self.looks if look.at > last - window]
        early = last < self._run.seconds * 0.9
        return None if early else (statistics.median(after), statistics.median(end))

    def _judge_memory(self) -> None:
        after, end = self.medians() or (0.0, 0.0)
        if end > after + MOST_GROWTH:
            self._run.fail(
                f"memory grows: {after / 2**20:.1f} MiB after the warm-up, "
                f"{end / 2**20:.1f} at the end"
            )

    def lines(self) -> list[tuple[str, str]]:
        """For the summary."""
        last, before = self.looks[-1], self._before
        after, end = (number / 2**20 for number in self.medians() or (0.0, 0.0))
        return [
            ("memory, MiB", f"{before.resident / 2**20:.1f} at the start, {after:.1f} after the "
                            f"warm-up, {end:.1f} at the end (at most +{MOST_GROWTH >> 20})"),
            ("descriptors", f"{max(look.descriptors for look in self.looks)} at most, "
                            f"{last.descriptors} under load"),
            ("threads", f"{before.threads} at the start, {last.threads} at the end"),
        ]  # fmt: skip
