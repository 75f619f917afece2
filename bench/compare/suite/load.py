"""The load generators, on the load's core: wrk for closed loops, oha for constant rates."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import build
from .process import Process, pinned
from .settings import CONNECTIONS, HERE, LOAD_CORE, PATH, REVIEW, CannotMeasure

# Seconds of a constant rate that do not count: oha starts late and catches up.
SETTLING = 3


@dataclass
class ClosedLoop:
    """How hard wrk asks: each connection sends its next review when it has the answer."""

    seconds: float = 8
    connections: int = CONNECTIONS
    review: Path = REVIEW
    # A connection for each review.
    close: bool = False


def closed_loop(process: Process, port: int, loop: ClosedLoop) -> dict[str, Any]:
    """One run against a server that answers, and what a review cost the server."""
    command = ["wrk", "-t", "1", "-c", str(loop.connections), "-d", f"{loop.seconds:.0f}s"]
    command += ["--timeout", "30s", "-s", str(HERE / "review.lua")]
    command += [f"https://127.0.0.1:{port}{PATH}", "--", str(loop.review)]
    command += ["close"] if loop.close else []
    cpu = process.cpu()
    ran = subprocess.run(pinned(LOAD_CORE, *command), capture_output=True, text=True)
    cpu = process.cpu() - cpu
    process.check()
    if ran.returncode != 0:
        raise CannotMeasure(f"wrk failed: {ran.stdout}{ran.stderr}")
    found: dict[str, Any] = json.loads(ran.stdout.rstrip().rpartition("\n")[2])
    if found["bad_status"]:
        raise CannotMeasure(f"{found['bad_status']} of {found['reviews']} answers were refusals")
    # Where each review has its own connection, wrk counts its end now and then as an error.
    if found["broken"] and not loop.close:
        raise CannotMeasure(f"{found['broken']} connections broke")
    found["cpu_us"] = cpu * 1e6 / max(found["reviews"], 1)
    found["per_second"] = found["reviews"] / found["seconds"]
    found["rss_mb"] = process.rss()
    found["peak_mb"] = process.peak()
    return found


def warm(process: Process, port: int, loop: ClosedLoop | None = None) -> None:
    loop = loop or ClosedLoop()
    closed_loop(process, port, ClosedLoop(1, loop.connections, loop.review, loop.close))
    time.sleep(0.2)


def constant_rate(process: Process, port: int, rate: float, seconds: float) -> dict[str, Any]:
    """Reviews at a rate that waits for nobody: latency counts from when each was due."""
    command = [str(build.oha()), "--no-tui", "--output-format", "json", "--latency-correction"]
    command += ["-z", f"{SETTLING + seconds:.0f}s", "-q", f"{rate:.0f}", "-c", str(CONNECTIONS)]
    command += ["-m", "POST", "-D", str(REVIEW), "-T", "application/json", "--insecure"]
    command += ["--disable-compression", "-w", f"https://127.0.0.1:{port}{PATH}"]
    with tempfile.TemporaryDirectory(prefix="compare-") as folder:
        requests = Path(folder) / "requests.sqlite"
        command += ["--db-url", str(requests)]
        ran = subprocess.run(pinned(LOAD_CORE, *command), capture_output=True, text=True)
        process.check()
        if ran.returncode != 0:
            raise CannotMeasure(f"oha failed: {ran.stdout}{ran.stderr}")
        said = json.loads(ran.stdout)
        found = _latencies(requests)
    refused = {code: n for code, n in said["statusCodeDistribution"].items() if code != "200"}
    broken = {why: n for why, n in said["errorDistribution"].items() if "deadline" not in why}
    if refused or broken:
        raise CannotMeasure(f"not all reviews were answered: {refused}{broken}")
    return {"rate": rate, "per_second": said["summary"]["requestsPerSec"], **found}


def _latencies(requests: Path) -> dict[str, Any]:
    """In ms, of what was due after the first seconds, when all connections are old."""
    with contextlib.closing(sqlite3.connect(requests)) as database:
        rows = database.execute(
            "SELECT start_latency_correction, start, end FROM oha WHERE start_latency_correction > ?",
            (SETTLING,),
        ).fetchall()
    if not rows:
        raise CannotMeasure("oha has noted no reviews")
    due = sorted(end - due for due, _, end in rows)
    sent = sorted(end - start for _, start, end in rows)
    found = {"slowest_ms": due[-1] * 1e3}
    for name, share in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999)):
        found[f"{name}_ms"] = due[int(share * (len(due) - 1))] * 1e3
        # Without what waited in the generator for a connection.
        found[f"sent_{name}_ms"] = sent[int(share * (len(sent) - 1))] * 1e3
    return found
