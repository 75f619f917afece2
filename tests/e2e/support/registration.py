"""Registering webhooks, and knowing when the API server has taken notice."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from typing import Any

from .api import Api, Object
from .objects import SELF_TEST, container, job_pod, pod_spec, webhook_configuration
from .poll import poll
from .server import Server


def self_test_pod(namespace: str, nonce: str) -> Object:
    spec = pod_spec(container("app", "busybox:1.36"))
    return job_pod(namespace, f"self-test-{nonce}", "self-test", spec, {SELF_TEST: nonce})


def answers(api: Api, namespace: str) -> bool:
    """Whether the API server asks our webhook about pods of this namespace (spec 3.1)."""
    nonce = secrets.token_hex(4)
    warnings = api.dry_run(self_test_pod(namespace, nonce)).warnings
    return any(text.endswith(f"answered {nonce}") for text in warnings)


@contextlib.contextmanager
def configuration(api: Api, body: Object) -> Iterator[Object]:
    api.create(body)
    try:
        yield body
    finally:
        api.delete(body)


@contextlib.contextmanager
def registered(
    api: Api,
    namespace: str,
    server: Server,
    name: str = "a",
    port: int | None = None,
    ca: str | None = None,
    **fields: Any,
) -> Iterator[Object]:
    """Our webhook for the pods of a namespace, until the block ends."""
    body = webhook_configuration(namespace, name, port or server.port, ca or server.ca, **fields)
    with configuration(api, body):
        # The API server learns of a configuration by a watch, so a moment after it is stored.
        poll("the webhook answers the self-test", lambda: answers(api, namespace))
        yield body
