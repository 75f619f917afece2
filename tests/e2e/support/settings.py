"""Paths and the rule for what happens when something that a test needs is not there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]

# Upper bound of a wait. Nothing takes this long; a loaded machine must not turn a test red.
PATIENCE = 60.0


def binary() -> Path:
    """The server under test: SMW_BINARY, else what the preset `dev` builds."""
    default = REPOSITORY / "build/release/bin/stateful-migration-webhook"
    return Path(os.environ.get("SMW_BINARY") or default).absolute()


def required() -> bool:
    """CI must not pass because a test did not run."""
    return os.environ.get("CI") == "true" or os.environ.get("SMW_REQUIRE_E2E") == "1"


def cannot_run(why: str) -> NoReturn:
    """Skips the test, or fails it where tests are required to run."""
    if required():
        raise pytest.fail.Exception(why, pytrace=False)
    raise pytest.skip.Exception(why)
