"""How backups are read: by a streaming list where there are such (by default in 1.32, and from 1.34
on), else page by page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from support.api import Object, path_of
from support.fixtures import StartWatching
from support.objects import backup
from support.oracle import BACKUPS
from support.poll import poll
from support.rbac import Account
from support.world import CHECKPOINT

# What the server asks for at once.
PAGE = 500

TELLING = {"resourceVersion", "resourceVersionMatch", "sendInitialEvents", "limit", "continue"}

# Verb, status, and those parameters that tell what was meant.
Asked = tuple[str, int, set[str]]

BY_STREAM: list[Asked] = [("watch", 200, {"resourceVersionMatch", "sendInitialEvents"})]
BY_PAGES: list[Asked] = [
    ("watch", 422, {"resourceVersionMatch", "sendInitialEvents"}),
    ("list", 200, {"limit"}),
    ("list", 200, {"limit", "continue"}),
    ("watch", 200, {"resourceVersion"}),
]


def asked_by(account: Account) -> list[Asked]:
    """What the API server heard from it about backups, in order."""
    user = f"system:serviceaccount:{account.namespace}:{account.name}"
    return [
        (event["verb"], event["responseStatus"]["code"], parameters(event))
        for event in account.control_plane.audited("checkpointbackups")
        # A watch is audited when it begins and when it ends.
        if event["user"]["username"] == user
        and (event["verb"], event["stage"]) != ("watch", "ResponseComplete")
    ]


def parameters(event: Object) -> set[str]:
    return TELLING & set(parse_qs(urlsplit(event["requestURI"]).query))


@contextmanager
def more_than_a_page(account: Account) -> Iterator[int]:
    """So many backups are stored."""
    api, namespace = account.control_plane.api, account.namespace
    for number in range(PAGE + 1):
        api.create(backup(namespace, f"b-{number}", ("Job", f"j-{number}"), {"app": CHECKPOINT}))
    yield len(api.list(*BACKUPS, None))
    api.request("DELETE", path_of(*BACKUPS, namespace))


def reads(account: Account, start_watching: StartWatching, wanted: list[Asked]) -> None:
    with more_than_a_page(account) as stored:
        server = start_watching(account)
        assert server.metric("smw_cache_objects", resource="checkpointbackups") == stored
        assert server.metric("smw_cache_relists_total", resource="checkpointbackups") == 1
        poll(f"it has asked {wanted}", lambda: asked_by(account) == wanted)
        # It follows: they are deleted now.
    left = len(account.control_plane.api.list(*BACKUPS, None))
    poll(
        "the deletions are known",
        lambda: server.metric("smw_cache_objects", resource="checkpointbackups") == left,
    )
    # To ask in vain for a streaming list is no reason to worry anybody.
    assert not [line.raw for line in server.log_lines() if line.level in ("WARN", "ERROR")]


def test_streaming_list(breakable_account: Account, start_watching: StartWatching) -> None:
    reads(breakable_account, start_watching, BY_STREAM)


def test_streaming_lists_turned_off(
    breakable_account: Account, start_watching: StartWatching
) -> None:
    """As in 1.33, which sends lists in chunks already."""
    control_plane = breakable_account.control_plane
    control_plane.restart(apiserver_flags="--feature-gates=WatchList=false")
    try:
        reads(breakable_account, start_watching, BY_PAGES)
    finally:
        control_plane.restart(apiserver_flags="")
