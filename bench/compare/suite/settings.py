"""Where things are, and how the machine is shared."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]
BUILD = ROOT / "build/compare"
CACHE = (
    Path(
        os.environ.get("SMW_CACHE_DIR")
        or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        / "stateful-migration-webhook"
    )
)

# The server has a core of its own; the load, and who reads its log, have the other.
SERVER_CORE = 0
LOAD_CORE = 1

CONNECTIONS = 16
PATH = "/mutate-v1-pod"
REVIEW = ROOT / "tests/data/reviews-1.36/002-create-pod.json"

# Upper bound of a wait; nothing takes this long.
PATIENCE = 60.0


class CannotMeasure(Exception):
    """Something is missing, or a server does not do what it is measured for."""
