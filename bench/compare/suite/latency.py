"""Latency at constant rates, and while a large state is relisted."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import cluster, servers
from .cluster import Cluster
from .goals import Goal, median
from .load import ClosedLoop, closed_loop, constant_rate, warm
from .servers import Running, Server

FRACTIONS = [0.1, 0.25, 0.5, 0.7, 0.9]
RELISTED = 100_000
COLUMNS = ["per_second", "p50_ms", "p99_ms", "p999_ms", "sent_p99_ms", "sent_p999_ms"]
Raw = dict[str, Any]


def measure(rounds: int, seconds: float, peers: bool) -> tuple[list[Goal], Raw]:
    chosen = [servers.OURS] + ([servers.BASE, servers.KUBE_RS, servers.INDEXED] if peers else [])
    raw: Raw = {"load": {server.name: _over_load(server, seconds) for server in chosen}}
    raw["half"], raw["half_base"] = _half(rounds, seconds)
    raw["relist"] = _relisting(rounds, seconds)
    goals = []
    for name, when in (("half", ""), ("relist", f", while {RELISTED:,} objects are relisted")):
        for column, which, limit in (("p99_ms", "p99", 1), ("p999_ms", "p99.9", 5)):
            what = f"{which} at half of capacity{when}"
            goals.append(Goal("Latency", what, median(raw[name], column), limit, "ms"))
    return goals, raw


def _capacity(run: Running, seconds: float) -> float:
    warm(run.process, run.port)
    capacity = closed_loop(run.process, run.port, ClosedLoop(seconds))["per_second"]
    assert isinstance(capacity, float)
    return capacity


def _over_load(server: Server, seconds: float) -> Raw:
    found: Raw = {"rates": []}
    with cluster.running(1) as one:
        kubeconfig = one.kubeconfig if server.cluster else None
        with servers.running(server, kubeconfig) as run:
            found["capacity"] = _capacity(run, seconds)
            for fraction in FRACTIONS:
                rate = found["capacity"] * fraction
                result = constant_rate(run.process, run.port, rate, seconds)
                found["rates"].append(result)
                print(f"latency: {server.name} {_line(result)}", flush=True)
    return found


def _half(rounds: int, seconds: float) -> tuple[list[Raw], list[Raw]]:
    """Ours, and the base at the same rate: what machine and generator make of it anyway."""
    found: tuple[list[Raw], list[Raw]] = ([], [])
    with servers.running(servers.OURS) as ours, servers.running(servers.BASE) as base:
        rate = _capacity(ours, seconds) / 2
        for _ in range(rounds):
            found[0].append(_at(ours, rate, seconds, "half"))
            found[1].append(_at(base, rate, seconds, "half, base"))
    return found


def _relisting(rounds: int, seconds: float) -> list[Raw]:
    with cluster.running(RELISTED) as big, servers.running(servers.OURS, big.kubeconfig) as run:
        rate = _capacity(run, seconds) / 2
        found = []
        for _ in range(rounds):
            with relists(big) as counted:
                result = _at(run, rate, seconds, "relist")
            result["relists"] = len(counted)
            result["relist_seconds"] = statistics.median(counted) if counted else None
            found.append(result)
        return found


def _at(run: Running, rate: float, seconds: float, what: str) -> Raw:
    result = constant_rate(run.process, run.port, rate, seconds)
    print(f"latency: {what} {_line(result)}", flush=True)
    return result


def _line(result: Raw) -> str:
    return (
        f"{result['per_second']:,.0f}/s of {result['rate']:,.0f}/s  p50 {result['p50_ms']:.3f}"
        f"  p99 {result['p99_ms']:.3f}  p99.9 {result['p999_ms']:.3f} ms"
        f"  since it was sent {result['sent_p99_ms']:.3f}, {result['sent_p999_ms']:.3f}"
    )


@contextmanager
def relists(of: Cluster) -> Iterator[list[float]]:
    """One after the other, until the block ends; how long the pages of each took."""
    took: list[float] = []
    stop = threading.Event()

    def again_and_again() -> None:
        while not stop.is_set():
            of.expire()
            while not stop.wait(0.05):
                asked, listed = of.listed()
                if listed:
                    took.append(listed - asked)
                    break

    thread = threading.Thread(target=again_and_again)
    thread.start()
    try:
        yield took
    finally:
        stop.set()
        thread.join()


def show(raw: Raw) -> str:
    """At half of what this server can do."""
    lines = ["| at half of capacity | reviews/s | p50 / p99 / p99.9 ms | since it was sent: p99 / p99.9 |"]
    lines.append("|---|---|---|---|")
    names = {"half": "ours", "half_base": "base, same rate", "relist": "ours, relisting"}
    for key, name in names.items():
        rate, p50, p99, p999, sent99, sent999 = (median(raw[key], column) for column in COLUMNS)
        lines.append(
            f"| {name} | {rate:,.0f} | {p50:.2f} / {p99:.2f} / {p999:.2f} | {sent99:.2f} / {sent999:.2f} |"
        )
    return "\n".join(lines)
