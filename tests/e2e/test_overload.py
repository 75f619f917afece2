"""More reviews than may be in flight: who is shed hears when to come again; nobody is forgotten."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from support.api import Api
from support.bystander import bystander
from support.fixtures import Register
from support.leaks import resident
from support.objects import backup, container, images, job_pod, pod_spec
from support.poll import poll
from support.raw_http import PATH, Answer, RawClient, connected, post
from support.reviews import encode, review, train_backup
from support.server import Server
from support.standalone import ending
from support.world import CHECKPOINT, ORIGINAL

MIB = 1 << 20


def shed(server: Server) -> float:
    return server.metric("smw_admission_requests_total", outcome="shed")


# A review that waits for a state that does not come takes half of the caller's 400 ms, whatever
# the machine: so capacity is what --max-in-flight makes of it.
SLOW = post(encode(review()), target=f"{PATH}?timeout=400ms")
IN_FLIGHT = 16


def unsynced(directory: Path, *flags: str) -> Server:
    server = Server(directory, "--shutdown-delay", "0s", *flags)
    server.manifests.rmdir()
    return server


@dataclass
class Asked:
    """What a load got for answers, by status, and how long the longest of each took."""

    count: Counter[int] = field(default_factory=Counter)
    longest: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, answer: Answer, took: float) -> None:
        if answer.status == 503:
            assert answer.header("Retry-After") == "1"
            assert answer.json["details"]["retryAfterSeconds"] == 1
            assert "--max-in-flight" in answer.json["message"]
        with self.lock:
            self.count[answer.status] += 1
            self.longest[answer.status] = max(self.longest[answer.status], took)


def ask(client: RawClient, asked: Asked) -> None:
    start = time.monotonic()
    asked.note(client.ask(SLOW), time.monotonic() - start)


def capacity_of(clients: list[RawClient]) -> float:
    """Reviews a second, of as many callers as may be in flight, each asking on and on."""
    asked = Asked()
    start = time.monotonic()

    def ask_five_times(client: RawClient) -> None:
        for _ in range(5):
            ask(client, asked)

    with ThreadPoolExecutor(len(clients)) as threads:
        list(threads.map(ask_five_times, clients))
    assert asked.count[200] == 5 * len(clients), asked.count
    return asked.count[200] / (time.monotonic() - start)


def offer(clients: list[RawClient], rate: float, seconds: float) -> Asked:
    """So many reviews a second, whether or not the ones before were answered (open loop)."""
    asked = Asked()
    count = int(rate * seconds)
    start = time.monotonic()

    def ask_in_turn(first: int) -> None:
        for number in range(first, count, len(clients)):
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            ask(clients[first], asked)

    with ThreadPoolExecutor(len(clients)) as threads:
        list(threads.map(ask_in_turn, range(len(clients))))
    assert sum(asked.count.values()) == count
    return asked


def test_twice_the_capacity(tmp_path: Path) -> None:
    server = unsynced(tmp_path, "--max-in-flight", str(IN_FLIGHT))
    with ending(server, until_ready=False), ExitStack() as stack:
        # More callers than a rate of twice the capacity can keep busy.
        clients = [
            stack.enter_context(connected(server.port, server.ca)) for _ in range(6 * IN_FLIGHT)
        ]
        capacity = capacity_of(clients[:IN_FLIGHT])
        before = resident(server.process.pid)
        seconds = 5.0
        with bystander(server, reviews=False):
            asked = offer(clients, 2 * capacity, seconds)
        assert set(asked.count) == {200, 503}, asked.count
        assert asked.count[200] >= capacity * seconds / 2
        assert shed(server) == asked.count[503] >= capacity * seconds / 4
        # It is shed without work: at once. Who is in flight is not held up by the others.
        assert asked.longest[503] < 5 and asked.longest[200] < 5
        assert resident(server.process.pid) - before < 32 * MIB
        lines = [line for line in server.log_lines() if line.message == "Reviews are shed"]
        assert 1 <= len(lines) <= 2 + seconds * 2


def test_kube_apiserver_rides_out_a_burst(
    api: Api, namespace: str, tmp_path: Path, register: Register
) -> None:
    """Two hundred Pods at once for two places, both taken until the state is there: each Pod is
    created, and restored, inside its own request, under failurePolicy Fail."""
    burst = 200
    server = unsynced(tmp_path, "--max-in-flight", "2")
    with ending(server, until_ready=False):
        register(server, failurePolicy="Fail", timeoutSeconds=30)

        def create(number: int) -> dict[str, str]:
            spec = pod_spec(container("app", ORIGINAL))
            return images(api.create(job_pod(namespace, f"train-{number}", "train", spec)))

        with ThreadPoolExecutor(burst) as threads:
            created = [threads.submit(create, number) for number in range(burst)]
            poll("most are shed", lambda: shed(server) >= burst / 2)
            server.write_manifests_folder(
                backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT})
            )
            assert [one.result() for one in created] == [{"app": CHECKPOINT}] * burst


def test_seven_mebibytes_in_flight_shed_nobody_who_is_small(tmp_path: Path) -> None:
    server = Server(tmp_path, "--shutdown-delay", "0s")
    server.write_manifest("objects", train_backup())
    with ending(server), ExitStack() as stack:
        announce = (
            f"POST {PATH}?timeout=30s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            "Content-Length: %d\r\n\r\n"
        )
        for length in (7 * MIB, MIB):
            silent = stack.enter_context(connected(server.port, server.ca))
            silent.send((announce % length).encode())
        with bystander(server) as beside:
            beside.goes_on(50)
        assert shed(server) == 0
