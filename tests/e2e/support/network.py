"""A network namespace of the test's own, whose loopback interface can be made to lose packets."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from .leaks import connections_to
from .poll import poll
from .settings import cannot_run

CLONE_NEWNET = 0x40000000
TABLE = ("inet", "smw_test")


def call(function: str, *arguments: int) -> None:
    # Of the C library, for Python has these from 3.12 on.
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{function}: {os.strerror(ctypes.get_errno())}")


@contextlib.contextmanager
def own_network() -> Iterator[None]:
    """What this thread opens and starts in the block, is in a network of its own."""
    for program in ("ip", "nft"):
        if not shutil.which(program):
            cannot_run(f"{program} is not installed (packages iproute2, nftables)")
    with open("/proc/thread-self/ns/net") as before:
        try:
            call("unshare", CLONE_NEWNET)
        except OSError as error:
            # A right that the kernel does not give cannot be installed: not even CI fails for it.
            pytest.skip(f"no network namespace without root: {error}")
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            probe = subprocess.run(["nft", "list", "tables"], capture_output=True, check=False)
            if probe.returncode != 0:
                pytest.skip(f"nft cannot filter here: {probe.stderr.decode().strip()}")
            yield
        finally:
            call("setns", before.fileno(), CLONE_NEWNET)


def nft(*arguments: str) -> str:
    done = subprocess.run(["nft", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"nft {' '.join(arguments)}: {done.stderr}"
    return done.stdout


class Cut:
    """Drops the packets of the connections that a process has to a port, in both directions.

    Nobody is told: no reset, no end. New connections are well.
    """

    def __init__(self, pid: int, port: int) -> None:
        found = poll("a connection to cut", lambda: connections_to(pid, port))
        self.ports = sorted(end.local_port for end in found)
        nft("add", "table", *TABLE)
        chain = "{ type filter hook output priority 0; policy accept; }"
        nft("add", "chain", *TABLE, "cut", chain)
        ports = "{ " + ", ".join(map(str, self.ports)) + " }"
        for direction in ("sport", "dport"):
            nft("add", "rule", *TABLE, "cut", "tcp", direction, ports, "counter", "drop")

    def dropped(self) -> bool:
        """Whether a packet has been lost already."""
        return any(
            "counter packets 0 " not in line
            for line in nft("list", "chain", *TABLE, "cut").splitlines()
            if "counter" in line
        )

    def mend(self) -> None:
        nft("delete", "table", *TABLE)
