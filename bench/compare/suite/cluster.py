"""An API server with as many CheckpointBackups as a measurement needs (bench/compare/apiserver)."""

from __future__ import annotations

import contextlib
import json
import ssl
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from . import build, fixture
from .process import Process, wait_until
from .settings import LOAD_CORE


class Cluster:
    """What can be asked of it while it runs."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        text = kubeconfig.read_text()
        self._url = text.partition('server: "')[2].partition('"')[0]

    def expire(self) -> None:
        """All watches end as too old: who follows lists again. Also forgets the list before."""
        self._ask("POST", "/control/expire")

    def listed(self) -> tuple[float, float]:
        """When the last list began and when its last page was answered; 0: not yet."""
        times = json.loads(self._ask("GET", "/control/listed"))
        return times["asked"], times["listed"]

    def _ask(self, method: str, path: str) -> bytes:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        request = urllib.request.Request(self._url + path, method=method)
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            body: bytes = answer.read()
        return body


@contextlib.contextmanager
def running(count: int, cronjob: str | None = None) -> Iterator[Cluster]:
    """With `count` backups, one of them of the review's Job, or of the CronJob that owns it."""
    with tempfile.TemporaryDirectory(prefix="compare-cluster-") as name:
        folder = Path(name)
        # It must not take the core's time from the load.
        command = ["nice", "-n", "19", str(build.apiserver()), "-folder", name]
        command += ["-count", str(count), "-template", str(fixture.BACKUP)]
        command += ["-job", fixture.JOB, "-uid", fixture.job_uid()]
        command += ["-cronjob", cronjob] if cronjob else []
        process = Process(command, folder / "log", LOAD_CORE)
        try:
            kubeconfig = folder / "kubeconfig"
            wait_until(kubeconfig.exists, "the API server starts", process)
            yield Cluster(kubeconfig)
        finally:
            process.end()
