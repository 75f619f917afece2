"""A server as a process: started on its core, looked at through /proc."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from .settings import LOAD_CORE, PATIENCE, SERVER_CORE, CannotMeasure

TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pinned(core: int | str, *command: str | Path) -> list[str]:
    return ["taskset", "-c", str(core), *map(str, command)]


class Process:
    """A child in `cores`, its output in `log`, or in a pipe that the load's core reads."""

    def __init__(
        self,
        command: list[str],
        log: Path,
        cores: int | str = SERVER_CORE,
        piped: bool = False,
        environment: dict[str, str] | None = None,
    ) -> None:
        self._reader: subprocess.Popen[bytes] | None = None
        self.log = log
        # What the server would read as its configuration stays out.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("SMW_", "KUBE"))}
        if piped:
            self._reader = subprocess.Popen(
                pinned(LOAD_CORE, "sh", "-c", f"cat >{os.devnull}"), stdin=subprocess.PIPE
            )
            output = self._reader.stdin
        else:
            output = log.open("wb")
        assert output is not None
        with output:
            self._child = subprocess.Popen(
                pinned(cores, *command),
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**inherited, **(environment or {})},
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    def check(self) -> None:
        if self._child.poll() is not None:
            said = self.log.read_text()[-2000:] if self.log.exists() else ""
            raise CannotMeasure(f"{self._child.args} ended: {said}")

    def cpu(self) -> float:
        """Seconds of CPU that it has taken, all threads together."""
        # The name in parentheses may hold blanks.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss(self) -> float:
        """Resident memory in MB."""
        return self._status("VmRSS")

    def peak(self) -> float:
        """The most that it ever had resident, since the last forget_peak(), in MB."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def _status(self, field: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024 / 1e6
        raise CannotMeasure(f"no {field} of {self._child.args}")

    def end(self) -> None:
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(10)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        if self._reader is not None:
            self._reader.wait(10)


def wait_until(done: Callable[[], bool], what: str, process: Process, pause: float = 0.01) -> None:
    """`done` is asked until it is true; the process must not end before."""
    until = time.monotonic() + PATIENCE
    while not done():
        process.check()
        if time.monotonic() > until:
            raise CannotMeasure(f"waited {PATIENCE:.0f} s in vain: {what}")
        time.sleep(pause)
