"""CPU per review in a closed loop: each server in turn, several rounds."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from . import cluster, servers
from .goals import Goal, median
from .load import ClosedLoop, closed_loop, warm
from .servers import Server

COLUMNS = ["cpu_us", "per_second", "p50_ms", "p99_ms", "p999_ms", "rss_mb"]
Results = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Case:
    server: Server
    backups: int = 1

    @property
    def name(self) -> str:
        many = f", {self.backups:,} backups" if self.backups > 1 else ""
        return f"{self.server.name}{many}"


CASES = [
    Case(servers.BASE),
    Case(servers.OURS),
    Case(servers.OURS_INFO),
    Case(servers.KUBE_RS),
    Case(servers.INDEXED, 10_000),
    Case(servers.LISTING),
    Case(servers.LISTING, 10_000),
]


def measure(only: list[str], rounds: int, seconds: float) -> tuple[list[Goal], Results]:
    """All cases, or those of the servers named in `only`."""
    cases = [case for case in CASES if not only or case.server.name in only]
    for case in cases:
        case.server.build()
    results = compare(cases, rounds, seconds)
    return goals(results), results


def compare(cases: list[Case], rounds: int, seconds: float) -> Results:
    results: Results = {case.name: [] for case in cases}
    counts = {case.backups for case in cases if case.server.cluster}
    with contextlib.ExitStack() as stack:
        clusters = {count: stack.enter_context(cluster.running(count)) for count in counts}
        for number in range(rounds):
            for case in cases:
                kubeconfig = clusters[case.backups].kubeconfig if case.server.cluster else None
                with servers.running(case.server, kubeconfig) as run:
                    warm(run.process, run.port)
                    found = closed_loop(run.process, run.port, ClosedLoop(seconds))
                results[case.name].append(found)
                print(f"round {number + 1}: {case.name:24} {_line(found)}", flush=True)
    return results


def _line(found: dict[str, Any]) -> str:
    return "  ".join(f"{name} {found[name]:.3g}" for name in COLUMNS)


def show(results: Results) -> str:
    lines = ["| server | CPU per review | × base | reviews/s | p50 / p99 / p99.9 ms | RSS |"]
    lines.append("|---|---|---|---|---|---|")
    base = median(results["base"], "cpu_us") if results.get("base") else None
    for name, found in results.items():
        cpu, rate, p50, p99, p999, rss = (median(found, column) for column in COLUMNS)
        ratio = f"{cpu / base:.2f}" if base else "–"
        lines.append(
            f"| {name} | {cpu:.1f} µs | {ratio} | {rate:,.0f} | {p50:.2f} / {p99:.2f} / {p999:.2f}"
            f" | {rss:.1f} MB |"
        )
    return "\n".join(lines)


def goals(results: Results) -> list[Goal]:
    """Of those that were measured."""
    limits = [
        ("ours", "base", 1.4, "of the base, at warn"),
        ("ours-info", "base", 4, "of the base, at info into a pipe"),
        ("ours", "kube-rs", 1 / 2.5, "of kube-rs"),
        ("ours", "indexed, 10,000 backups", 1 / 20, "of controller-runtime with an index"),
    ]
    found = [
        Goal("CPU per review", what, _ratio(results, one, other, "cpu_us"), limit, "×")
        for one, other, limit, what in limits
        if results.get(one) and results.get(other)
    ]
    listing = "listing, 10,000 backups"
    if results.get("ours") and results.get(listing):
        times = _ratio(results, "ours", listing, "per_second")
        what = "of listing 10,000 backups for each review"
        found.append(Goal("Throughput", what, times, 200, "×", at_least=True))
    return found


def _ratio(results: Results, one: str, other: str, column: str) -> float:
    return median(results[one], column) / median(results[other], column)
