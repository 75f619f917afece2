"""Certificates that the replicas make and rotate themselves, while a real API server asks through
the Service all the time: nobody may notice, by failurePolicy Fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import rotation
from support.api import Object
from support.certificates import Authority
from support.load import Load
from support.poll import poll
from support.rotation import SHORT, Bed, Replica, text
from support.rotation_look import (
    History,
    Sampler,
    Version,
    distrusted,
    fingerprints,
    issuer_of,
    private_keys,
    sampled,
    shown,
    trusts,
)

CLIENTS = 16
# Of each rotation, with --slow; without it in all of them together.
ALL = 10_000
SOME = 1_000
# Leaves that listeners showed, each verified by what was stored at that moment.
LOOKS = 50


@dataclass
class Running:
    """Three replicas that were started at once on nothing, and what goes on since."""

    bed: Bed
    replicas: list[Replica]
    history: History
    sampler: Sampler
    load: Load
    directory: Path
    in_full: bool

    def leaf(self) -> str:
        """What the first replica serves now."""
        return shown(self.replicas[0], self.bed.bundle()).leaf

    def in_use(self) -> str:
        return fingerprints(text(self.bed.ca(), "ca.crt"))[0]

    def until_served(self) -> None:
        """All replicas show what is stored."""
        (leaf, *_) = fingerprints(text(self.bed.certs(), "tls.crt"))
        poll(
            "every replica serves the leaf that is stored",
            lambda: all(shown(one, self.bed.bundle()).leaf == leaf for one in self.replicas),
        )

    @contextmanager
    def unnoticed(self) -> Iterator[None]:
        """No admission fails in the block, nor in those that follow it."""
        before = self.load.count
        looks = sum(self.sampler.looks.values())
        yield
        self.load.more(ALL - (self.load.count - before) if self.in_full else SOME)
        poll("enough looks", lambda: sum(self.sampler.looks.values()) >= looks + LOOKS)
        print(f"{self.load.count - before} admissions, {len(self.load.failed)} failed")
        assert self.load.failed == [], self.load.failed[:3]
        assert self.load.unrestored == [], self.load.unrestored[:3]
        assert self.sampler.error is None, self.sampler.error
        assert self.sampler.violations == [], self.sampler.violations[:3]

    def never_distrusted(self) -> None:
        """Neither by what listeners showed nor by what was stored, in any version of it."""
        self.history.until_complete()
        assert distrusted(self.history, self.directory) == []


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("rotation")
    with ExitStack() as stack:
        bed = stack.enter_context(rotation.installed(directory))
        bed.grant()
        bed.configure()
        history = History(bed, directory / "history")
        stack.callback(history.close)
        replicas = bed.start_at_once(3, *SHORT)
        load = Load(bed.api, bed.new_backup())
        poll("a Pod is restored", lambda: not load.create())
        sampler = stack.enter_context(sampled(bed, replicas))
        stack.enter_context(load.running(CLIENTS))
        in_full = request.config.getoption("--slow")
        yield Running(bed, replicas, history, sampler, load, directory, in_full)


def test_three_replicas_started_at_once_on_nothing_share_one_ca(running: Running) -> None:
    bed, history = running.bed, running.history
    with running.unnoticed():
        running.until_served()
    history.until_complete()
    first = history.ca()[0].body
    in_use, following = (fingerprints(text(first, key)) for key in ("ca.crt", "ca-next.crt"))
    assert len(in_use) == len(following) == 1 and in_use != following
    # It was created once, and what was published first is both.
    assert {one.body["metadata"]["uid"] for one in history.ca()} == {first["metadata"]["uid"]}
    published = [fingerprints(bundle) for bundle in map(bundle_of, history.configurations())]
    assert next(filter(None, published)) == in_use + following
    # Three wanted to, one did.
    made = [
        one.metric("smw_certificate_rotation_steps_total", step="CAIssued", result="ok")
        for one in running.replicas
    ]
    assert sorted(made) == [0, 0, 1]
    (event,) = bed.events("CAIssued")
    assert event["involvedObject"]["name"] == "stateful-migration-webhook-ca"
    assert [one.holds_lease() for one in running.replicas].count(True) == 1
    # And who looks on would see a listener that is not trusted.
    stranger = Authority(running.directory / "stranger").pem.decode()
    assert not trusts(stranger, running.replicas[0])
    assert not trusts("", running.replicas[0])


def issuer(certs: Object) -> str:
    return issuer_of(text(certs, "tls.crt"))


def bundle_of(version: Version) -> str:
    return rotation.bundles(version.body)[0]


def test_leaf_is_renewed_in_one_secret(running: Running) -> None:
    """Between two leaves of one CA nothing is written but the Secret of the leaf."""
    history = running.history

    def renewals() -> list[tuple[int, int]]:
        """Revisions of neighbours of the same CA, told by the CA Secret before the second."""
        certs = history.certs()
        pairs = zip(certs, certs[1:], strict=False)
        return [
            (one.revision, two.revision)
            for one, two in pairs
            if text(one.body, "tls.crt") != text(two.body, "tls.crt")
            and issuer(two.body) == issuer(one.body)
        ]

    with running.unnoticed():
        begin = len(renewals())
        count = 5 if running.in_full else 2
        poll("renewals", lambda: len(renewals()) >= begin + count, 600)
        running.until_served()
    for before, after in renewals():
        assert history.between(history.ca(), before, after) == []
        assert history.between(history.configurations(), before, after) == []
    for _, revision in renewals()[begin:]:
        (version,) = (one for one in history.certs() if one.revision == revision)
        (leaf, *_) = fingerprints(text(version.body, "tls.crt"))
        running.sampler.until_it_saw(leaf)
    running.never_distrusted()


def test_ca_rotates_when_it_is_old(running: Running) -> None:
    """The next becomes the one in use, a new next is published, and the old one goes last."""
    bed, history = running.bed, running.history
    with running.unnoticed():
        first = history.ca()[0].body
        (old,), (following,) = (fingerprints(text(first, key)) for key in ("ca.crt", "ca-next.crt"))
        poll("the next CA is in use", lambda: running.in_use() != old, 600)
        poll("the old CA is dropped", lambda: old not in fingerprints(bed.bundle()), 600)
        running.until_served()
    history.until_complete()
    in_use = [fingerprints(text(one.body, "ca.crt"))[0] for one in history.ca()]
    assert list(dict.fromkeys(in_use))[:2] == [old, following]
    running.never_distrusted()
    # Leaves of both were looked at, by what was published at that moment.
    assert len({look.issuer for look in running.sampler.looks}) >= 2
    assert bed.events("CARotated") and bed.events("CADropped")


@pytest.mark.parametrize("flags", [(), ("--compromised", "a laptop was stolen")])
def test_rotation_is_asked_for(running: Running, flags: tuple[str, ...]) -> None:
    """It waits for a next CA that nobody can know yet, publishes that and signs by it."""
    bed, history = running.bed, running.history
    with running.unnoticed():
        before = bed.ca()
        told = bed.certs_rotate("--wait", "60s", *flags)
        after = bed.ca()
        known = [fingerprints(text(before, key))[0] for key in ("ca.crt", "ca-next.crt")]
        (made,) = fingerprints(text(after, "ca.crt"))
        assert made not in known, told
        poll("both are dropped", lambda: not {*known} & {*fingerprints(bed.bundle())}, 600)
        running.until_served()
    running.never_distrusted()
    # What was made for the request was published before it signed.
    signs = next(one for one in history.ca() if fingerprints(text(one.body, "ca.crt")) == [made])
    known_to_all = next(
        one for one in history.configurations() if made in fingerprints(bundle_of(one))
    )
    assert known_to_all.revision < signs.revision


def test_no_key_was_told_to_anybody(running: Running) -> None:
    bed = running.bed
    running.history.until_complete()
    keys = private_keys(running.history)
    assert len(keys) > 20
    said = {
        one.address: one.log() + one.http_get("metrics", "/metrics")[1] + one.checks()
        for one in running.replicas
    }
    said["events"] = str(bed.api.request("GET", rotation.EVENTS).object)
    for where, words in said.items():
        assert not [where for key in keys if key in words], f"a private key in {where}"
