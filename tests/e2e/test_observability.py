"""What people see of a decision: log lines that they grep for, metrics, probes, audit notes."""

from __future__ import annotations

import json

from support.api import Api
from support.controlplane import ControlPlane
from support.fixtures import PodOf, Register, StartServer
from support.objects import (
    SKIP_RESTORE,
    WEBHOOK_NAME,
    backup,
    container,
    job,
    job_pod,
    pod,
    pod_spec,
)
from support.poll import poll
from support.server import LogLine, Server

APP = container("app", "registry.example.com/train:1.0")
CHECKPOINT = "registry.example.com/train:checkpoint-7"


def lines_about_pod(server: Server, pod_name: str) -> list[LogLine]:
    """The log lines of the one review of that pod, told by its uid."""
    lines = server.log_lines()
    uids = {line.fields.get("uid") for line in lines if line.fields.get("pod") == pod_name}
    assert len(uids) <= 1, f"more than one review: {uids}"
    return [line for line in lines if uids and line.fields.get("uid") in uids]


def test_log_of_a_restored_pod(
    api: Api, namespace: str, start_server: StartServer, register: Register, pod_of: PodOf
) -> None:
    server = start_server(backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT}))
    register(server)
    api.create(job(namespace, "train", pod_spec(APP)))
    pod_of("train")

    patch = [{"op": "replace", "path": "/spec/containers/0/image", "value": CHECKPOINT}]
    # The Job controller leaves the name to the API server; at admission there is only generateName.
    expected = {
        "Processing pod mutation": {"pod": "train-", "namespace": namespace},
        "Pod is from Job": {"job": "train", "pod": "train-"},
        "Found matching CheckpointBackup": {"backup": "train"},
        "Patching container image": {
            "container": "app",
            "originalImage": APP["image"],
            "newImage": CHECKPOINT,
        },
        "Applying image patches": {"patches": json.dumps(patch, separators=(",", ":"))},
    }

    def story() -> list[LogLine] | None:
        lines = [line for line in lines_about_pod(server, "train-") if line.level == "INFO"]
        told = [line for line in lines if line.message in expected]
        return told if len(told) >= len(expected) else None

    found = poll(
        "the lines of a restored pod",
        story,
    )
    assert [line.message for line in found] == list(expected)
    for line in found:
        fields = expected[line.message]
        assert line.logger == "pod-mutator"
        # The named keys come first and in this order, then `uid` and whatever else there is.
        assert list(line.fields)[: len(fields) + 1] == [*fields, "uid"], line.raw
        assert {key: line.fields[key] for key in fields} == fields
        # As people grep it: a space after each `:` and `,` between the members.
        first, value = next(iter(fields.items()))
        assert f'\t{{"{first}": {json.dumps(value)}, ' in line.raw


def test_log_of_unchanged_pods(
    api: Api, namespace: str, start_server: StartServer, register: Register
) -> None:
    server = start_server(backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT}))
    register(server)
    spec = pod_spec(APP)
    api.create(pod(namespace, "bare", spec))
    api.create(job_pod(namespace, "other-x", "other", spec))
    api.create(job_pod(namespace, "skipped", "train", spec, {SKIP_RESTORE: "true"}))
    expected = {
        "bare": ("DEBUG", "not-from-job"),
        "other-x": ("INFO", "no-checkpoint-backup"),
        "skipped": ("INFO", "skipped-by-annotation"),
    }
    for name, (level, reason) in expected.items():
        ends = poll(
            f"the line about {name}",
            lambda name=name: [  # type: ignore[misc]
                line
                for line in lines_about_pod(server, name)
                if line.message in ("Pod left unchanged", "Applying image patches")
            ],
        )
        # Every review ends in exactly one of the two.
        assert [line.message for line in ends] == ["Pod left unchanged"]
        line = ends[0]
        assert list(line.fields)[:4] == ["pod", "namespace", "reason", "uid"], line.raw
        assert (line.level, line.fields["namespace"]) == (level, namespace)
        assert line.fields["reason"] == reason


def test_metrics(api: Api, namespace: str, start_server: StartServer, register: Register) -> None:
    server = start_server(backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT}))
    register(server)

    def count(name: str, **labels: str) -> float:
        return server.metric(f"smw_admission_{name}", webhook="checkpoint-restore", **labels)

    def counts() -> dict[str, float]:
        return {
            "mutated": count("requests_total", operation="CREATE", outcome="mutated"),
            "allowed": count("requests_total", operation="CREATE", outcome="allowed"),
            "requests": count("requests_total"),
            "restored": count("decisions_total", reason="restored"),
            "not-from-job": count("decisions_total", reason="not-from-job"),
            "durations": count("duration_seconds_count"),
        }

    before = counts()
    for number in range(3):
        api.create(job_pod(namespace, f"train-{number}", "train", pod_spec(APP)))
    api.create(pod(namespace, "bare", pod_spec(APP)))
    after = counts()
    assert {key: after[key] - before[key] for key in after} == {
        "mutated": 3,
        "allowed": 1,
        "requests": 4,
        "restored": 3,
        "not-from-job": 1,
        "durations": 4,
    }


def test_probes(start_server: StartServer) -> None:
    server = start_server()
    for path in ("/startupz", "/livez", "/healthz", "/readyz"):
        assert server.http_get("probes", path)[0] == 200, path


def test_audit_annotations(
    control_plane: ControlPlane,
    api: Api,
    namespace: str,
    start_server: StartServer,
    register: Register,
) -> None:
    register(start_server(backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT})))
    api.create(job_pod(namespace, "train-x", "train", pod_spec(APP)))
    api.create(pod(namespace, "bare", pod_spec(APP)))
    for name, expected in {
        "train-x": {"reason": "restored", "checkpoint-backup": f"{namespace}/train"},
        "bare": {"reason": "not-from-job"},
    }.items():
        event = poll(
            f"audit event of {name}",
            lambda name=name: control_plane.audit_event(namespace, name),  # type: ignore[misc]
        )
        prefix = f"{WEBHOOK_NAME}/"
        ours = {
            key.removeprefix(prefix): value
            for key, value in event["annotations"].items()
            if key.startswith(prefix)
        }
        assert ours == expected
