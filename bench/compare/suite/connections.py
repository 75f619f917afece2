"""What a connection costs, and a start."""

from __future__ import annotations

import http.client
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from . import cluster, fixture, servers
from .goals import Goal, median
from .load import ClosedLoop, closed_loop, warm
from .process import Process, wait_until
from .servers import Start

OBJECTS = 10_000
Raw = dict[str, Any]


def handshakes(rounds: int, seconds: float, peers: bool) -> tuple[list[Goal], Raw]:
    """A full TLS 1.3 handshake, one review, the end: by the server's CPU time."""
    chosen = [servers.OURS] + ([servers.BASE, servers.KUBE_RS, servers.INDEXED] if peers else [])
    raw: Raw = {server.name: [] for server in chosen}
    loop = ClosedLoop(seconds, close=True)
    with cluster.running(1) as one:
        for _ in range(rounds):
            for server in chosen:
                kubeconfig = one.kubeconfig if server.cluster else None
                with servers.running(server, kubeconfig) as run:
                    warm(run.process, run.port, loop)
                    result = closed_loop(run.process, run.port, loop)
                raw[server.name].append(result)
                each = 1e6 / result["cpu_us"]
                print(f"handshakes: {server.name} {each:,.0f}/s of CPU", flush=True)
    ours = 1e6 / median(raw["ours"], "cpu_us")
    what = "with a review each, a second of CPU"
    return [Goal("Handshakes", what, ours, 2_500, "/s", at_least=True)], raw


def starts(rounds: int) -> tuple[list[Goal], Raw]:
    """With OBJECTS backups: until it listens; from the first page asked for until it is ready."""
    raw: Raw = {"listening_ms": [], "ready_s": []}
    with cluster.running(OBJECTS) as big:
        for _ in range(max(rounds, 3)):
            _start(big, raw)
    print(f"start: {raw}", flush=True)
    listening, ready = (statistics.median(raw[name]) for name in ("listening_ms", "ready_s"))
    return [
        Goal("Start", "listening", listening, 100, "ms"),
        Goal("Start", f"ready, after {OBJECTS:,} objects were asked for", ready, 1, "s"),
    ], raw


def _start(big: cluster.Cluster, raw: Raw) -> None:
    big.expire()  # which also forgets the list before
    with tempfile.TemporaryDirectory(prefix="compare-") as name:
        start = Start(Path(name), big.kubeconfig)
        fixture.make_certificate(start.certificates)
        command = servers.OURS.command(start)
        since = time.monotonic()
        process = Process(command, start.folder / "log")
        try:
            wait_until(lambda: servers.listens(start.port), "it listens", process, 0.001)
            raw["listening_ms"].append((time.monotonic() - since) * 1e3)
            wait_until(lambda: _ready(start.probes), "it is ready", process, 0.001)
            raw["ready_s"].append(time.time() - big.listed()[0])
        finally:
            process.end()


def _ready(port: int) -> bool:
    caller = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        caller.request("GET", "/readyz")
        return caller.getresponse().status == 200
    except OSError:
        return False
    finally:
        caller.close()
