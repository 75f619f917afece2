"""examples/, as people apply it."""

from __future__ import annotations

from support.api import Object
from support.deploy import documents, of_kind
from support.settings import REPOSITORY

EXAMPLE = REPOSITORY / "examples/webhook-test.yaml"
EXAMPLE_STATUS = REPOSITORY / "examples/webhook-test-status.yaml"

# What the file says of itself, for kubectl: from 1.24 on; `apply --subresource` came with 1.32.
STORE_STATUS = (
    *("patch", "checkpointbackup", "test-checkpoint-backup", "--namespace", "default"),
    *("--subresource", "status", "--type", "merge", "--patch-file", str(EXAMPLE_STATUS)),
)


def example(kind: str) -> Object:
    return of_kind(documents(EXAMPLE.read_text()), kind)
