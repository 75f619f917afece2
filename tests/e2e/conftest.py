"""Fixtures of the end-to-end tests: a control plane, a namespace, and the server under test."""

from __future__ import annotations

import contextlib
import itertools
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import controlplane
from support.api import Api, Object
from support.controlplane import ControlPlane, UnavailableError
from support.fixtures import PodOf, Register, StartServer
from support.poll import poll
from support.registration import registered
from support.server import Server
from support.settings import binary, cannot_run


@pytest.fixture(scope="session")
def control_plane_or_why(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ControlPlane | str]:
    directory = tmp_path_factory.mktemp("controlplane")
    try:
        result = controlplane.up(directory)
    except UnavailableError as why:
        yield f"no control plane: {why}"
        return
    yield result
    controlplane.down(directory)


@pytest.fixture
def control_plane(control_plane_or_why: ControlPlane | str) -> ControlPlane:
    # Here and not in the session's fixture, so that each test says itself why it did not run.
    if isinstance(control_plane_or_why, str):
        cannot_run(control_plane_or_why)
    return control_plane_or_why


@pytest.fixture
def controllers(control_plane: ControlPlane) -> None:
    """For tests that need the controllers of Jobs, CronJobs and Deployments."""
    if not control_plane.has_controllers:
        cannot_run("no kube-controller-manager in KUBEBUILDER_ASSETS")


@pytest.fixture
def api(control_plane: ControlPlane) -> Api:
    return control_plane.api


@pytest.fixture
def namespace(api: Api) -> str:
    """A namespace of the test's own. It stays until the control plane goes."""
    name = f"e2e-{secrets.token_hex(4)}"
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    numbers = itertools.count(1)
    with contextlib.ExitStack() as stack:

        def start(*objects: Object, flags: tuple[str, ...] = ()) -> Server:
            if not binary().exists():
                cannot_run(
                    f"no server to test: build it (preset dev) or set SMW_BINARY ({binary()})"
                )
            server = Server(tmp_path / f"server-{next(numbers)}", *flags)
            if objects:
                server.write_manifest("objects", *objects)
            stack.callback(server.close)
            server.start()
            return server

        yield start


@pytest.fixture
def register(api: Api, namespace: str) -> Iterator[Register]:
    with contextlib.ExitStack() as stack:

        def enter(server: Server, **fields: Any) -> Object:
            return stack.enter_context(registered(api, namespace, server, **fields))

        yield enter


@pytest.fixture
def pod_of(api: Api, namespace: str, controllers: None) -> PodOf:
    """Waits for the pod that the real Job controller makes for a Job."""

    def wait(job_name: str) -> Object:
        selector = f"batch.kubernetes.io/job-name={job_name}"
        return poll(
            f"pod of Job {job_name}",
            lambda: api.list("v1", "Pod", namespace, labelSelector=selector),
        )[0]

    return wait
