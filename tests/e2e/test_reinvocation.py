"""Two webhooks that change the same pod: the API server calls ours again after the other one."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.api import Api, Object
from support.controlplane import ControlPlane
from support.fixtures import Register, StartServer
from support.objects import (
    WEBHOOK_NAME,
    backup,
    container,
    images,
    job_pod,
    pod_spec,
    webhook_configuration,
)
from support.poll import poll
from support.registration import configuration
from support.server import Server
from support.webhook import Mutate, OtherWebhook

APP = container("app", "registry.example.com/train:1.0")
WANTED = {
    "app": "registry.example.com/train:checkpoint-7",
    "injected": "registry.example.com/injected:checkpoint-7",
}


def add_label(request: Object) -> list[Object]:
    labels = request["object"]["metadata"].get("labels", {})
    return [{"op": "add", "path": "/metadata/labels", "value": {**labels, "other": "was-here"}}]


def add_init_container(request: Object) -> list[Object]:
    spec = request["object"]["spec"]
    present = spec.get("initContainers", [])
    if any(entry["name"] == "injected" for entry in present):
        return []
    added = container("injected", "injected:1")
    return [{"op": "add", "path": "/spec/initContainers", "value": [added, *present]}]


@contextlib.contextmanager
def other_webhook(api: Api, namespace: str, directory: Path, mutate: Mutate) -> Iterator[None]:
    """A webhook that is called after ours: configurations are sorted by name."""
    other = OtherWebhook(directory, mutate)
    body = webhook_configuration(
        namespace,
        "b",
        other.port,
        other.ca,
        path="/mutate",
        webhook_name="other.example.com",
        reinvocationPolicy="Never",
    )

    def called() -> bool:
        api.dry_run(job_pod(namespace, "probe", "probe", pod_spec(APP)))
        return bool(other.requests)

    try:
        with configuration(api, body):
            poll("the other webhook is called", called)
            yield
    finally:
        other.close()


def decisions(server: Server) -> dict[str, float]:
    return {
        reason: server.metric("smw_admission_decisions_total", reason=reason)
        for reason in ("restored", "already-restored")
    }


def audit_annotations(control_plane: ControlPlane, namespace: str, name: str) -> dict[str, str]:
    # An event is written after the answer went out.
    event = poll("the audit event", lambda: control_plane.audit_event(namespace, name))
    return dict(event["annotations"])


@pytest.mark.parametrize(
    ("mutate", "second_decision"),
    [(add_label, "already-restored"), (add_init_container, "restored")],
)
def test_called_again(
    control_plane: ControlPlane,
    api: Api,
    namespace: str,
    start_server: StartServer,
    register: Register,
    tmp_path: Path,
    mutate: Mutate,
    second_decision: str,
) -> None:
    server = start_server(backup(namespace, "train", ("Job", "train"), WANTED))
    register(server)
    old_log = len(control_plane.log())
    with other_webhook(api, namespace, tmp_path, mutate):
        before = decisions(server)
        stored = api.create(job_pod(namespace, "train-x", "train", pod_spec(APP)))
        after = decisions(server)

    # Ours was asked twice, and the second time about the pod as the other one left it.
    expected = {"restored": 1.0, "already-restored": 0.0}
    expected[second_decision] += 1
    assert {key: after[key] - before[key] for key in after} == expected
    if mutate is add_init_container:
        assert images(stored) == WANTED
    else:
        assert stored["metadata"]["labels"] == {"other": "was-here"}
        assert images(stored) == {"app": WANTED["app"]}

    # Both answers' audit annotations agree: the API server refuses to overwrite one, and logs that.
    assert not re.findall(r".*audit annotation.*", control_plane.log()[old_log:], re.IGNORECASE)
    annotations = audit_annotations(control_plane, namespace, "train-x")
    assert annotations[f"{WEBHOOK_NAME}/reason"] == "restored"
    assert annotations[f"{WEBHOOK_NAME}/checkpoint-backup"] == f"{namespace}/train"
    rounds = [key for key in annotations if key.startswith("mutation.webhook")]
    assert any("round_1" in key and WEBHOOK_NAME in annotations[key] for key in rounds)
