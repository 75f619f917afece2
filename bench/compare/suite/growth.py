"""What a review costs as the state grows, by its Job's owner, and on two shards."""

from __future__ import annotations

import contextlib
from typing import Any

from . import cluster, servers
from .goals import Goal, median
from .load import ClosedLoop, closed_loop, warm
from .servers import Running, Server
from .settings import LOAD_CORE, SERVER_CORE

COUNTS = [1, 100, 10_000, 100_000]
# Not named as its Jobs are: only their owner tells.
CRONJOB = "nightly-work"
Raw = dict[str, Any]


def measure(rounds: int, seconds: float, peers: bool) -> tuple[list[Goal], Raw]:
    raw: Raw = {"backups": _by_count(rounds, seconds, peers)}
    raw["cronjob"] = _cronjob(rounds, seconds)
    raw["shards"] = _shards(rounds, seconds)
    ours = raw["backups"]["ours"]
    more = (median(ours["100000"], "cpu_us") / median(ours["1"], "cpu_us") - 1) * 100
    cronjob = median(raw["cronjob"]["cronjob"], "cpu_us") / median(raw["cronjob"]["job"], "cpu_us")
    shards = 2 * median(raw["shards"]["one"], "cpu_us") / median(raw["shards"]["two"], "cpu_us")
    return [
        Goal("Growth", "CPU per review, 1 → 100,000 backups", more, 10, "%"),
        Goal("Growth", "CronJob match of a Job match, the Job known", cronjob, 1.3, "×"),
        Goal("Growth", "two shards of one, by CPU per review", shards, 1.8, "×", at_least=True),
    ], raw


def _in_turn(runs: dict[str, Running], rounds: int, seconds: float) -> Raw:
    """All are up at a time, so that what else the machine does meets all of them."""
    found: Raw = {name: [] for name in runs}
    for run in runs.values():
        warm(run.process, run.port)
    for number in range(rounds):
        for name, run in runs.items():
            result = closed_loop(run.process, run.port, ClosedLoop(seconds))
            found[name].append(result)
            print(f"round {number + 1}: {name:10} {result['cpu_us']:.1f} µs", flush=True)
    return found


def _by_count(rounds: int, seconds: float, peers: bool) -> Raw:
    chosen = [servers.OURS] + ([servers.KUBE_RS, servers.INDEXED, servers.LISTING] if peers else [])
    found: Raw = {server.name: {} for server in chosen}
    with contextlib.ExitStack() as stack:
        clusters = {
            count: stack.enter_context(cluster.running(count)).kubeconfig for count in COUNTS
        }
        for server in chosen:
            print(f"growth: {server.name}", flush=True)
            with contextlib.ExitStack() as one:
                runs = {
                    str(count): one.enter_context(servers.running(server, clusters[count]))
                    for count in COUNTS
                    if may_measure(server, count)
                }
                found[server.name] = _in_turn(runs, rounds, seconds)
    return found


def may_measure(server: Server, count: int) -> bool:
    """Listing 100,000 for each of 16 reviews at a time takes gigabytes and minutes."""
    return server is not servers.LISTING or count <= 10_000


def _cronjob(rounds: int, seconds: float) -> Raw:
    print("growth: CronJob", flush=True)
    with contextlib.ExitStack() as stack:
        job = stack.enter_context(cluster.running(1)).kubeconfig
        cronjob = stack.enter_context(cluster.running(1, CRONJOB)).kubeconfig
        runs = {
            "job": stack.enter_context(servers.running(servers.OURS, job)),
            "cronjob": stack.enter_context(servers.running(servers.OURS, cronjob)),
        }
        return _in_turn(runs, rounds, seconds)


def _shards(rounds: int, seconds: float) -> Raw:
    print("growth: shards", flush=True)
    two = servers.with_flags("two shards", "", "--log-level", "warn", "--threads", "2")
    with contextlib.ExitStack() as stack:
        runs = {
            "one": stack.enter_context(servers.running(servers.OURS)),
            "two": stack.enter_context(
                servers.running(two, cores=f"{SERVER_CORE},{LOAD_CORE}")
            ),
        }
        return _in_turn(runs, rounds, seconds)
