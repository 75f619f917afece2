"""The server under test with the state of a cluster."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path

from .api import Object
from .leaks import Holdings, nothing_leaked, settled
from .rbac import Account
from .server import FLAGS, Server


class Watching:
    """Starts servers in folders of `directory`, which end with `stack`."""

    def __init__(self, directory: Path, stack: contextlib.ExitStack) -> None:
        self._directory = directory
        self._stack = stack
        self._numbers = itertools.count(1)
        self._before: list[tuple[Server, int, Holdings]] = []

    def start(
        self,
        account: Account,
        *flags: str,
        user: Object | None = None,
        until_ready: bool = True,
    ) -> Server:
        folder = self._directory / f"server-{next(self._numbers)}"
        kubeconfig = account.write_kubeconfig(folder / "kubeconfig", user)
        server = Server(folder, *FLAGS, *flags, kubeconfig=kubeconfig)
        self._stack.callback(server.close)
        server.start(until_ready)
        port = account.control_plane.port
        self._before.append((server, port, settled(server, port)))
        return server

    def check_leaks(self) -> None:
        for server, port, before in self._before:
            if server.running():
                nothing_leaked(server, port, before)
