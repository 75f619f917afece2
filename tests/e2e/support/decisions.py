"""What the server decides about a pod, asked straight: no API server has to create the pod."""

from __future__ import annotations

import copy
import http.client
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .api import Object
from .objects import images
from .poll import poll
from .raw_http import PATH, trust
from .reviews import apply_patch, patch_of, review
from .server import Server
from .settings import PATIENCE

# `restored` and `already-restored` read the same in the audit annotations.
RESTORED = "restored"


@dataclass(frozen=True)
class Decision:
    reason: str
    backup: str | None = None
    images: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    decision: Decision
    warnings: tuple[str, ...]


def review_of(pod: Object, uid: str) -> Object:
    return review(uid=uid, namespace=pod["metadata"]["namespace"], object=pod)


class Asking:
    """Posts reviews to a server, on one connection; for one thread."""

    _uids = itertools.count(1)

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPSConnection(
            "127.0.0.1", server.port, context=trust(server.ca), timeout=PATIENCE
        )

    def answer(self, pod: Object, timeout: str = "10s") -> Answer:
        """The answer for that pod, within what would be the webhook's timeoutSeconds."""
        uid = f"asked-{next(self._uids)}"
        body = json.dumps(review_of(pod, uid))
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", f"{PATH}?timeout={timeout}", body, headers)
        reply = self._connection.getresponse()
        text = reply.read()
        assert reply.status == 200, (reply.status, text)
        response = json.loads(text)["response"]
        assert (response["uid"], response["allowed"]) == (uid, True)
        notes = response["auditAnnotations"]
        after = apply_patch(copy.deepcopy(pod), patch_of(response))
        backup = notes.get("checkpoint-backup")
        decision = Decision(notes["reason"], backup, images(after))
        return Answer(decision, tuple(response.get("warnings", [])))

    def decide(self, pod: Object) -> Decision:
        return self.answer(pod).decision

    def until(self, pod: Object, expected: Decision, patience: float = PATIENCE) -> None:
        """Asks until the server decides so."""
        poll(f"{expected}", lambda: self.decide(pod) == expected, patience)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def asking(server: Server) -> Iterator[Asking]:
    asks = Asking(server)
    try:
        yield asks
    finally:
        asks.close()


@dataclass
class Steady:
    """What a load of reviews has seen: how many, and each one that failed or was answered anew."""

    count: int = 0
    failures: list[Any] = field(default_factory=list)


@contextmanager
def steady(server: Server, expected: list[tuple[Object, Decision]]) -> Iterator[Steady]:
    """Asks about these pods again and again until the block ends, which fails unless every answer
    was the expected one."""
    seen = Steady()
    stop = threading.Event()

    def ask() -> None:
        with asking(server) as asks:
            for pod, wanted in itertools.cycle(expected):
                # Unhurried: the machine has other things to do than to answer us.
                if stop.wait(0.005):
                    return
                try:
                    decision = asks.decide(pod)
                except Exception as error:  # whatever it is, it is a review that failed
                    seen.failures.append(repr(error))
                    return
                seen.count += 1
                if decision != wanted:
                    seen.failures.append((wanted, decision))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
    assert not seen.failures, seen.failures[:3]
    assert seen.count > 0
