"""Whoever writes the certificates dies between any two steps: others go on where it stopped.

Servers behind the Service have no right to the Lease here, and those that write are not behind it:
so an admission that fails is one that the certificates let fail, and not the end of a process.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support import rotation
from support import rotation_rights as rights
from support.deploy import NAMESPACE
from support.load import Load
from support.poll import poll
from support.rbac import RULES, Account
from support.rotation import LEASES, Bed, Replica, text
from support.rotation_look import History, distrusted, fingerprints, sampled, shown, verified

CLIENTS = 16
WRITERS = 3
FLAGS = ("--ca-overlap", "1s", "--ca-publish-wait", "1s")
# A step is a write, an Event and what the watch brings of it: within so long one is under way.
MOMENT = 0.03
# For so long it is looked for all the time.
BURST = 0.3
SEED = 20261121
REQUEST = "stateful-migration.dcnlab.com/rotate"


@pytest.fixture
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    with rotation.installed(tmp_path_factory.mktemp("killed")) as result:
        result.grant()
        result.configure()
        yield result


def reader(bed: Bed) -> Account:
    """Who may know everything and write nothing."""
    look = ["get", "list", "watch"]
    account = Account(bed.cluster, NAMESPACE, "reader").grant(RULES)
    secrets, configurations = (
        {**rule, "verbs": look} for rule in (rights.MAY_WATCH_SECRETS, rights.MAY_PUBLISH)
    )
    for body in rights.bound("reader", [secrets], [configurations]):
        bed.api.create(body)
    return account


def steps(writer: Replica) -> int:
    return writer.log().count("\tRotation step\t")


def last_step(writer: Replica) -> str:
    done = [line for line in writer.log_lines() if line.message == "Rotation step"]
    return str(done[-1].fields["step"]) if done else "none"


def is_asked_for(bed: Bed) -> bool:
    return REQUEST in bed.ca()["metadata"].get("annotations", {})


def under_way(bed: Bed) -> bool:
    return is_asked_for(bed) or not bed.steady()


def kill_in_a_rotation(bed: Bed, writers: list[Replica], dice: random.Random) -> Replica:
    """Who does the next step, or the one after it, as soon as that is done or a moment later."""
    running = [writer for writer in writers if writer.running()]
    goals = {writer: steps(writer) + dice.randint(1, 2) for writer in running}

    def went_on() -> Replica | None:
        # They come within milliseconds, so for a while without a pause.
        end = time.monotonic() + BURST
        while time.monotonic() < end:
            for writer, goal in goals.items():
                if steps(writer) >= goal:
                    return writer
        if not under_way(bed):
            bed.certs_rotate()
        return None

    found = poll("a rotation goes on", went_on)
    time.sleep(dice.choice((0, dice.uniform(0, MOMENT))))
    found.kill()
    return found


@pytest.mark.parametrize(
    ("kills", "admissions", "expires"),
    [(8, 3_000, False), pytest.param(12, 10_000, True, marks=pytest.mark.in_full)],
)
def test_others_go_on_when_the_writer_is_killed(
    bed: Bed, tmp_path: Path, kills: int, admissions: int, expires: bool
) -> None:
    """Its Lease `expires`, as it does after 15 s, or somebody takes it away at once."""
    dice = random.Random(SEED)
    history = History(bed, tmp_path / "history")
    writers = [bed.start(*FLAGS, until_ready=False) for _ in range(WRITERS)]
    account = reader(bed)
    serving = [bed.start(*FLAGS, account=account) for _ in range(2)]
    bed.lead_to(*serving)
    bed.until_steady()
    (first,) = fingerprints(text(bed.ca(), "ca.crt"))
    load = Load(bed.api, bed.new_backup())
    poll("a Pod is restored", lambda: not load.create())
    with ExitStack() as stack:
        stack.callback(history.close)
        sampler = stack.enter_context(sampled(bed, serving))
        stack.enter_context(load.running(CLIENTS))
        died_after = []
        for _ in range(kills):
            killed = kill_in_a_rotation(bed, writers, dice)
            died_after.append(last_step(killed))
            if not expires:
                bed.api.request("DELETE", f"{LEASES}/{rights.LEASE}")
            writers.append(bed.start(*FLAGS, until_ready=False))
        poll("the last rotation is done", lambda: not under_way(bed))
        load.until(admissions)
        assert load.failed == [], load.failed[:3]
        assert load.unrestored == [], load.unrestored[:3]
        looks = sum(sampler.looks.values())
        history.until_complete()
        rotations = list(
            dict.fromkeys(fingerprints(text(one.body, "ca.crt"))[0] for one in history.ca())
        )
        print(f"{len(rotations) - 1} rotations, {load.count} admissions, {looks} looks")
        print(f"killed after {died_after}")
        assert distrusted(history, tmp_path) == []
    assert looks > 0 and len(rotations) >= 2 and rotations[0] == first
    # What it comes to is as if nobody had died.
    ca, certs = bed.ca(), bed.certs()
    both = fingerprints(text(ca, "ca.crt")) + fingerprints(text(ca, "ca-next.crt"))
    assert fingerprints(bed.bundle()) == fingerprints(text(certs, "ca.crt")) == both
    assert verified(text(certs, "tls.crt"), text(ca, "ca.crt"), tmp_path)
    (leaf, *_) = fingerprints(text(certs, "tls.crt"))
    poll(
        "it is served",
        lambda: all(shown(server, bed.bundle()).leaf == leaf for server in serving),
    )
