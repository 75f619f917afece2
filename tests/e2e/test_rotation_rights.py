"""Self-managed certificates where rights are missing, and where somebody else made them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support import rotation
from support import rotation_rights as rights
from support.api import Object
from support.deploy import APP, CA_SECRET, NAMESPACE, Scripts
from support.load import Load
from support.poll import poll
from support.rotation import LONG, Bed, text
from support.rotation_look import History, distrusted, fingerprints, sampled, shown

CLIENTS = 16
# With --slow, and without.
ALL, SOME = 10_000, 1_500


@pytest.fixture
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    with rotation.installed(tmp_path_factory.mktemp("rights")) as result:
        yield result


def merge_rules(bed: Bed, kind: str, name: str, rules: list[Object]) -> None:
    metadata = {"name": name} if kind == "ClusterRole" else {"name": name, "namespace": NAMESPACE}
    bed.api.merge(
        {"apiVersion": rights.VERSION, "kind": kind, "metadata": metadata}, {"rules": rules}
    )


def warned(bed: Bed, what: str) -> bool:
    return any(
        event["type"] == "Warning" and what in event["message"]
        for event in bed.events("RotationFailed")
    )


def test_each_right_that_is_missing_is_named_until_it_is_there(bed: Bed) -> None:
    """With deploy/rbac.yaml alone, then with more and more; the process stays the same."""
    bed.configure()
    (replica,) = [bed.start(*LONG, until_ready=False)]

    def named(what: str) -> None:
        poll(f"/readyz?verbose names {what}", lambda: what in replica.checks())
        poll(f"the log names {what}", lambda: what in replica.log())

    named("resources: [secrets]")
    named("resources: [mutatingwebhookconfigurations]")
    assert not replica.ready()

    # Nobody may write: what it needs is known, and nothing comes of it.
    for body in rights.bound(APP, [rights.MAY_WATCH_SECRETS], [rights.MAY_PUBLISH]):
        bed.api.create(body)
    poll("the log names leases", lambda: "resources: [leases]" in replica.log())
    poll("/readyz?verbose says so, too", lambda: rights.LEASE in replica.checks())
    assert not replica.ready()
    merge_rules(bed, "Role", rights.NAME, [rights.MAY_WATCH_SECRETS, *rights.MAY_LEAD])
    named("resources: [secrets], verbs: [create]")
    assert bed.secret(CA_SECRET) is None

    # All but what publishes: it serves what nobody believes yet, and says so.
    look_only = {**rights.MAY_PUBLISH, "verbs": ["get", "list", "watch"]}
    merge_rules(bed, "ClusterRole", rights.NAME, [look_only])
    merge_rules(bed, "Role", rights.NAME, rights.IN_NAMESPACE)
    poll("there is a CA", lambda: bed.secret(CA_SECRET))
    named("verbs: [patch]")
    poll("an Event names it", lambda: warned(bed, "verbs: [patch]"))
    assert replica.metric("smw_ca_bundle_in_step") == 0
    assert rotation.bundles(bed.configuration()) == [""]
    assert replica.running()

    merge_rules(bed, "ClusterRole", rights.NAME, rights.IN_CLUSTER)
    poll("ready", replica.ready)
    bed.until_steady()
    poll("no complaint is left", lambda: "verbs:" not in replica.checks())
    load = Load(bed.api, bed.new_backup())
    bed.lead_to(replica)
    poll("a Pod is restored", lambda: not load.create())


def test_what_the_script_made_is_taken_over(
    bed: Bed, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Servers read files of a CA and a leaf by the script; then replicas look after both: the CA
    and the leaf are kept, a next CA is added, and no admission fails."""
    count = ALL if request.config.getoption("--slow") else SOME
    bed.grant()
    bed.configure()
    scripts = Scripts(tmp_path, bed.cluster)
    scripts.namespace = NAMESPACE
    scripts.generate()
    made_ca, made = bed.ca(), bed.certs()
    (ca,) = fingerprints(text(made_ca, "ca.crt"))
    (leaf, *_) = fingerprints(text(made, "tls.crt"))
    assert fingerprints(bed.bundle()) == [ca]
    by_files = [bed.start_with_files(made) for _ in range(2)]
    bed.lead_to(*by_files)
    load = Load(bed.api, bed.new_backup())
    history = History(bed, tmp_path / "history")
    with ExitStack() as stack:
        stack.callback(history.close)
        poll("a Pod is restored", lambda: not load.create())
        stack.enter_context(load.running(CLIENTS))
        replicas = [bed.start(*LONG) for _ in range(2)]
        stack.enter_context(sampled(bed, [*by_files, *replicas]))
        assert {shown(one, bed.bundle()).leaf for one in replicas} == {leaf}
        bed.lead_to(*replicas)
        bed.until_steady()
        load.until(count)
        assert load.failed == [], load.failed[:3]
        assert load.unrestored == [], load.unrestored[:3]
        print(f"{load.count} admissions, 0 failed")
        history.until_complete()
        assert distrusted(history, tmp_path) == []
    now_ca, now = bed.ca(), bed.certs()
    for key in ("ca.crt", "ca.key"):
        assert now_ca["data"][key] == made_ca["data"][key]
    for key in ("tls.crt", "tls.key"):
        assert now["data"][key] == made["data"][key]
    assert fingerprints(bed.bundle()) == [ca, *fingerprints(text(now_ca, "ca-next.crt"))]
    # What the script put on its objects is still there.
    for before, after in ((made_ca, now_ca), (made, now)):
        for name in ("labels", "annotations"):
            kept = before["metadata"].get(name, {})
            assert kept.items() <= after["metadata"].get(name, {}).items()
