"""What changes meanwhile: backups, through the API server; the API server itself; the serving
certificate; the token."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from cases import Subject, World
from run import Run
from support.api import Api

# Between two changes of backups.
PAUSE = 0.4
# Between two restarts of the API server, and how long it is away.
WHOLE, AWAY = 60.0, (0.5, 5.0)
# Between two certificates.
SWAP = 15.0
# Tokens last ten minutes.
TOKEN = 180.0


class Changes:
    """All of it goes through one lock: nothing is ever sent to an API server that is being killed,
    so it is known what is stored."""

    def __init__(self, run: Run, world: World) -> None:
        self._run = run
        self._world = world
        self._lock = asyncio.Lock()

    # backups

    async def change(self, subject: Subject, version: int | None) -> None:
        async with self._lock:
            before = subject.history.version
            change = subject.history.change_to(version)
            await asyncio.to_thread(_store, self._run.plane.api, subject, before, version)
            change.stored = asyncio.get_running_loop().time()
        self._run.counts["backup changes"] += 1

    async def store_all(self) -> None:
        for subject in self._world.subjects:
            await self.change(subject, len(subject.history))

    async def keep_changing(self) -> None:
        draw = self._run.random("backups")

        async def one() -> None:
            if not await self._run.pause(draw.uniform(0, 2 * PAUSE)):
                return
            subject = draw.choice(self._world.subjects)
            gone = subject.history.version is not None and draw.random() < 0.2
            await self.change(subject, None if gone else len(subject.history))

        await self._run.keep("backups", one)

    # the API server

    async def keep_restarting(self) -> None:
        draw = self._run.random("restarts")
        # Also a short soak has one, and time for what comes after.
        pause = min(WHOLE, self._run.seconds / 3)

        async def one() -> None:
            if await self._run.pause(pause * draw.uniform(0.7, 1.3)):
                await self.restart(draw)

        await self._run.keep("restarts", one)

    async def restart(self, draw: random.Random) -> None:
        async with self._lock:
            self._run.calm.trouble()
            await asyncio.to_thread(self._run.plane.kill)
            await self._run.pause(draw.uniform(*AWAY))
            await asyncio.to_thread(self._run.plane.start)
            self._run.calm.over()
        self._run.counts["API server restarts"] += 1

    # certificate and token

    async def keep_swapping(self) -> None:
        draw = self._run.random("certificates")

        async def one() -> None:
            if await self._run.pause(min(SWAP, self._run.seconds / 4) * draw.uniform(0.5, 1.5)):
                await asyncio.to_thread(self._run.certificates.swap)
                self._run.counts["certificates"] += 1

        await self._run.keep("certificates", one)

    async def keep_renewing(self, token: Path) -> None:
        async def one() -> None:
            if await self._run.pause(TOKEN):
                async with self._lock:
                    await asyncio.to_thread(write_token, self._run, token)

        await self._run.keep("token", one)


def write_token(run: Run, file: Path) -> None:
    new = file.with_suffix(".new")
    new.write_text(run.account.token())
    new.rename(file)


def _store(api: Api, subject: Subject, before: int | None, version: int | None) -> None:
    if version is None:
        api.delete(subject.backup(before or 0))
        return
    body = subject.backup(version)
    if before is None:
        api.create(body)
    else:
        api.merge(body, {"spec": body["spec"]})
