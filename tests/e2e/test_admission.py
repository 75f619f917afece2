"""The server in the hands of a real API server: dry run, self-test, versions, failurePolicy."""

from __future__ import annotations

import signal

import pytest

from support.api import Api, ApiError, Object
from support.controlplane import ControlPlane
from support.fixtures import Register, StartServer
from support.objects import (
    WEBHOOK_NAME,
    backup,
    container,
    images,
    job_pod,
    pod_spec,
)
from support.poll import poll
from support.registration import self_test_pod

APP = container("app", "registry.example.com/train:1.0")
CHECKPOINT = "registry.example.com/train:checkpoint-7"


def train_backup(namespace: str) -> Object:
    return backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT})


def train_pod(namespace: str, name: str = "train-x") -> Object:
    return job_pod(namespace, name, "train", pod_spec(APP))


def test_dry_run(api: Api, namespace: str, start_server: StartServer, register: Register) -> None:
    # The API server refuses a dry run unless the webhook declares to have no side effects.
    register(start_server(train_backup(namespace)))
    assert images(api.dry_run(train_pod(namespace)).object) == {"app": CHECKPOINT}
    assert api.list("v1", "Pod", namespace) == []


def test_kubectl_dry_run(
    control_plane: ControlPlane,
    namespace: str,
    start_server: StartServer,
    register: Register,
) -> None:
    register(start_server(train_backup(namespace)))
    image = control_plane.kubectl(
        *("run", "bare", "--image=nginx:1.19", "--dry-run=server", "--namespace", namespace),
        "--output=jsonpath={.spec.containers[0].image}",
    )
    assert image == "nginx:1.19"


def test_self_test(api: Api, namespace: str, start_server: StartServer, register: Register) -> None:
    register(start_server(train_backup(namespace)))
    reply = api.dry_run(self_test_pod(namespace, "e2e-nonce"))
    assert len(reply.warnings) == 1
    product, version, rest = reply.warnings[0].split(" ", 2)
    assert (product, rest) == ("stateful-migration-webhook", "answered e2e-nonce")
    assert version
    assert images(reply.object) == {"app": "busybox:1.36"}


def test_self_test_only_in_a_dry_run(
    api: Api, namespace: str, start_server: StartServer, register: Register
) -> None:
    register(start_server(train_backup(namespace)))
    assert api.post(self_test_pod(namespace, "e2e-nonce")).warnings == []


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_review_version(
    api: Api, namespace: str, start_server: StartServer, register: Register, version: str
) -> None:
    register(start_server(train_backup(namespace)), admissionReviewVersions=[version])
    assert images(api.create(train_pod(namespace))) == {"app": CHECKPOINT}


def test_passing_over_a_typo_warns(
    api: Api, namespace: str, start_server: StartServer, register: Register
) -> None:
    typo = backup(namespace, "train", ("Job", "train"), {"app": "Registry/Upper Case:1"})
    register(start_server(typo))
    reply = api.post(train_pod(namespace))
    assert images(reply.object) == {"app": APP["image"]}
    assert len(reply.warnings) == 1
    assert "train" in reply.warnings[0]


def test_server_away_ignore(
    api: Api, namespace: str, start_server: StartServer, register: Register
) -> None:
    server = start_server(train_backup(namespace))
    register(server, failurePolicy="Ignore")
    assert images(api.create(train_pod(namespace, "before"))) == {"app": CHECKPOINT}
    assert server.terminate() == 0
    assert images(api.create(train_pod(namespace, "after"))) == {"app": APP["image"]}


def test_server_away_fail(
    api: Api, namespace: str, start_server: StartServer, register: Register
) -> None:
    server = start_server(train_backup(namespace))
    register(server, failurePolicy="Fail")
    assert images(api.create(train_pod(namespace, "before"))) == {"app": CHECKPOINT}
    assert server.terminate() == 0
    with pytest.raises(ApiError) as error:
        api.create(train_pod(namespace, "after"))
    assert error.value.code == 500
    assert f'failed calling webhook "{WEBHOOK_NAME}"' in error.value.message


def test_server_that_hangs(
    api: Api, namespace: str, start_server: StartServer, register: Register
) -> None:
    # A stopped process still has its port: connections are made, and nobody answers.
    server = start_server(train_backup(namespace))
    register(server, failurePolicy="Ignore", timeoutSeconds=1)
    server.process.send_signal(signal.SIGSTOP)
    try:
        stored = api.create(train_pod(namespace, "meanwhile"))
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert images(stored) == {"app": APP["image"]}
    # A second for each answer: the first ones may still take longer.
    restored = {"app": CHECKPOINT}
    poll("it restores", lambda: images(api.dry_run(train_pod(namespace)).object) == restored)
