"""What people do by hand to self-managed certificates is mended, and nothing else is touched."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from support import rotation
from support.api import Object
from support.certificates import Authority
from support.deploy import APP, CA_SECRET, CERTS_SECRET, CONFIGURATION, manifests
from support.load import Load
from support.poll import poll
from support.rotation import LONG, Bed, bundles, text
from support.rotation_look import (
    History,
    distrusted,
    fingerprints,
    sampled,
    shown,
)

CLIENTS = 16
# With --slow, and without.
ALL, SOME = 10_000, 1_500

# Another than that of the scripts, which write our manifests.
MANAGER = f"{APP}-certificates"
OTHER = "pod-mutator.example.com"


def two_entries(foreign: str) -> Object:
    """Ours as it is deployed, and before it somebody else's, which nobody is ever asked by."""
    (body,) = manifests("webhook.yaml")
    (ours,) = body["webhooks"]
    ours["failurePolicy"] = "Fail"
    theirs = copy.deepcopy(ours)
    theirs.update(name=OTHER, failurePolicy="Ignore", timeoutSeconds=7)
    theirs["clientConfig"]["service"].update(name="other", namespace="elsewhere")
    theirs["clientConfig"]["caBundle"] = rotation.encoded(foreign)
    theirs["objectSelector"] = {"matchLabels": {"nobody": "has-this"}}
    body["webhooks"] = [theirs, ours]
    body["metadata"]["annotations"] = {"example.com/owner": "somebody"}
    return dict(body)


@pytest.fixture(scope="module")
def replicated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """Three replicas, whose certificates last longer than the tests."""
    directory = tmp_path_factory.mktemp("mending")
    foreign = Authority(directory / "foreign", "somebody-else").pem.decode()
    with rotation.installed(directory) as bed:
        bed.grant()
        bed.api.create(two_entries(foreign))
        bed.start_at_once(3, *LONG)
        yield bed


@pytest.fixture
def bed(replicated: Bed) -> Bed:
    replicated.until_steady()
    return replicated


@pytest.fixture
def count(request: pytest.FixtureRequest) -> int:
    return ALL if request.config.getoption("--slow") else SOME


def is_ours(entry: Object) -> bool:
    return bool(entry["name"] != OTHER)


def ours(bed: Bed) -> list[str]:
    """The certificates of caBundle of our own entry."""
    return fingerprints(bundles(bed.configuration())[1])


def of_others(configuration: Object) -> Object:
    """All but caBundle of our entry, and what counts writes."""
    result = copy.deepcopy(configuration)
    for name in ("resourceVersion", "generation", "managedFields"):
        del result["metadata"][name]
    for entry in filter(is_ours, result["webhooks"]):
        entry["clientConfig"].pop("caBundle", None)
    return result


@contextmanager
def asked(bed: Bed) -> Iterator[Load]:
    """By the API server, all the while."""
    load = Load(bed.api, bed.new_backup())
    poll("a Pod is restored", lambda: not load.create())
    with load.running(CLIENTS):
        yield load


@contextmanager
def unnoticed(bed: Bed, count: int, directory: Path) -> Iterator[None]:
    """No admission of so many fails, every listener shows what is trusted, and what is stored is
    trusted in every version of it."""
    history = History(bed, directory)
    running = [one for one in bed.replicas if one.running()]
    with ExitStack() as stack:
        stack.callback(history.close)
        sampler = stack.enter_context(sampled(bed, running, entry=1))
        load = stack.enter_context(asked(bed))
        yield
        load.until(count)
        assert load.failed == [], load.failed[:3]
        assert load.unrestored == [], load.unrestored[:3]
        print(f"{load.count} admissions, 0 failed; {sum(sampler.looks.values())} looks")
        history.until_complete()
        assert distrusted(history, directory, entry=1) == []


def until_all_serve(bed: Bed) -> None:
    (leaf, *_) = fingerprints(text(bed.certs(), "tls.crt"))
    bundle = bundles(bed.configuration())[1]
    running = [one for one in bed.replicas if one.running()]
    poll(
        "every replica serves the leaf that is stored",
        lambda: all(shown(one, bundle).leaf == leaf for one in running),
    )


def test_only_our_ca_bundle_is_ours(bed: Bed) -> None:
    configuration = bed.configuration()
    theirs, own = configuration["webhooks"]
    before = two_entries("")
    assert configuration["metadata"]["annotations"] == before["metadata"]["annotations"]
    assert theirs["timeoutSeconds"] == 7 and own["failurePolicy"] == "Fail"
    (entry,) = (
        entry for entry in configuration["metadata"]["managedFields"] if entry["manager"] == MANAGER
    )
    assert entry["operation"] == "Apply"
    key = 'k:{"name":"pod-mutator.migration.dcnlab.com"}'
    assert entry["fieldsV1"] == {
        "f:webhooks": {key: {".": {}, "f:name": {}, "f:clientConfig": {"f:caBundle": {}}}}
    }


GARBAGE = "-----BEGIN CERTIFICATE-----\nnobody can read this\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("value", [None, "", GARBAGE, "no PEM at all"])
def test_what_somebody_puts_there_is_mended(bed: Bed, value: str | None) -> None:
    before, secrets = bed.configuration(), [bed.ca(), bed.certs()]
    published = bundles(before)[1]
    bed.patch_bundle(value, entry=1)
    poll("caBundle is mended", lambda: bundles(bed.configuration())[1] == published)
    after = bed.configuration()
    assert of_others(after) == of_others(before)
    # Nothing had to be made for it.
    bed.until_steady()
    assert [bed.ca(), bed.certs()] == secrets
    assert bed.events("CABundleMended")


def test_what_is_put_beside_ours_is_taken_out(bed: Bed, tmp_path: Path, count: int) -> None:
    """Garbage, and a CA that signs nothing here: no admission fails meanwhile."""
    published = bundles(bed.configuration())[1]
    stranger = Authority(tmp_path / "stranger", "stranger").pem.decode()
    with unnoticed(bed, count, tmp_path / "history"):
        for more in (stranger, GARBAGE):
            bed.patch_bundle(published + more, entry=1)
            poll("it is taken out", lambda: bundles(bed.configuration())[1] == published)


def test_emptied_under_load_harms_until_it_is_mended(bed: Bed, tmp_path: Path, count: int) -> None:
    """While there is no caBundle nobody can be believed: that is all that fails, and it ends."""
    before = bed.configuration()
    published = bundles(before)[1]
    history = History(bed, tmp_path)
    with closing(history), asked(bed) as load:
        load.more(count // 10)
        assert load.failed == [], load.failed[:3]
        bed.patch_bundle(None, entry=1)
        poll("caBundle is mended", lambda: bundles(bed.configuration())[1] == published)
        # The API server has heard of it, too, once a Pod is admitted that was sent since.
        poll("a Pod is restored", lambda: restored(load))
        done = load.count + 10 * CLIENTS
        poll("what was under way is answered", lambda: load.count >= done)
        failed = list(load.failed)
        goal = load.count + count
        poll(f"{count} more", lambda: load.count >= goal or len(load.failed) > len(failed), 600)
        assert load.failed == failed, load.failed[len(failed) :][:3]
        # Who looks on sees that one version, and no other.
        history.until_complete()
        assert len(distrusted(history, tmp_path, entry=1)) == 1
    print(f"{load.count} admissions, {len(failed)} failed between emptied and mended")
    assert all("x509" in failure for failure in failed), failed[:3]
    assert of_others(bed.configuration()) == of_others(before)


def restored(load: Load) -> bool:
    try:
        return not load.create()
    except Exception:
        return False


def test_deleted_leaf_comes_back_under_the_same_ca(bed: Bed, tmp_path: Path, count: int) -> None:
    ca, old = bed.ca(), bed.certs()
    with unnoticed(bed, count, tmp_path / "history"):
        bed.delete_secret(CERTS_SECRET)
        new = poll("another is stored", lambda: bed.secret(CERTS_SECRET))
        assert new["metadata"]["uid"] != old["metadata"]["uid"]
        assert text(new, "tls.crt") != text(old, "tls.crt")
        until_all_serve(bed)
    assert bed.ca() == ca
    assert ours(bed) == fingerprints(text(ca, "ca.crt")) + fingerprints(text(ca, "ca-next.crt"))


def test_both_deleted_are_made_anew(bed: Bed, tmp_path: Path, count: int) -> None:
    """What is served is trusted until what is new has been published and is served."""
    old, leaf = bed.ca(), fingerprints(text(bed.certs(), "tls.crt"))[0]
    with unnoticed(bed, count, tmp_path / "history"):
        bed.delete_secret(CA_SECRET)
        bed.delete_secret(CERTS_SECRET)
        new = poll("another CA is stored", lambda: bed.secret(CA_SECRET))
        assert text(new, "ca.crt") != text(old, "ca.crt")
        fresh = poll("another leaf is stored", lambda: bed.secret(CERTS_SECRET))
        assert fingerprints(text(fresh, "tls.crt"))[0] != leaf
        until_all_serve(bed)
        (former,) = fingerprints(text(old, "ca.crt"))
        poll("the old CA is dropped", lambda: former not in ours(bed))
    now = bed.ca()
    assert ours(bed) == fingerprints(text(now, "ca.crt")) + fingerprints(text(now, "ca-next.crt"))


def test_what_is_good_survives_a_restart_byte_for_byte(bed: Bed) -> None:
    """Of all replicas at once; resourceVersions included: nothing was written."""
    before = bed.stored()
    for replica in bed.replicas:
        if replica.running():
            assert replica.terminate() == 0
    started = bed.start_at_once(3, *LONG)
    # Whoever writes has looked at all of it, and found it good.
    holder = bed.holder()
    assert holder in started
    holder.wait_for_lines(
        lambda line: line.message == "Rotation phase" and line.fields["phase"] == "steady"
    )
    bed.until_steady()
    assert bed.stored() == before
    until_all_serve(bed)


def test_metrics_say_where_it_stands(bed: Bed) -> None:
    holder = bed.holder()
    running = [one for one in bed.replicas if one.running()]
    ca, certs = bed.ca(), bed.certs()
    wanted = {"serving": (certs, "tls.crt"), "ca": (ca, "ca.crt"), "ca-next": (ca, "ca-next.crt")}
    for replica in running:
        phases = {
            sample.labels["phase"]: sample.value
            for sample in replica.samples()
            if sample.name == "smw_certificate_rotation_phase"
        }
        phase = "steady" if replica is holder else "waiting-for-lease"
        assert [name for name, value in phases.items() if value] == [phase]
        assert replica.metric("smw_ca_bundle_in_step") == 1
        assert replica.metric("smw_lease_holder") == (replica is holder)
        for role, (secret, key) in wanted.items():
            expiry = replica.metric("smw_certificate_expiry_timestamp_seconds", role=role)
            assert expiry == rotation.ends_at(text(secret, key)), role
    dates = [one.metric("smw_certificate_rotation_next_timestamp_seconds") for one in running]
    assert sorted(dates)[:2] == [0, 0] and max(dates) > 0


def test_events_tell_each_step(bed: Bed) -> None:
    """Of the tests above, in the namespace of the Secrets."""
    about = {
        "CAIssued": {CA_SECRET},
        "LeafIssued": {CERTS_SECRET},
        "CABundlePublished": {CONFIGURATION, CERTS_SECRET},
        "CABundleMended": {CONFIGURATION},
        "CADropped": {CONFIGURATION, CERTS_SECRET},
    }
    for reason, objects in about.items():
        events = bed.events(reason)
        assert events, reason
        assert {event["involvedObject"]["name"] for event in events} <= objects
        for event in events:
            assert event["type"] == "Normal" and event["message"]
            assert event["source"]["component"] == APP
