"""What a process holds: it must be the same after trouble as before."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from .poll import poll
from .server import Server

ESTABLISHED = "01"

# To the API server: the watches, and four kept for lookups, which the API server may have closed.
MOST_CONNECTIONS = 8
MOST_GROWTH = 48 << 20


@dataclass(frozen=True)
class Holdings:
    threads: int
    descriptors: int  # all but connections to the API server and those of callers
    api_connections: int
    resident: int


@dataclass(frozen=True)
class Socket:
    local_port: int
    peer_port: int
    state: str


def sockets(pid: int) -> dict[str, Socket]:
    """By what /proc/PID/fd calls it; those of the process's network namespace."""
    found = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            local, peer = (int(columns[column].rpartition(":")[2], 16) for column in (1, 2))
            found[f"socket:[{columns[9]}]"] = Socket(local, peer, columns[3])
    return found


def descriptors(pid: int) -> list[str]:
    links = []
    for entry in os.listdir(f"/proc/{pid}/fd"):
        try:
            links.append(os.readlink(f"/proc/{pid}/fd/{entry}"))
        except FileNotFoundError:
            continue  # closed since
    return links


def connections_to(pid: int, port: int) -> list[Socket]:
    """The established connections of a process to a port."""
    known = sockets(pid)
    mine = [known[link] for link in descriptors(pid) if link in known]
    return [end for end in mine if (end.peer_port, end.state) == (port, ESTABLISHED)]


def status_field(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise AssertionError(f"no {name} in /proc/{pid}/status")


def resident(pid: int) -> int:
    return status_field(pid, "VmRSS") << 10


def holdings(server: Server, api_port: int) -> Holdings:
    pid = server.process.pid
    # The files first: what is opened in between counts as no connection, and is looked at again.
    links = descriptors(pid)
    known = sockets(pid)
    to_api = [link for link in links if link in known and known[link].peer_port == api_port]
    # How many callers there are is not the server's to say.
    established = {link for link, end in known.items() if end.state == ESTABLISHED}
    others = [link for link in links if link not in established.union(to_api)]
    return Holdings(status_field(pid, "Threads"), len(others), len(to_api), resident(pid))


def settled(server: Server, api_port: int) -> Holdings:
    """Once two looks in a row are the same but for memory."""
    looks: list[Holdings] = []

    def same() -> Holdings | None:
        looks.append(holdings(server, api_port))
        counts = [(look.threads, look.descriptors) for look in looks[-2:]]
        return looks[-1] if len(counts) == 2 and counts[0] == counts[1] else None

    return poll("the server's descriptors settle", same)


def nothing_leaked(server: Server, api_port: int, before: Holdings) -> None:
    """Fails unless the server comes back to what it held before."""

    def back() -> bool:
        now = holdings(server, api_port)
        return (
            now.threads <= before.threads
            and now.descriptors <= before.descriptors
            and now.api_connections <= MOST_CONNECTIONS
        )

    try:
        poll("the server holds what it held before", back)
    except AssertionError as error:
        now = holdings(server, api_port)
        raise AssertionError(f"{error}: {before} before, {now} now") from None
    grown = resident(server.process.pid) - before.resident
    assert grown < MOST_GROWTH, f"{grown >> 20} MiB more than before"
