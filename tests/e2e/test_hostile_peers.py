"""Peers that want the process to run out of something: connections, descriptors, memory, time."""

from __future__ import annotations

import os
import resource
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from support.bystander import bystander
from support.leaks import resident, status_field
from support.poll import poll
from support.raw_http import PATH, RawClient, connected, head, post, trust
from support.reviews import encode, review, train_backup
from support.server import Server
from support.standalone import serving

MIB = 1 << 20
JSON = "Content-Type: application/json"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, train_backup()) as server:
        yield server


def descriptors(server: Server) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def cpu_seconds(server: Server) -> float:
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def reached(server: Server, limit: str) -> float:
    return server.metric("smw_limits_reached_total", listener="webhook", limit=limit)


def lines_about(server: Server, limit: str) -> int:
    return sum(line.fields.get("limit") == limit for line in server.log_lines())


@contextmanager
def descriptors_of_ours(wanted: int) -> Iterator[int]:
    """How many sockets this process may open, at most `wanted`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    spare = 500
    raised = min(wanted + spare, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, raised), hard))
    try:
        yield min(wanted, max(soft, raised) - spare)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def crowd(server: Server, count: int, stack: ExitStack) -> None:
    """So many connections at once. Every third begins a handshake, the others say nothing."""
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    sockets = []
    for _ in range(count):
        one = stack.enter_context(socket.socket())
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", server.port))
        sockets.append(one)
    waiting = {one.fileno(): one for one in sockets}
    poller = select.epoll()
    stack.callback(poller.close)
    for number in waiting:
        poller.register(number, select.EPOLLOUT | select.EPOLLONESHOT)
    deadline = time.monotonic() + 60
    while waiting and time.monotonic() < deadline:
        for number, _ in poller.poll(1):
            if number % 3 == 0:
                waiting[number].send(hello, socket.MSG_NOSIGNAL)
            del waiting[number]
    assert not waiting, f"{len(waiting)} of {count} never got through"


def test_ten_thousand_connections(server: Server) -> None:
    with connected(server.port, server.ca) as client:
        assert client.ask(post(encode(review()))).status == 200
    descriptors_before = descriptors(server)
    started = time.monotonic()
    with descriptors_of_ours(10_000) as count, ExitStack() as stack:
        with bystander(server) as beside:
            crowd(server, count, stack)
            beside.goes_on()
            assert server.metric("smw_connections", listener="webhook") <= 1024
            assert descriptors(server) <= descriptors_before + 1024 + 64
            # A full queue of the system's lets some wait for a second, or three.
            poll("all came", lambda: reached(server, "connections") >= count - 1024)
            beside.goes_on()
        # At 256 MiB the manifest's limit ends the process.
        assert status_field(server.process.pid, "VmHWM") << 10 < 200 * MIB
    assert lines_about(server, "connections") <= 2 + time.monotonic() - started
    poll("all are gone", lambda: server.metric("smw_connections", listener="webhook") == 0)
    poll("descriptors are back", lambda: descriptors(server) <= descriptors_before + 8)


@contextmanager
def no_more_descriptors(server: Server, more: int) -> Iterator[None]:
    """The server may open `more` descriptors than it has."""
    pid = server.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    # What the sockets of requests before took is free once they have been closed.
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (descriptors(server) + more, limits[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)


def test_without_a_descriptor_left_idle_connections_make_room(server: Server) -> None:
    with no_more_descriptors(server, 20), ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(connected(server.port, None))
        poll("it is out of descriptors", lambda: lines_about(server, "descriptors") > 0)
        started = time.monotonic()
        with connected(server.port, server.ca) as client:
            assert client.ask(post(encode(review()))).status == 200
        # Before the silent ones had used up their time for the handshake.
        assert time.monotonic() - started < 8
    with connected(server.port, server.ca) as client:
        assert client.ask(post(encode(review()))).status == 200


def test_without_a_descriptor_left_it_waits_without_spinning(server: Server) -> None:
    held = head("POST", f"{PATH}?timeout=30s", JSON, "Content-Length: 100") + b"{"
    with ExitStack() as stack:
        with no_more_descriptors(server, 20):
            started, cpu_before = time.monotonic(), cpu_seconds(server)
            context = trust(server.ca)
            # Busy ones: none of them makes room.
            busy = []
            while lines_about(server, "descriptors") == 0:
                plain = stack.enter_context(connected(server.port, None))
                plain.socket.settimeout(0.5)
                try:
                    plain.socket = context.wrap_socket(plain.socket, server_hostname="127.0.0.1")
                except OSError:
                    continue  # not accepted: it waits in the backlog
                plain.send(held)
                busy.append(plain)
            poll("several lines", lambda: lines_about(server, "descriptors") >= 3)
            took, cpu = time.monotonic() - started, cpu_seconds(server) - cpu_before
            assert lines_about(server, "descriptors") <= 2 + took
            assert cpu < took / 4
        # With descriptors again all is as before, for those who waited, too.
        with connected(server.port, server.ca) as client:
            assert client.ask(post(encode(review()))).status == 200
        for client in busy:
            assert client.ask(b" " * 99).status == 400
    assert reached(server, "descriptors") > 0


def test_a_pipeline_that_nobody_reads(server: Server) -> None:
    count = 10_000
    requests = b"".join(post(encode(review(f"{number:05}"))) for number in range(count))
    with connected(server.port, server.ca) as client, bystander(server) as beside:
        assert client.ask(post(encode(review()))).status == 200
        before = resident(server.process.pid)
        client.socket.settimeout(0.5)
        sent = 0
        # Until the server takes no more: it answers what it has first.
        try:
            while sent < len(requests):
                sent += client.socket.send(requests[sent : sent + 65536])
        except TimeoutError:
            pass
        beside.goes_on()
        assert resident(server.process.pid) - before < 4 * MIB
        client.socket.settimeout(60)
        whole = sent // (len(requests) // count)
        for number in range(whole):
            assert client.answer().json["response"]["uid"] == f"{number:05}"


def test_churn(server: Server) -> None:
    hard_close = struct.pack("ii", 1, 0)
    with bystander(server) as beside:
        before = descriptors(server)
        for number in range(3000):
            with connected(server.port, None) as client:
                if number % 2:
                    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, hard_close)
        for _ in range(200):
            client = RawClient(server.port, trust(server.ca))
            client.send(post(encode(review())))
            client.reset()
        beside.goes_on()
    poll("descriptors are back", lambda: descriptors(server) <= before + 2)
    assert server.metric("smw_connections", listener="webhook") == 0
