"""The types of the fixtures in conftest.py that are functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from .api import Object
from .rbac import Account
from .server import Server


class StartServer(Protocol):
    """Starts a server that knows these objects from its manifests; it ends with the test."""

    def __call__(self, *objects: Object, flags: tuple[str, ...] = ...) -> Server: ...


class StartWatching(Protocol):
    """Starts a server that reads the account's cluster; it ends with the test, and must have leaked
    nothing until then."""

    def __call__(
        self,
        account: Account,
        *flags: str,
        user: Object | None = ...,
        until_ready: bool = ...,
    ) -> Server: ...


class Register(Protocol):
    """Registers a server for the test's namespace; `fields` are the webhook's."""

    def __call__(self, server: Server, **fields: Any) -> Object: ...


# Waits for the pod that the real Job controller makes for the Job of that name.
PodOf = Callable[[str], Object]
