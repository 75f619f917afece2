"""What a backup said over time, and which answers are true of it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

# A change shows within milliseconds; this is for machines that have much else to do.
LAG = 10.0

# The API server is back and ready: the watch must be, too. Between tries it waits 30 s at most.
RECOVERY = 60.0


class Calm:
    """Up to when the server under test must know what was stored."""

    def __init__(self) -> None:
        self._trouble_since = math.inf
        self._trouble_until = -math.inf

    def trouble(self) -> None:
        """The API server goes away, or may have."""
        now = time.monotonic()
        if now > self._trouble_until:
            self._trouble_since = now
        self._trouble_until = math.inf

    def over(self) -> None:
        self._trouble_until = time.monotonic() + RECOVERY

    def followed(self, stored: float) -> None:
        """A change shows that was stored then: if it was after the trouble, so do all before it."""
        if stored > self._trouble_until - RECOVERY:
            self._trouble_until = min(self._trouble_until, time.monotonic())

    def known_until(self) -> float:
        now = time.monotonic()
        return (self._trouble_since if now < self._trouble_until else now) - LAG


@dataclass
class Change:
    """To a version, or to no backup at all."""

    version: int | None
    stored: float = math.inf  # from then on the API server has it for sure


class History:
    def __init__(self, calm: Calm) -> None:
        self._calm = calm
        self._changes = [Change(None, -math.inf)]
        self._seen = 0  # what is answered never goes back behind it
        self.followed: list[float] = []  # seconds from stored to first answered

    def __len__(self) -> int:
        return len(self._changes)

    @property
    def version(self) -> int | None:
        return self._changes[-1].version

    @property
    def up_to_date(self) -> bool:
        """Whether the last change was answered."""
        return self._seen == len(self) - 1

    def change_to(self, version: int | None) -> Change:
        """Before it is asked for: it may show before the API server has said yes."""
        self._changes.append(Change(version))
        return self._changes[-1]

    def begin(self) -> int:
        """The first change that may still be answered to a review that is sent now."""
        until = self._calm.known_until()
        later = range(self._seen + 1, len(self))
        return max((i for i in later if self._changes[i].stored <= until), default=self._seen)

    def accept(self, begun: int, version: int | None) -> bool:
        """Whether that was true at some time since `begun`."""
        true = [i for i in range(begun, len(self)) if self._changes[i].version == version]
        if not true:
            return False
        if true[0] > self._seen:
            self._seen = true[0]
            stored = self._changes[true[0]].stored
            self.followed.append(max(0.0, time.monotonic() - stored))
            self._calm.followed(stored)
        return True

    def explain(self, begun: int) -> str:
        return f"one of {[change.version for change in self._changes[begun:]]}"
