"""Twice what the server can: an open loop, and the server held to a quarter of its core."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import build, servers
from .goals import Goal
from .load import ClosedLoop, closed_loop, warm
from .process import Process, pinned
from .servers import Running
from .settings import LOAD_CORE, PATH, REVIEW, CannotMeasure

# As many as the API server would have open while it waits for answers, below --max-connections.
CONNECTIONS = 512
# One core of load makes no more than a whole core of this server answers. In so short a period that
# waiting for the next one is no long wait.
QUOTA_US, PERIOD_US = 1_000, 4_000
Raw = dict[str, Any]


def measure(seconds: float) -> tuple[list[Goal], Raw]:
    with servers.running(servers.OURS) as run, _quarter(run.process):
        warm(run.process, run.port)
        capacity = closed_loop(run.process, run.port, ClosedLoop(seconds))
        before = run.process.rss()
        found = _open_loop(run, 2 * capacity["per_second"], seconds)
        found["capacity"] = capacity["per_second"]
        found["more_mb"] = run.process.peak() - before
    print(f"overload: {found}", flush=True)
    answered = found["answered"] / found["capacity"]
    what = "answered at 2 × capacity, of capacity"
    goals = [
        Goal("Overload", what, answered, 0.9, "×", at_least=True),
        Goal("Overload", "more memory at its peak", found["more_mb"], 64, "MB"),
    ]
    if found["refused"]:
        goals.append(Goal("Overload", "p99 of 503", found["refused_p99_ms"], 5, "ms"))
    return goals, found


def _open_loop(run: Running, rate: float, seconds: float) -> Raw:
    command = [str(build.oha()), "--no-tui", "--output-format", "json", "--stats-success-breakdown"]
    command += ["-z", f"{seconds:.0f}s", "-q", f"{rate:.0f}", "-c", str(CONNECTIONS), "-m", "POST"]
    command += ["-D", str(REVIEW), "-T", "application/json", "--insecure", "--disable-compression"]
    ran = subprocess.run(
        pinned(LOAD_CORE, *command, f"https://127.0.0.1:{run.port}{PATH}"),
        capture_output=True,
        text=True,
    )
    run.process.check()
    if ran.returncode != 0:
        raise CannotMeasure(f"oha failed: {ran.stdout}{ran.stderr}")
    said = json.loads(ran.stdout)
    codes = {int(code): count for code, count in said["statusCodeDistribution"].items()}
    took = said["summary"]["total"]
    if set(codes) - {200, 503}:
        raise CannotMeasure(f"other answers than 200 and 503: {codes}")
    return {
        "asked": rate,
        "answered": codes.get(200, 0) / took,
        "refused": codes.get(503, 0) / took,
        "answered_p99_ms": _p99(said, "latencyPercentilesSuccessful"),
        "refused_p99_ms": _p99(said, "latencyPercentilesNotSuccessful"),
        "errors": said["errorDistribution"],
    }


def _p99(said: Raw, name: str) -> float | None:
    value = (said.get(name) or {}).get("p99")
    return None if value is None else value * 1e3


@contextlib.contextmanager
def _quarter(process: Process) -> Iterator[None]:
    """The process in a control group of its own, of version 1 or 2."""
    first = Path("/sys/fs/cgroup/cpu")
    group = (first if first.is_dir() else Path("/sys/fs/cgroup")) / f"compare-{os.getpid()}"
    home = _group_of(process, first)
    try:
        group.mkdir()
        if first.is_dir():
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(QUOTA_US))
        else:
            (group / "cpu.max").write_text(f"{QUOTA_US} {PERIOD_US}")
        (group / "cgroup.procs").write_text(str(process.pid))
    except OSError as error:
        raise CannotMeasure(f"overload needs a control group (root?): {error}") from None
    try:
        yield
    finally:
        (home / "cgroup.procs").write_text(str(process.pid))
        group.rmdir()


def _group_of(process: Process, first: Path) -> Path:
    """Where it is now, to go back to."""
    for line in Path(f"/proc/{process.pid}/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if "cpu" in controllers.split(","):
            return first / path.lstrip("/")
    return Path("/sys/fs/cgroup") / line.split(":", 2)[2].lstrip("/")
