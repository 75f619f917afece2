"""What a run found, as JSON, as tables and in docs/performance.md."""

from __future__ import annotations

import datetime
import json
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import build, closed, goals, latency, plots
from .goals import Goal
from .settings import ROOT, CannotMeasure

PAGE = ROOT / "docs/performance.md"
FROM, TO = "<!-- measured: from here", "<!-- measured: to here -->"


class Report:
    def __init__(self, command: str) -> None:
        self.goals: list[Goal] = []
        self.raw: dict[str, Any] = {}
        self.failed: list[str] = []
        self._head = {
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "command": command,
            "machine": _machine(),
            "programs": _programs(),
        }

    def measure(self, topic: str, measured: Callable[[], tuple[list[Goal], Any]]) -> None:
        """One that fails takes nothing from the others."""
        try:
            goals, self.raw[topic] = measured()
            self.goals += goals
        except CannotMeasure as error:
            print(f"{topic}: {error}", file=sys.stderr, flush=True)
            self.failed.append(topic)

    def tables(self) -> str:
        parts = [f"- {name}: {text}" for name, text in self._head.items()]
        if self.failed:
            parts.append(f"- could not be measured: {', '.join(self.failed)}")
        text = "\n".join(parts) + "\n\n" + goals.show(self.goals)
        if "closed" in self.raw:
            text += "\n\n" + closed.show(self.raw["closed"])
        if "latency" in self.raw:
            text += "\n\n" + latency.show(self.raw["latency"])
        return text

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        found = {**self._head, "goals": [goal.as_json() for goal in self.goals], **self.raw}
        (folder / "measured.json").write_text(json.dumps(found, indent=1) + "\n")
        plots.draw(self.raw, folder)

    def write_page(self) -> None:
        """The tables into docs/performance.md, the plots beside it."""
        head, _, rest = PAGE.read_text().partition(FROM)
        line, _, rest = rest.partition("\n")
        tail = rest.partition(TO)[2]
        PAGE.write_text(f"{head}{FROM}{line}\n\n{self.tables()}\n\n{TO}{tail}")
        plots.draw(self.raw, PAGE.with_suffix(""))


def _machine() -> str:
    cpus = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in cpus if line.startswith("model name")]
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    kernel = f"Linux {platform.release()}"
    return f"{len(models)} × {models[0]}, {memory:.0f} GiB, {system}, {kernel}"


def _programs() -> str:
    said = {
        "this server": _said([str(build.ours()), "version"], r"\S+ \(\w+\)"),
        "g++": _said(["g++", "-dumpfullversion"], r"\S+"),
        "OpenSSL": _said(["openssl", "version"], r"\d\S+"),
        "wrk": _said(["wrk", "-v"], r"\d\S+"),
        "oha": build.OHA_VERSION,
    }
    return ", ".join(f"{name} {version}" for name, version in said.items())


def _said(command: list[str], version: str) -> str:
    found = re.search(version, subprocess.run(command, capture_output=True, text=True).stdout)
    return found[0] if found else "?"
