"""Memory: after the start, for each object, through a relist, over many reviews, of connections."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import cluster, fixture, servers
from .goals import Goal
from .load import ClosedLoop, closed_loop
from .process import wait_until
from .servers import Running

OBJECTS = 100_000
IDLE = 1_000
MEBI = 1 << 20
Raw = dict[str, Any]


def measure(reviews: int, scratch: Path) -> tuple[list[Goal], Raw]:
    raw: Raw = {}
    goals = _few(raw, reviews) + _idle(raw) + _large(raw, scratch)
    return goals + _many(raw), raw


def _few(raw: Raw, reviews: int) -> list[Goal]:
    with servers.running(servers.OURS) as run:
        raw["start_mb"] = run.process.rss()
        raw["flat"] = _flat(run, reviews)
    # Until a tenth of the reviews every buffer has had its largest content.
    first = [mb for done, mb in raw["flat"] if done >= reviews / 10][0]
    more = raw["flat"][-1][1] - first
    print(f"memory: {raw['start_mb']:.1f} MB at first, {more:+.2f} MB over {reviews:,} reviews")
    return [
        Goal("Memory", "after start", raw["start_mb"], 16, "MB"),
        Goal("Memory", f"more after {reviews:,} reviews", more, 0.5, "MB"),
    ]


def _flat(run: Running, reviews: int) -> list[tuple[int, float]]:
    seen = [(0, run.process.rss())]
    while seen[-1][0] < reviews:
        result = closed_loop(run.process, run.port, ClosedLoop(2))
        seen.append((seen[-1][0] + result["reviews"], result["rss_mb"]))
    return seen


def _many(raw: Raw) -> list[Goal]:
    with cluster.running(1) as one, servers.running(servers.OURS, one.kubeconfig) as run:
        few = run.process.rss()
    with cluster.running(OBJECTS) as big, servers.running(servers.OURS, big.kubeconfig) as run:
        stays = run.process.rss()
        run.process.forget_peak()
        big.expire()
        wait_until(lambda: big.listed()[1] > 0, "the relist", run.process)
        time.sleep(1)
        raw["relist"] = {"before_mb": stays, "peak_mb": run.process.peak()}
        raw["relist"]["after_mb"] = run.process.rss()
    raw["bytes_per_backup"] = (stays - few) * 1e6 / OBJECTS
    peak = raw["relist"]["peak_mb"] / stays
    each = raw["bytes_per_backup"]
    print(f"memory: {each:.0f} bytes a backup, relist {raw['relist']}", flush=True)
    return [
        Goal("Memory", f"a CheckpointBackup, of {OBJECTS:,}", each, 500, "bytes"),
        Goal("Memory", f"peak of a relist of {OBJECTS:,}, of what stays", peak, 1.3, "×"),
    ]


def _idle(raw: Raw) -> list[Goal]:
    with servers.running(servers.OURS) as run:
        before = run.process.rss()
        with _connections(run.port, IDLE):
            raw["idle_mb"] = run.process.rss() - before
    print(f"memory: {IDLE:,} idle connections {raw['idle_mb']:.1f} MB", flush=True)
    return [Goal("Memory", f"{IDLE:,} idle connections", raw["idle_mb"], 95, "MB")]


@contextlib.contextmanager
def _connections(port: int, count: int) -> Iterator[None]:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            bare = socket.create_connection(("127.0.0.1", port))
            stack.enter_context(context.wrap_socket(bare))
        time.sleep(0.5)
        yield


def _large(raw: Raw, scratch: Path) -> list[Goal]:
    """A pod with annotations of 1 MiB; a review just below the limit of 7 MiB."""
    pod = _padded(scratch / "1m.json", MEBI)
    review = _padded(scratch / "6.9m.json", int(6.9 * MEBI))
    one_at_a_time = ClosedLoop(3, 1, pod)
    with servers.running(servers.OURS) as run:
        pod_error = fixture.check_answer(run.port, pod)
        raw["large_pod"] = closed_loop(run.process, run.port, one_at_a_time)
        before = run.process.rss()
        review_error = fixture.check_answer(run.port, review)
        time.sleep(1)
        raw["large_review"] = {"before_mb": before, "after_mb": run.process.rss()}
        raw["large_review"]["wrong"] = pod_error or review_error
    more = raw["large_review"]["after_mb"] - before
    milliseconds = raw["large_pod"]["p50_ms"]
    print(f"memory: 1 MiB pod {milliseconds:.2f} ms, 6.9 MiB review {raw['large_review']}")
    answered = 0.0 if raw["large_review"]["wrong"] else 1.0
    return [
        Goal("Big input", "1 MiB pod, answered in (p50, over TLS)", milliseconds, 5, "ms"),
        Goal("Big input", "6.9 MiB review answered", answered, 1, "", at_least=True),
        Goal("Big input", "memory that stays after it", more, 1, "MB"),
    ]


def _padded(path: Path, size: int) -> Path:
    """The review with annotations until it has that size."""
    review = json.loads(fixture.REVIEW.read_bytes())
    annotations = review["request"]["object"]["metadata"].setdefault("annotations", {})
    while (missing := size - len(json.dumps(review))) > 100:
        annotations[f"example.com/note-{len(annotations):05}"] = "x" * min(missing - 40, 4000)
    path.write_text(json.dumps(review))
    return path
