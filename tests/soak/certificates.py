"""The serving certificate, replaced now and then; what a handshake must show."""

from __future__ import annotations

import math
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from support.certificates import SecretVolume, issue

# The folder is followed by inotify, and looked at every 10 s.
NEW_WITHIN = 60.0


@dataclass
class Issued:
    der: bytes
    put: float = math.inf


class Certificates:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._volume = SecretVolume(directory / "volume")
        self._issued: list[Issued] = []
        self._pems: list[str] = []
        self._seen = 0
        self.folder = self._volume.folder
        self.followed: list[float] = []  # seconds from the swap to the first handshake with it

    def __len__(self) -> int:
        return len(self._issued)

    def swap(self) -> None:
        chain, key = issue(self._directory / f"webhook-{len(self._issued)}")
        pem = chain.decode()
        issued = Issued(ssl.PEM_cert_to_DER_cert(pem))
        self._pems.append(pem)
        self._issued.append(issued)
        self._volume.put(chain, key)
        issued.put = time.monotonic()

    def trusting(self) -> ssl.SSLContext:
        """Trusts those that may be shown."""
        context = ssl.create_default_context(cadata="".join(self._pems[self._seen :]))
        context.set_alpn_protocols(["http/1.1"])
        return context

    def begin(self) -> int:
        """The first that may still be shown in a handshake that begins now."""
        until = time.monotonic() - NEW_WITHIN
        later = range(self._seen + 1, len(self))
        return max((i for i in later if self._issued[i].put <= until), default=self._seen)

    def accept(self, begun: int, der: bytes) -> bool:
        """Whether it is that one or a newer, and not one from before what was shown already."""
        found = [i for i in range(begun, len(self._issued)) if self._issued[i].der == der]
        if not found:
            return False
        if found[0] > self._seen:
            self._seen = found[0]
            self.followed.append(max(0.0, time.monotonic() - self._issued[found[0]].put))
        return True

    @property
    def latest_seen(self) -> bool:
        return self._seen == len(self._issued) - 1
