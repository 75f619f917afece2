"""Who calls as nobody should: connections that come and go, slow ones, half ones, garbage. What
gets an answer must get the right one; what does not must be ended."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

from callers import ask, connect, judge
from cases import Question, World
from run import Run
from wire import Connection

# Of each kind, between two connections.
PAUSE = 0.8


class Churn:
    def __init__(self, run: Run, world: World, draw: random.Random) -> None:
        self._run = run
        self._world = world
        self._draw = draw

    def _question(self) -> Question:
        return self._world.changing(self._draw, "on short connections")

    def _part(self, data: bytes) -> bytes:
        return data[: self._draw.randrange(1, len(data))]

    async def one_review(self) -> None:
        connection = await connect(self._run)
        await ask(self._run, connection, self._question())
        await connection.close()

    async def pipelined(self) -> None:
        connection = await connect(self._run)
        questions = [self._question() for _ in range(self._draw.randint(2, 8))]
        await connection.send(b"".join(question.data for question in questions))
        for question in questions:
            judge(self._run, question, question.wrong(await connection.answer()))
        await connection.close()

    async def slow(self) -> None:
        """Well below the server's limits for head and body, and answered for that."""
        connection = await connect(self._run)
        question = self._question()
        step = len(question.data) // 8 + 1
        for at in range(0, len(question.data), step):
            await connection.send(question.data[at : at + step])
            await asyncio.sleep(0.2)
        judge(self._run, question, question.wrong(await connection.answer()))
        await connection.close()

    async def half_a_request(self) -> None:
        connection = await connect(self._run)
        await connection.send(self._part(self._question().data))
        await self._run.pause(self._draw.uniform(0, 2))
        connection.reset()

    async def gone_before_the_answer(self) -> None:
        connection = await connect(self._run)
        await connection.send(self._question().data)
        connection.reset()

    async def no_handshake(self) -> None:
        connection = await Connection.open(self._run.server.port, None)
        await self._run.pause(self._draw.uniform(0, 4))
        if self._draw.random() < 0.5:
            connection.reset()
        else:
            await connection.close()

    async def garbage(self) -> None:
        connection = await Connection.open(self._run.server.port, None)
        # Its first bytes may be answered with an end before the last are sent.
        with contextlib.suppress(ConnectionError):
            await connection.send(self._draw.randbytes(self._draw.randint(1, 3000)))
        await connection.close()

    async def plain_text(self) -> None:
        connection = await Connection.open(self._run.server.port, None)
        await connection.send(b"GET / HTTP/1.1\r\nHost: webhook\r\n\r\n")
        await connection.ended()
        await connection.close()


KINDS: tuple[Callable[[Churn], Awaitable[None]], ...] = (
    Churn.one_review,
    Churn.pipelined,
    Churn.slow,
    Churn.half_a_request,
    Churn.gone_before_the_answer,
    Churn.no_handshake,
    Churn.garbage,
    Churn.plain_text,
)


async def churn(run: Run, world: World, kind: Callable[[Churn], Awaitable[None]]) -> None:
    draw = run.random(kind.__name__)
    peers = Churn(run, world, draw)

    async def one() -> None:
        if await run.pause(draw.uniform(0, 2 * PAUSE)):
            await kind(peers)
            run.counts["short connections"] += 1

    await run.keep(kind.__name__.replace("_", " "), one)
