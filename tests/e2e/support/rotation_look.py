"""What listeners show and what is stored, held against each other while both change."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import ssl
import subprocess
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .api import Object
from .deploy import CA_SECRET, CERTS_SECRET, CONFIGURATION, NAMESPACE
from .poll import poll
from .rotation import DNS_NAME, WEBHOOK_PORT, Bed, Replica, bundles, text

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
PAUSE = 0.02


def certificates(pem: str) -> list[str]:
    """Those that can be read; what cannot is passed over, as the API server does."""

    def readable(block: str) -> bool:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=block)
        except ssl.SSLError:
            return False
        return True

    return list(filter(readable, CERTIFICATE.findall(pem)))


def fingerprints(pem: str) -> list[str]:
    """Of each certificate, in order."""
    ders = map(ssl.PEM_cert_to_DER_cert, certificates(pem))
    return [hashlib.sha256(der).hexdigest() for der in ders]


def issuer_of(leaf: str) -> str:
    """As openssl names it: every CA of ours has a name of its own."""
    command = ["openssl", "x509", "-noout", "-issuer"]
    done = subprocess.run(command, input=leaf, capture_output=True, text=True, check=True)
    return done.stdout


@dataclass(frozen=True)
class Shown:
    """A leaf, and the CA that it names."""

    leaf: str
    issuer: str


def context_of(bundle: str) -> ssl.SSLContext:
    """Trusts these and nobody else, as the API server does by caBundle."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    pems = "\n".join(certificates(bundle))
    if pems:
        context.load_verify_locations(cadata=pems)
    return context


def shown(replica: Replica, bundle: str) -> Shown:
    """What a new connection gets; ssl.SSLCertVerificationError unless the bundle trusts it."""
    with (
        socket.create_connection((replica.address, WEBHOOK_PORT), timeout=30) as plain,
        context_of(bundle).wrap_socket(plain, server_hostname=DNS_NAME) as secured,
    ):
        der = secured.getpeercert(binary_form=True)
        told = secured.getpeercert()
    assert der and told
    issuer = ", ".join(f"{key}={value}" for ((key, value),) in told["issuer"])  # type: ignore
    return Shown(hashlib.sha256(der).hexdigest(), issuer)


def trusts(bundle: str, replica: Replica) -> bool:
    try:
        shown(replica, bundle)
    except ssl.SSLCertVerificationError:
        return False
    return True


class Sampler:
    """Asks each listener for its leaf, again and again, and verifies it by caBundle as stored.

    A look counts only when the configuration was the same before and after it: so what was stored
    at that moment is known, however slow the machine is.
    """

    def __init__(self, bed: Bed, replicas: list[Replica], entry: int = 0) -> None:
        self._bed = bed
        self._entry = entry
        self._replicas = replicas
        self.stop = threading.Event()
        self.looks: Counter[Shown] = Counter()
        self.violations: list[str] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.stop.wait(PAUSE):
                self._look()
        except BaseException as error:
            self.error = error
            raise

    def _look(self) -> None:
        before = self._bed.configuration()
        bundle = bundles(before)[self._entry]
        seen: list[Shown] = []
        wrong: list[str] = []
        for replica in self._replicas:
            try:
                seen.append(shown(replica, bundle))
            except ssl.SSLCertVerificationError as error:
                wrong.append(f"{replica.address}: {error}")
        version = before["metadata"]["resourceVersion"]
        if self._bed.configuration()["metadata"]["resourceVersion"] == version:
            self.looks.update(seen)
            self.violations += wrong

    def until_it_saw(self, leaf: str) -> None:
        def saw() -> bool:
            assert not self.error, self.error
            return any(look.leaf == leaf for look in self.looks.copy())

        poll("a listener showed that leaf", saw)


@contextmanager
def sampled(bed: Bed, replicas: list[Replica], entry: int = 0) -> Iterator[Sampler]:
    """Until the block ends, which fails when a listener ever showed what was not trusted."""
    sampler = Sampler(bed, replicas, entry)
    thread = threading.Thread(target=sampler.run)
    thread.start()
    try:
        yield sampler
    finally:
        sampler.stop.set()
        thread.join()
    assert not sampler.error, sampler.error
    assert sampler.violations == [], sampler.violations[:3]


@dataclass
class Version:
    """One that was stored, in the order of the whole cluster."""

    revision: int
    body: Object


class History:
    """Every version of our Secrets and of the configuration, by a watch from the beginning."""

    def __init__(self, bed: Bed, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._bed = bed
        self._files = {kind: directory / f"{kind}.json" for kind in ("secrets", "configurations")}
        self._processes = [
            self._follow("secrets", "secrets", "--namespace", NAMESPACE),
            self._follow("configurations", "mutatingwebhookconfigurations"),
        ]

    def _follow(self, kind: str, *what: str) -> subprocess.Popen[bytes]:
        kubeconfig = f"--kubeconfig={self._bed.cluster.directory / 'kubeconfig'}"
        flags = ["--watch", "--output-watch-events", "--output=json"]
        with self._files[kind].open("wb") as file:
            return subprocess.Popen(
                [self._bed.cluster.kubectl_path, kubeconfig, "get", *what, *flags], stdout=file
            )

    def close(self) -> None:
        for process in self._processes:
            process.terminate()
            process.wait()

    def of(self, kind: str, name: str) -> list[Version]:
        """Deletions are none: what was there before is served on."""
        written, decoder = self._files[kind].read_text(), json.JSONDecoder()
        result: list[Version] = []
        place = 0
        while place < len(written):
            try:
                event, place = decoder.raw_decode(written, place)
            except json.JSONDecodeError:
                break  # the last one is still being written
            place += len(written[place:]) - len(written[place:].lstrip())
            body = event["object"]
            if event["type"] != "DELETED" and body["metadata"]["name"] == name:
                result.append(Version(int(body["metadata"]["resourceVersion"]), body))
        return result

    def ca(self) -> list[Version]:
        return self.of("secrets", CA_SECRET)

    def certs(self) -> list[Version]:
        return self.of("secrets", CERTS_SECRET)

    def configurations(self) -> list[Version]:
        return self.of("configurations", CONFIGURATION)

    def until_complete(self) -> None:
        """It has what is stored now."""
        for body, versions in (
            (self._bed.ca(), self.ca),
            (self._bed.certs(), self.certs),
            (self._bed.configuration(), self.configurations),
        ):
            wanted = int(body["metadata"]["resourceVersion"])
            poll(
                "the history is complete",
                lambda versions=versions, wanted=wanted: (  # type: ignore[misc]
                    versions() and versions()[-1].revision >= wanted
                ),
            )

    def between(self, versions: list[Version], after: int, before: int) -> list[Version]:
        return [one for one in versions if after < one.revision < before]


def verified(leaf: str, bundle: str, directory: Path) -> bool:
    """By openssl: whether one of the bundle has signed it."""
    files = {"leaf": leaf, "bundle": "\n".join(certificates(bundle))}
    for name, pem in files.items():
        (directory / name).write_text(pem)
    # Of the past, too, when certificates have ended since.
    command = ["openssl", "verify", "-no_check_time", "-no-CApath", "-no-CAfile", "-no-CAstore"]
    command += ["-CAfile", str(directory / "bundle"), str(directory / "leaf")]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def distrusted(history: History, directory: Path, entry: int = 0) -> list[str]:
    """Each moment at which the leaf that was stored was not trusted by caBundle as stored: a new
    leaf before its CA was published, an old CA dropped before its leaf was replaced."""
    certs, configurations = history.certs(), history.configurations()
    result = []
    moments = sorted({one.revision for one in certs + configurations})
    for moment in moments:
        leaf, published = latest(certs, moment), latest(configurations, moment)
        if leaf and published and not verified(
            text(leaf.body, "tls.crt"), bundles(published.body)[entry], directory
        ):  # fmt: skip
            result.append(f"revision {moment}")
    return result


def latest(versions: list[Version], moment: int) -> Version | None:
    place = bisect_left([one.revision for one in versions], moment + 1)
    return versions[place - 1] if place else None


def private_keys(history: History) -> set[str]:
    """Each that was ever stored, as pieces of its PEM and as the Secret has it."""
    result = set()
    for version in history.ca() + history.certs():
        for key, value in version.body["data"].items():
            if key.endswith(".key"):
                result.add(value)
                lines = base64.b64decode(value).decode().splitlines()
                result |= {line for line in lines if not line.startswith("-----")}
    return {piece for piece in result if len(piece) >= 24}
