"""A client that sends exactly the bytes it is told to, and shows exactly what comes back."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .settings import PATIENCE

PATH = "/mutate-v1-pod"


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header that is there once at most."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} more than once: {values}"
        return values[0] if values else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def head(method: str = "POST", target: str = PATH, *lines: str) -> bytes:
    """Start line, Host and these headers."""
    all_lines = [f"{method} {target} HTTP/1.1", "Host: webhook.example", *lines, "", ""]
    return "\r\n".join(all_lines).encode("latin-1")


def post(body: bytes, *lines: str, target: str = PATH) -> bytes:
    length = f"Content-Length: {len(body)}"
    return head("POST", target, "Content-Type: application/json", length, *lines) + body


def trust(ca: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca)
    context.set_alpn_protocols(["http/1.1"])
    # A close without close_notify is an error, as it is for OpenSSL's clients.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    return context


class RawClient:
    """One connection: TLS with a context, plain without."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        # What is sent in two pieces shall arrive in two pieces.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            try:
                self.socket = context.wrap_socket(
                    self.socket, server_hostname="127.0.0.1", suppress_ragged_eofs=False
                )
            except BaseException:
                self.socket.close()
                raise
        self._buffer = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self) -> bytes:
        """What is there; nothing once the peer has closed in good order."""
        return self.socket.recv(65536)

    def answer(self, to_head: bool = False) -> Answer:
        """The next answer, whose length must be said by Content-Length."""
        while b"\r\n\r\n" not in self._buffer:
            data = self.receive()
            assert data, f"closed before an answer: {self._buffer!r}"
            self._buffer += data
        top, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        start, *lines = top.decode("latin-1").split("\r\n")
        version, status, _ = start.split(" ", 2)
        assert version == "HTTP/1.1", start
        parts = (line.partition(":") for line in lines)
        headers = [(key, value.strip()) for key, _, value in parts]
        result = Answer(int(status), headers, b"")
        length = 0 if to_head or result.status == 100 else int(result.header("Content-Length") or 0)
        while len(self._buffer) < length:
            data = self.receive()
            assert data, "closed in the middle of an answer"
            self._buffer += data
        result.body, self._buffer = self._buffer[:length], self._buffer[length:]
        return result

    def ask(self, data: bytes) -> Answer:
        self.send(data)
        return self.answer()

    def expect_close(self) -> None:
        """The peer closes in good order, and says nothing more before."""
        assert self._buffer + self.receive() == b""

    def reset(self) -> None:
        """Goes away as a process does that is killed with unread data."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self.socket.close()


@contextlib.contextmanager
def connected(port: int, ca: str | None) -> Iterator[RawClient]:
    client = RawClient(port, trust(ca) if ca else None)
    try:
        yield client
    finally:
        client.close()
