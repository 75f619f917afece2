"""One connection to the server under test, for asyncio; and ways to end it."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from dataclasses import dataclass
from typing import Any

# Nothing takes this long. A caller that waits longer has been forgotten.
PATIENCE = 60.0


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def last(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int, context: ssl.SSLContext | None) -> Connection:
        async with asyncio.timeout(PATIENCE):
            return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context))

    @property
    def certificate(self) -> bytes:
        """What the server showed in the handshake, as DER."""
        tls = self._writer.get_extra_info("ssl_object")
        return bytes(tls.getpeercert(binary_form=True))

    async def send(self, data: bytes) -> None:
        async with asyncio.timeout(PATIENCE):
            self._writer.write(data)
            await self._writer.drain()

    async def answer(self) -> Answer:
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(PATIENCE):
            head = await self._reader.readuntil(b"\r\n\r\n")
            start, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
            parts = (line.partition(":") for line in lines)
            headers = {name.lower(): value.strip() for name, _, value in parts}
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        seconds = asyncio.get_running_loop().time() - began
        return Answer(int(start.split(" ")[1]), headers, body, seconds)

    async def ask(self, data: bytes) -> Answer:
        await self.send(data)
        return await self.answer()

    async def ended(self) -> bytes:
        """What still comes until the server ends the connection, in whichever way."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._reader.read(-1)
        except (ConnectionError, ssl.SSLError):
            return b""

    async def close(self) -> None:
        self._writer.close()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._writer.wait_closed()
        except (ConnectionError, ssl.SSLError):
            pass  # the server was first

    def reset(self) -> None:
        """Goes away as a process does that is killed with unread data."""
        end = self._writer.get_extra_info("socket")
        if end:  # else the server was first
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
