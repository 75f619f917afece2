"""Fixtures of the end-to-end tests: a control plane, a namespace, and the server under test."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import controlplane, crd
from support.api import Api, Object
from support.controlplane import ControlPlane
from support.deploy import Scripts, fresh_cluster, sweep
from support.fixtures import PodOf, Register, StartServer, StartWatching
from support.poll import poll
from support.rbac import RULES, Account
from support.registration import registered
from support.server import Server
from support.settings import binary, cannot_run
from support.standalone import need_binary
from support.watching import Watching


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--slow", action="store_true", help="also what takes minutes (in_full, older_kubernetes)"
    )


# Left out without --slow.
MINUTES = ("in_full", "older_kubernetes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    left_out = [item for item in items if any(map(item.get_closest_marker, MINUTES))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


# A control plane of the module's own, for our objects have the same names in every cluster, and
# what the scripts do to it.


@pytest.fixture(scope="module")
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    name = request.module.__name__.removeprefix("test_").replace("_", "-")
    with fresh_cluster(tmp_path_factory.mktemp(name)) as plane:
        yield plane


@pytest.fixture
def scripts(cluster: ControlPlane, tmp_path: Path) -> Iterator[Scripts]:
    yield Scripts(tmp_path, cluster)
    sweep(cluster)


@pytest.fixture
def offline(tmp_path: Path) -> Scripts:
    """Without a cluster the manifests are printed all the same."""
    return Scripts(tmp_path)


# The control plane that all tests share, and one for those that break it.


@pytest.fixture(scope="session")
def control_plane_or_why(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ControlPlane | str]:
    with controlplane.running(tmp_path_factory.mktemp("controlplane")) as result:
        yield result


@pytest.fixture(scope="session")
def breakable_or_why(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane | str]:
    with controlplane.running(tmp_path_factory.mktemp("breakable")) as result:
        yield result


@pytest.fixture
def control_plane(control_plane_or_why: ControlPlane | str) -> ControlPlane:
    # Here and not in the session's fixture, so that each test says itself why it did not run.
    if isinstance(control_plane_or_why, str):
        cannot_run(control_plane_or_why)
    return control_plane_or_why


@pytest.fixture
def breakable(breakable_or_why: ControlPlane | str) -> ControlPlane:
    """A control plane whose components a test may end and whose CRD it may delete.

    It leaves both as it found them, which this sees to after one that failed half-way.
    """
    if isinstance(breakable_or_why, str):
        cannot_run(breakable_or_why)
    if not breakable_or_why.answers():
        breakable_or_why.start(apiserver_flags="")
    if not crd.is_served(breakable_or_why):
        crd.install(breakable_or_why)
    return breakable_or_why


@pytest.fixture
def controllers(control_plane: ControlPlane) -> None:
    """For tests that need the controllers of Jobs, CronJobs and Deployments."""
    if not control_plane.has_controllers:
        cannot_run("no kube-controller-manager in KUBEBUILDER_ASSETS")


@pytest.fixture
def api(control_plane: ControlPlane) -> Api:
    return control_plane.api


@pytest.fixture
def namespace(control_plane: ControlPlane) -> str:
    """A namespace of the test's own. It stays until the control plane goes."""
    return control_plane.new_namespace()


@pytest.fixture(scope="session")
def crd_in_session(control_plane_or_why: ControlPlane | str) -> Object | None:
    if isinstance(control_plane_or_why, str):
        return None
    return crd.install(control_plane_or_why)


@pytest.fixture
def installed_crd(control_plane: ControlPlane, crd_in_session: Object) -> Object:
    """Our CustomResourceDefinition, as the API server serves it. It stays."""
    return crd_in_session


# Servers that know their objects from manifests.


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    numbers = itertools.count(1)
    with contextlib.ExitStack() as stack:

        def start(*objects: Object, flags: tuple[str, ...] = ()) -> Server:
            if not binary().exists():
                cannot_run(
                    f"no server to test: build it (preset release) or set SMW_BINARY ({binary()})"
                )
            server = Server(tmp_path / f"server-{next(numbers)}", *flags)
            if objects:
                server.write_manifest("objects", *objects)
            stack.callback(server.close)
            server.start()
            return server

        yield start


# Servers that watch a cluster, under an account with the rights of the contract.


@pytest.fixture
def start_watching(tmp_path: Path) -> Iterator[StartWatching]:
    need_binary()
    with contextlib.ExitStack() as stack:
        watching = Watching(tmp_path, stack)
        yield watching.start
        watching.check_leaks()


@pytest.fixture
def account(control_plane: ControlPlane, namespace: str, installed_crd: Object) -> Account:
    """For servers that watch the shared control plane."""
    return Account(control_plane, namespace).grant(RULES)


@pytest.fixture
def breakable_account(breakable: ControlPlane) -> Account:
    """For servers that watch the breakable one; its namespace is the test's."""
    return Account(breakable, breakable.new_namespace()).grant(RULES)


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
