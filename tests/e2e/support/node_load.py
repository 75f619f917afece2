"""Load on a real cluster: no creation may fail, and each must be restored."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from .load import Load
from .node import Cluster
from .objects import backup
from .poll import poll
from .world import CHECKPOINT

CLIENTS = 8
AROUND = 500  # creations, before and after


@contextlib.contextmanager
def steady(cluster: Cluster, unrestored: bool = False) -> Iterator[Load]:
    """Load until the block ends, which fails unless every creation succeeded and was restored; with
    `unrestored` it need not be."""
    load = Load(cluster.api, cluster.namespace)
    cluster.apply(backup(cluster.namespace, "train", ("Job", "train"), {"app": CHECKPOINT}))
    poll("a Pod is restored", lambda: not load.create())
    begin = time.monotonic()
    with load.running(CLIENTS):
        load.more(AROUND)
        yield load
        load.more(AROUND)
    told = f"{load.count} creations in {time.monotonic() - begin:.0f} s: {len(load.failed)} failed"
    told += f", {len(load.unrestored)} not restored"
    print(told)
    assert not load.failed, f"{told}: {load.failed[:3]}"
    assert unrestored or not load.unrestored, f"{told}: {load.unrestored[:3]}"
