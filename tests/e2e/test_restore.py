"""What is stored when the Job controller creates the pod of a Job that has a CheckpointBackup."""

from __future__ import annotations

from support.api import Api
from support.fixtures import PodOf, Register, StartServer
from support.objects import (
    SKIP_RESTORE,
    backup,
    container,
    deployment,
    images,
    job,
    pod,
    pod_spec,
)
from support.poll import poll

APP = container("app", "registry.example.com/train:1.0")
CHECKPOINT = "registry.example.com/train:checkpoint-7"


def test_job(
    api: Api, namespace: str, start_server: StartServer, register: Register, pod_of: PodOf
) -> None:
    register(start_server(backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT})))
    created = api.create(job(namespace, "train", pod_spec(APP)))
    restored = pod_of("train")
    assert images(restored) == {"app": CHECKPOINT}
    # It is this Job's pod, made by the real controller, and nothing but the image is ours.
    assert restored["metadata"]["ownerReferences"][0]["uid"] == created["metadata"]["uid"]
    assert "annotations" not in restored["metadata"]


def test_init_container(
    api: Api, namespace: str, start_server: StartServer, register: Register, pod_of: PodOf
) -> None:
    wanted = {"app": CHECKPOINT, "prepare": "registry.example.com/prepare:checkpoint-7"}
    register(start_server(backup(namespace, "train", ("Job", "train"), wanted)))
    init = [container("fetch", "fetch:1"), container("prepare", "prepare:1")]
    api.create(job(namespace, "train", pod_spec(APP, init=init)))
    assert images(pod_of("train")) == {**wanted, "fetch": "fetch:1"}


def test_sidecar_from_built_images(
    api: Api, namespace: str, start_server: StartServer, register: Register, pod_of: PodOf
) -> None:
    built = [
        {
            "containerName": "sidecar",
            "imageName": f"registry.example.com/sidecar:{tag}",
            "buildTime": time,
            "pushed": True,
        }
        for tag, time in (
            ("old", "2026-01-01T00:00:00Z"),
            ("new", "2026-01-03T00:00:00Z"),
            ("middle", "2026-01-02T00:00:00Z"),
        )
    ]
    object_ = backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT}, built)
    register(start_server(object_))
    api.create(job(namespace, "train", pod_spec(APP, container("sidecar", "sidecar:1"))))
    assert images(pod_of("train")) == {
        "app": CHECKPOINT,
        "sidecar": "registry.example.com/sidecar:new",
    }


def test_native_sidecar(
    api: Api, namespace: str, start_server: StartServer, register: Register, pod_of: PodOf
) -> None:
    # A sidecar of Kubernetes' own kind is an init container that is restarted always.
    wanted = {"app": CHECKPOINT, "proxy": "registry.example.com/proxy:checkpoint-7"}
    register(start_server(backup(namespace, "train", ("Job", "train"), wanted)))
    init = [container("proxy", "proxy:1", restartPolicy="Always")]
    api.create(job(namespace, "train", pod_spec(APP, init=init)))
    assert images(pod_of("train")) == wanted


def test_registry(
    api: Api, namespace: str, start_server: StartServer, register: Register, pod_of: PodOf
) -> None:
    wanted = {"app": "team/train:checkpoint-7", "other": "other.example.com:5000/x:1"}
    registry = "https://registry.example.com:5000/"
    object_ = backup(namespace, "train", ("Job", "train"), wanted, registry=registry)
    register(start_server(object_))
    api.create(job(namespace, "train", pod_spec(APP, container("other", "x:0"))))
    assert images(pod_of("train")) == {
        "app": "registry.example.com:5000/team/train:checkpoint-7",
        "other": "other.example.com:5000/x:1",
    }


def test_backup_that_comes_later(
    api: Api, namespace: str, start_server: StartServer, register: Register, pod_of: PodOf
) -> None:
    server = start_server()
    register(server)
    before = server.metric("smw_cache_objects", resource="checkpointbackups")
    object_ = backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT})
    server.write_manifest("later", object_)
    poll(
        "the new manifest is read",
        lambda: server.metric("smw_cache_objects", resource="checkpointbackups") > before,
    )
    api.create(job(namespace, "train", pod_spec(APP)))
    assert images(pod_of("train")) == {"app": CHECKPOINT}


def test_job_without_backup(
    api: Api, namespace: str, start_server: StartServer, register: Register, pod_of: PodOf
) -> None:
    elsewhere = backup("another-namespace", "other", ("Job", "other"), {"app": CHECKPOINT})
    named_alike = backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT})
    register(start_server(elsewhere, named_alike))
    # A backup of another namespace, and one whose Job's name is only the beginning of ours.
    for name in ("other", "train-2"):
        api.create(job(namespace, name, pod_spec(APP)))
        assert images(pod_of(name)) == {"app": APP["image"]}


def test_skip_restore(
    api: Api, namespace: str, start_server: StartServer, register: Register, pod_of: PodOf
) -> None:
    register(start_server(backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT})))
    api.create(job(namespace, "train", pod_spec(APP), {SKIP_RESTORE: "true"}))
    assert images(pod_of("train")) == {"app": APP["image"]}


def test_bare_pod(api: Api, namespace: str, start_server: StartServer, register: Register) -> None:
    register(start_server(backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT})))
    stored = api.create(pod(namespace, "train", pod_spec(APP)))
    assert images(stored) == {"app": APP["image"]}


def test_pod_of_deployment(
    api: Api, namespace: str, start_server: StartServer, register: Register, controllers: None
) -> None:
    register(start_server(backup(namespace, "train", ("Job", "train"), {"app": CHECKPOINT})))
    api.create(deployment(namespace, "train", pod_spec(APP)))
    stored = poll("pod of the Deployment", lambda: api.list("v1", "Pod", namespace))[0]
    assert stored["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"
    assert images(stored) == {"app": APP["image"]}
