"""Probes and metrics, against the contract's whole list. No cluster."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.poll import poll
from support.raw_http import PATH, connected, head, post
from support.reviews import encode, review, train_backup
from support.server import Server
from support.standalone import ending, serving

REASONS = {
    "restored",
    "already-restored",
    "no-image-for-containers",
    "no-checkpoint-backup",
    "not-applicable",
    "not-from-job",
    "skipped-by-annotation",
    "self-test",
    "job-gone",
    "owner-unknown",
    "cache-not-synced",
    "patch-refused",
}
WEBHOOKS = {"checkpoint-restore"}
RESOURCES = {"checkpointbackups", "jobs"}
LISTENERS = {"webhook", "probes", "metrics"}
# As docs/operations.md lists them.
LIMITS = {
    "connections",
    "descriptors",
    "key-renewals",
    "handshake-time",
    "head-time",
    "head-bytes",
    "body-time",
    "body-bytes",
    "bytes-in-flight",
    "answer-time",
}
# Every family but those of the process: its type, and the values that its labels may have.
FAMILIES: dict[str, tuple[str, dict[str, set[str]]]] = {
    "admission_requests_total": (
        "counter",
        {
            "webhook": WEBHOOKS,
            "operation": {"CREATE", "UPDATE", "DELETE", "CONNECT", "unknown"},
            "outcome": {"allowed", "mutated", "denied", "error", "shed", "timeout", "bad_request"},
        },
    ),
    "admission_duration_seconds": ("histogram", {"webhook": WEBHOOKS}),
    "admission_decisions_total": ("counter", {"webhook": WEBHOOKS, "reason": REASONS}),
    "admission_in_flight": ("gauge", {}),
    "admission_bytes_in_flight": ("gauge", {}),
    "cache_objects": ("gauge", {"resource": RESOURCES}),
    "cache_synced": ("gauge", {"resource": RESOURCES}),
    "cache_last_event_timestamp_seconds": ("gauge", {"resource": RESOURCES}),
    "cache_relists_total": (
        "counter",
        {"resource": RESOURCES, "cause": {"initial", "gone", "error"}},
    ),
    "tls_handshakes_total": (
        "counter",
        {"version": {"TLSv1.2", "TLSv1.3", "none"}, "result": {"ok", "failed"}},
    ),
    "connections": ("gauge", {"listener": LISTENERS}),
    "limits_reached_total": ("counter", {"listener": LISTENERS, "limit": LIMITS}),
    "certificate_expiry_timestamp_seconds": ("gauge", {"role": {"serving"}}),
    "log_dropped_total": ("counter", {}),
    # certificate_reloads_total is of --certificates=files: test_server_certificates.py
}
BUCKETS = ".0001 .00025 .0005 .001 .0025 .005 .01 .025 .05 .1 .25 .5 1 2.5 5 10".split()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("probes"), train_backup()) as server:
        yield server


def family_of(sample: str) -> str:
    return re.sub(r"(?<=_duration_seconds)_(bucket|sum|count)$", "", sample)


def test_metrics_are_those_of_the_contract(server: Server) -> None:
    with connected(server.port, server.ca) as client:
        assert client.ask(post(encode(review()))).status == 200
    found: dict[str, dict[str, set[str]]] = {}
    for sample in server.samples():
        if sample.name.startswith("smw_"):
            values = found.setdefault(family_of(sample.name.removeprefix("smw_")), {})
            for name, value in sample.labels.items():
                values.setdefault(name, set()).add(value)
    durations = found["admission_duration_seconds"]
    assert {float(value) for value in durations.pop("le")} == {
        *(float(value) for value in BUCKETS),
        float("inf"),
    }
    build = found.pop("build_info")
    assert set(build) == {"version", "revision"}
    assert all(len(values) == 1 for values in build.values())
    # Each value is there from the start: a rate needs the zero before the one.
    assert found == {name: labels for name, (_, labels) in FAMILIES.items()}


def test_metrics_have_types_and_help(server: Server) -> None:
    status, text = server.http_get("metrics", "/metrics")
    assert status == 200
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    ours = {name.removeprefix("smw_"): kind for name, kind in types.items() if "smw_" in name}
    assert ours == {**{name: kind for name, (kind, _) in FAMILIES.items()}, "build_info": "gauge"}
    assert {name for name in types if "smw_" not in name} >= {
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_virtual_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
    }
    assert set(types) == set(re.findall(r"^# HELP (\S+) \S", text, re.MULTILINE))


def requests_by(server: Server) -> dict[tuple[str, str], float]:
    return {
        (sample.labels["operation"], sample.labels["outcome"]): sample.value
        for sample in server.samples()
        if sample.name == "smw_admission_requests_total"
    }


COUNTED = {
    "restored": (post(encode(review())), "CREATE", "mutated"),
    "unchanged": (post(encode(review(job="other"))), "CREATE", "allowed"),
    "update": (post(encode(review(operation="UPDATE"))), "UPDATE", "allowed"),
    "delete": (post(encode(review(operation="DELETE", object=None))), "DELETE", "allowed"),
    "connect": (post(encode(review(operation="CONNECT"))), "CONNECT", "allowed"),
    "strange operation": (post(encode(review(operation="PATCH"))), "unknown", "allowed"),
    "unreadable object": (post(encode(review(object=None))), "CREATE", "bad_request"),
    "no JSON": (post(b"x"), "unknown", "bad_request"),
    "empty": (post(b""), "unknown", "bad_request"),
    "another method": (head("GET", PATH), "unknown", "bad_request"),
    "another content type": (
        head("POST", PATH, "Content-Type: text/plain", "Content-Length: 0"),
        "unknown",
        "bad_request",
    ),
    "too large": (
        head("POST", PATH, "Content-Length: 100000000"),
        "unknown",
        "bad_request",
    ),
}


@pytest.mark.parametrize("name", COUNTED)
def test_each_request_to_a_known_path_counts_once(server: Server, name: str) -> None:
    request, operation, outcome = COUNTED[name]
    before = requests_by(server)
    durations = server.metric("smw_admission_duration_seconds_count")
    with connected(server.port, server.ca) as client:
        client.ask(request)
    after = requests_by(server)
    changed = {key: after[key] - before[key] for key in after if after[key] != before[key]}
    assert changed == {(operation, outcome): 1}
    assert server.metric("smw_admission_duration_seconds_count") == durations + 1


def test_what_does_not_count(server: Server) -> None:
    before = requests_by(server)
    for request in (head("POST", "/other", "Content-Length: 0"), head("POST", PATH, "bad")):
        with connected(server.port, server.ca) as client:
            client.ask(request)
    assert requests_by(server) == before


def test_gauges_of_the_caches_and_connections(server: Server) -> None:
    assert server.metric("smw_cache_objects", resource="checkpointbackups") == 1
    assert server.metric("smw_cache_objects", resource="jobs") == 0
    for resource in RESOURCES:
        assert server.metric("smw_cache_synced", resource=resource) == 1
        assert server.metric("smw_cache_relists_total", resource=resource, cause="initial") == 1
        assert server.metric("smw_cache_relists_total", resource=resource) == 1
        assert server.metric("smw_cache_last_event_timestamp_seconds", resource=resource) > 1.7e9
    assert server.metric("smw_certificate_expiry_timestamp_seconds", role="serving") > 1.7e9
    handshakes = server.metric("smw_tls_handshakes_total", version="TLSv1.3", result="ok")
    with connected(server.port, server.ca) as client:
        assert client.ask(post(encode(review()))).status == 200
        assert server.metric("smw_connections", listener="webhook") == 1
    poll("it is gone", lambda: server.metric("smw_connections", listener="webhook") == 0)
    after = server.metric("smw_tls_handshakes_total", version="TLSv1.3", result="ok")
    assert after == handshakes + 1


PROBES = ("/startupz", "/livez", "/healthz", "/readyz")


def test_probes_say_ok(server: Server) -> None:
    for path in PROBES:
        assert server.http_get("probes", path) == (200, "ok\n"), path
        status, text = server.http_get("probes", f"{path}?verbose")
        assert status == 200 and text.startswith("[+]") and "[-]" not in text, text
    checks = re.findall(r"^\[\+\](\S+) ok$", server.http_get("probes", "/readyz?verbose")[1], re.M)
    assert set(checks) >= {
        "shutdown",
        "listener",
        "certificate",
        "cache-checkpointbackups",
        "cache-jobs",
    }


@pytest.mark.parametrize("listener", ["probes", "metrics"])
def test_side_listeners_know_their_paths_only(server: Server, listener: str) -> None:
    mine = set(PROBES) if listener == "probes" else {"/metrics"}
    for path in (*PROBES, "/metrics", "/", PATH, "/readyz/", "/healthz/ping", "/debug/pprof/"):
        status, text = server.http_get(listener, path)
        assert status == (200 if path in mine else 404), path
        assert status == 200 or '"kind":"Status"' in text


def test_side_listeners_are_read_only(server: Server) -> None:
    for listener, path in (("probes", "/readyz"), ("metrics", "/metrics")):
        connection = http.client.HTTPConnection("127.0.0.1", server.port_of(listener), timeout=10)
        connection.request("POST", path, b"x")
        response = connection.getresponse()
        body = response.read()
        assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")
        assert b'"kind":"Status"' in body
        connection.close()
        connection.request("HEAD", path)
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"")
        connection.close()


def test_a_broken_manifest_is_told_and_the_others_serve(tmp_path: Path) -> None:
    server = Server(tmp_path, "--shutdown-delay", "0s")
    server.write_manifest("objects", train_backup())
    (server.manifests / "broken.yaml").write_text("kind: CheckpointBackup\n  x: [\n")
    with ending(server):
        status, text = server.http_get("probes", "/readyz?verbose")
        assert status == 200
        assert "[!]manifests: " in text and "broken.yaml:2" in text
        with connected(server.port, server.ca) as client:
            response = client.ask(post(encode(review()))).json["response"]
            assert response["auditAnnotations"]["reason"] == "restored"
        (server.manifests / "broken.yaml").unlink()
        poll("mended", lambda: "[!]" not in server.http_get("probes", "/readyz?verbose")[1])


def test_probes_answer_while_the_webhook_is_flooded(server: Server) -> None:
    body = post(encode(review()))
    done = threading.Event()

    def flood() -> None:
        with connected(server.port, server.ca) as client:
            while not done.is_set():
                client.send(body * 16)
                for _ in range(16):
                    assert client.answer().status == 200

    callers = [threading.Thread(target=flood) for _ in range(4)]
    for caller in callers:
        caller.start()
    try:
        for _ in range(20):
            for path in PROBES:
                assert server.http_get("probes", path)[0] == 200
            assert server.http_get("metrics", "/metrics")[0] == 200
    finally:
        done.set()
        for caller in callers:
            caller.join()
