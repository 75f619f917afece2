"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from .settings import PATIENCE

T = TypeVar("T")


def poll(what: str, probe: Callable[[], T | None], patience: float = PATIENCE) -> T:
    """Calls `probe` until it returns something true, and returns that."""
    deadline = time.monotonic() + patience
    pause = 0.01
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience:g} s: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
