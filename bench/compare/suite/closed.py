"""CPU per review in a closed loop: each server in turn, several rounds."""

from __future__ import annotations

import statistics
from typing import Any

from .load import ClosedLoop, closed_loop, warm
from .servers import Server, running

COLUMNS = ["cpu_us", "per_second", "p50_ms", "p99_ms", "p999_ms", "rss_mb"]


def compare(servers: list[Server], rounds: int, seconds: float) -> dict[str, list[dict[str, Any]]]:
    results: dict[str, list[dict[str, Any]]] = {server.name: [] for server in servers}
    for number in range(rounds):
        for server in servers:
            with running(server) as run:
                warm(run.process, run.port)
                found = closed_loop(run.process, run.port, ClosedLoop(seconds))
            results[server.name].append(found)
            print(f"round {number + 1}: {server.name:12} {line(found)}", flush=True)
    return results


def line(found: dict[str, Any]) -> str:
    return "  ".join(f"{name} {found[name]:.3g}" for name in COLUMNS)


def median(results: list[dict[str, Any]], column: str) -> float:
    return statistics.median(result[column] for result in results)


def show(results: dict[str, list[dict[str, Any]]]) -> None:
    print(f"\n{'':14}{'CPU µs':>8}{'of base':>9}{'reviews/s':>11}{'p50 ms':>8}{'p99':>8}{'p99.9':>8}{'RSS MB':>8}")
    base = median(results["base"], "cpu_us") if results.get("base") else None
    for name, found in results.items():
        cpu, rate, *rest = (median(found, column) for column in COLUMNS)
        ratio = f"{cpu / base:.2f}×" if base else "–"
        print(f"{name:14}{cpu:8.1f}{ratio:>9}{rate:11,.0f}" + "".join(f"{value:8.2f}" for value in rest))
