"""The rights of the contract suffice: every watching test has just those. Less does not."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.api import Api, ApiError, Object
from support.controlplane import ControlPlane
from support.decisions import Decision, asking
from support.fixtures import StartWatching
from support.objects import backup
from support.poll import poll
from support.rbac import BACKUPS, JOBS, RULES, Account
from support.server import Server
from support.world import CHECKPOINT, ORIGINAL, World

UNTOUCHED = {"app": ORIGINAL, "sidecar": "sidecar:1"}

# Instead of the 130 s: a watch goes on with the rights that it began with, so it must begin anew.
IMPATIENT = ("--watch-silence", "1s")


def without(verb: str) -> Object:
    return {**BACKUPS, "verbs": [other for other in BACKUPS["verbs"] if other != verb]}


def names_the_rule(text: str, verb: str) -> bool:
    """Whether it can be pasted into a role."""
    rule = f"{{apiGroups: [migration.dcnlab.com], resources: [checkpointbackups], verbs: [{verb}]}}"
    return rule in text


def refusals(server: Server, verb: str) -> list[str]:
    lines = [line.raw for line in server.log_lines() if line.level == "ERROR"]
    return [line for line in lines if names_the_rule(line, verb)]


@contextmanager
def without_streaming_lists(control_plane: ControlPlane) -> Iterator[None]:
    """As API servers before 1.34 are: a list is a request of its own, with a verb of its own."""
    control_plane.restart(apiserver_flags="--feature-gates=WatchList=false")
    try:
        yield
    finally:
        control_plane.restart(apiserver_flags="")


def never_ready(server: Server, verb: str) -> None:
    poll(f"the log names {verb}", lambda: refusals(server, verb))
    poll(f"/readyz names {verb}", lambda: names_the_rule(server.checks(), verb))
    assert not server.ready()
    assert server.metric("smw_cache_synced", resource="checkpointbackups") == 0


def new_account(control_plane: ControlPlane, namespace: str, *rules: Object) -> Account:
    name = f"server-{secrets.token_hex(4)}"
    return Account(control_plane, namespace, name).grant(list(rules))


def test_without_watch(
    control_plane: ControlPlane,
    namespace: str,
    installed_crd: Object,
    start_watching: StartWatching,
) -> None:
    lacking = new_account(control_plane, namespace, without("watch"), JOBS)
    server = start_watching(lacking, until_ready=False)
    never_ready(server, "watch")
    # What is missing is given: nobody has to start the server again.
    lacking.change(RULES, before=[])
    poll("ready once it may watch", server.ready)


def test_without_list(breakable_account: Account, start_watching: StartWatching) -> None:
    control_plane = breakable_account.control_plane
    with without_streaming_lists(control_plane):
        lacking = new_account(control_plane, breakable_account.namespace, without("list"), JOBS)
        server = start_watching(lacking, until_ready=False)
        never_ready(server, "list")
        lacking.change(RULES, before=[])
        poll("ready once it may list", server.ready)
        world = World(control_plane.api, breakable_account.namespace)
        with asking(server) as asks:
            control_plane.api.create(
                backup(world.namespace, "b", ("Job", "train"), {"app": CHECKPOINT})
            )
            assert world.until_followed(asks)["train"].images["app"] == CHECKPOINT


def test_without_jobs(
    control_plane: ControlPlane,
    api: Api,
    namespace: str,
    installed_crd: Object,
    start_watching: StartWatching,
) -> None:
    """Owners cannot be known: digits decide, and of others the author is told."""
    server = start_watching(new_account(control_plane, namespace, BACKUPS))
    world = World(api, namespace)
    api.create(backup(namespace, "b", ("CronJob", "nightly"), {"app": CHECKPOINT}))
    manual = world.pods["by-hand"]
    manual["metadata"]["ownerReferences"][0]["name"] = "nightly-by-hand"
    with asking(server) as asks:
        by_digits = world.expected()["nightly-29376840"]
        assert by_digits.images["app"] == CHECKPOINT
        asks.until(world.pods["nightly-29376840"], by_digits)
        unknown = asks.answer(manual)
        assert unknown.decision == Decision("owner-unknown", None, UNTOUCHED)
        assert unknown.warnings and all("nightly" in text for text in unknown.warnings)
        # Not even a prefix: no CronJob can be meant.
        other = asks.answer(world.pods["other"])
        assert other.decision == Decision("no-checkpoint-backup", None, UNTOUCHED)
        assert not other.warnings
    assert server.ready()
    assert server.metric("smw_job_lookups_total", result="refused") >= 3
    rule = "{apiGroups: [batch], resources: [jobs], verbs: [get]}"
    server.wait_for_lines(lambda line: line.level == "WARN" and rule in line.raw)


# An API server that was just restarted refuses everybody: the log waits whether it lasts.
@pytest.mark.parametrize("lasting", [False, pytest.param(True, marks=pytest.mark.in_full)])
def test_taken_and_given_back(
    account: Account, start_watching: StartWatching, lasting: bool
) -> None:
    server = start_watching(account, *IMPATIENT)
    api = account.control_plane.api
    world = World(api, account.namespace)
    body = backup(world.namespace, "b", ("Job", "train"), {"app": CHECKPOINT})
    api.create(body)
    with asking(server) as asks:
        before = world.until_followed(asks)
        account.change([JOBS], before=RULES)
        if lasting:
            poll("the log names the right that is missing", lambda: refusals(server, "watch"))
        poll("/readyz?verbose says so", lambda: names_the_rule(server.checks(), "watch"))
        # It is ready as before, and decides by what it knew.
        assert server.ready()
        api.delete(body)
        assert world.decisions(asks) == before
        account.change(RULES, before=[])
        after = world.until_followed(asks)
        assert after["train"] == Decision("no-checkpoint-backup", None, UNTOUCHED)
    poll("/readyz?verbose is content", lambda: not names_the_rule(server.checks(), "watch"))


def secret(api: Api, namespace: str, name: str) -> Object:
    """For a token to be bound to: deleting it takes the token along."""
    metadata = {"namespace": namespace, "name": name}
    return {"apiVersion": "v1", "kind": "Secret"} | api.create(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    )


def is_refused(api: Api) -> bool:
    try:
        api.list("migration.dcnlab.com/v1", "CheckpointBackup", None)
    except ApiError as error:
        return error.code == 401
    return False


class TokenFile:
    """As the kubelet keeps it: replaced as a whole."""

    def __init__(self, file: Path, account: Account) -> None:
        self.file = file
        self._account = account

    def write(self, bound_to: Object) -> str:
        token = self._account.token(bound_to)
        successor = self.file.with_suffix(".new")
        successor.write_text(f"{token}\n")
        successor.rename(self.file)
        return token

    @property
    def user(self) -> Object:
        return {"tokenFile": str(self.file)}


def test_token_is_replaced(account: Account, start_watching: StartWatching, tmp_path: Path) -> None:
    """The old one dies: after the new one was written and, as it should not be, before."""
    api = account.control_plane.api
    old, new = (secret(api, account.namespace, name) for name in ("old", "new"))
    in_time, too_late = (TokenFile(tmp_path / name, account) for name in ("in-time", "too-late"))
    tokens = [file.write(bound_to=old) for file in (in_time, too_late)]
    servers = [start_watching(account, *IMPATIENT, user=file.user) for file in (in_time, too_late)]
    world = World(api, account.namespace)
    with asking(servers[0]) as asks, asking(servers[1]) as asks_late:
        before = world.until_followed(asks)
        in_time.write(bound_to=new)
        api.delete(old)
        poll("the old tokens are refused", lambda: all(map(is_refused, map(account.api, tokens))))
        poll("the late one is refused", lambda: "Unauthorized" in servers[1].checks())
        assert world.decisions(asks_late) == before
        assert servers[1].ready()
        too_late.write(bound_to=new)
        api.create(backup(world.namespace, "b", ("Job", "train"), {"app": CHECKPOINT}))
        for asks_one in (asks, asks_late):
            assert world.until_followed(asks_one)["train"].images["app"] == CHECKPOINT
    assert "Unauthorized" not in servers[0].log()
    for token, server in zip(tokens, servers, strict=True):
        assert token not in server.log()
