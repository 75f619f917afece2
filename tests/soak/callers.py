"""Who calls as an API server does: kept connections, one review after the other, every answer
checked."""

from __future__ import annotations

import asyncio
import random

from cases import Question, World
from run import Run
from wire import Connection

CALLERS = 4
# Of each caller, between two questions.
PAUSE = 0.06


async def connect(run: Run) -> Connection:
    """Sees that the certificate is one that may be shown now."""
    begun = run.certificates.begin()
    connection = await Connection.open(run.server.port, run.certificates.trusting())
    run.counts["connections"] += 1
    if not run.certificates.accept(begun, connection.certificate):
        run.fail("a handshake showed a certificate that was replaced long ago")
    return connection


def judge(run: Run, question: Question, wrong: str | None) -> None:
    run.counts["answers"] += 1
    run.counts[f"answers: {question.kind}"] += 1
    if wrong:
        run.fail(f"{question.kind}: {wrong}")


async def ask(run: Run, connection: Connection, question: Question) -> None:
    answer = await connection.ask(question.data)
    run.latencies.append(answer.seconds)
    judge(run, question, question.wrong(answer))


class Caller:
    def __init__(self, run: Run, world: World, number: int) -> None:
        self._run = run
        self._world = world
        self._draw: random.Random = run.random(f"caller {number}")

    async def __call__(self) -> None:
        """A connection until the server says that it is the last answer: it must never end one
        that it did not say so of."""
        connection = await connect(self._run)
        try:
            while await self._run.pause(self._draw.uniform(0, 2 * PAUSE)):
                question = self._world.draw(self._draw)
                await ask(self._run, connection, question)
                if question.last:
                    await connection.ended()
                    return
        finally:
            await connection.close()


async def call(run: Run, world: World, number: int) -> None:
    await run.keep(f"caller {number}", Caller(run, world, number))


async def all_known(run: Run, world: World) -> None:
    """Waits until each Pod is answered by the last version: the API server was asked for every Job
    then, and need not be asked again while it is away."""
    connection = await connect(run)
    draw = run.random("all known")
    try:
        async with asyncio.timeout(60):
            while not all(subject.history.up_to_date for subject in world.subjects):
                await ask(run, connection, world.changing(draw))
                await asyncio.sleep(0.01)
        for _ in range(50):
            await ask(run, connection, world.changing(draw))
    finally:
        await connection.close()
