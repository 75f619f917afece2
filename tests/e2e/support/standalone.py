"""The server under test for tests that need no control plane."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from .api import Object
from .server import FLAGS, Server
from .settings import binary, cannot_run


def need_binary() -> None:
    if not binary().exists():
        cannot_run(f"no server to test: build it (preset release) or set SMW_BINARY ({binary()})")


@contextlib.contextmanager
def ending(server: Server, until_ready: bool = True) -> Iterator[Server]:
    """Starts it; at the end it must end as it should."""
    need_binary()
    try:
        server.start(until_ready)
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def serving(directory: Path, *objects: Object, flags: tuple[str, ...] = ()) -> Iterator[Server]:
    """A server that is ready and knows these objects; `flags` beside the usual ones."""
    server = Server(directory, *FLAGS, *flags)
    if objects:
        server.write_manifest("objects", *objects)
    with ending(server):
        yield server
