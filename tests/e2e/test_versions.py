"""On an older Kubernetes: tests of other files once more, and what differs there.

Imported tests run here with this module's control plane: its fixtures take the place of those of
the same name in conftest.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from test_admission import test_review_version
from test_deploy_manifests import FILES, NEEDS_CERT_MANAGER
from test_examples import pods_of
from test_versions_lists import BY_PAGES, reads
from test_watch_follow import test_each_change, world
from test_watch_outage import test_crash_under_load, test_history_lost_by_restart

from support import controlplane, crd
from support.api import Api, Object
from support.controlplane import ControlPlane
from support.decisions import asking
from support.deploy import DEPLOY, NAMESPACE
from support.examples import EXAMPLE, STORE_STATUS, example
from support.fixtures import PodOf, Register, StartWatching
from support.objects import (
    backup,
    cron_job,
    images,
    job,
    job_pod,
    pod,
    pod_spec,
    webhook_configuration,
)
from support.poll import poll
from support.rbac import Account
from support.registration import configuration, registered
from support.webhook import OtherWebhook
from support.world import CHECKPOINT, SPEC

__all__ = [
    "test_crash_under_load",
    "test_each_change",
    "test_history_lost_by_restart",
    "test_review_version",
    "world",
]

pytestmark = pytest.mark.older_kubernetes

# With matchConditions and without. Clusters that have matchConditions take both.
REGISTRATIONS = ["webhook.yaml", "webhook-pre-1.30.yaml"]


@pytest.fixture(scope="module", params=["1.30"])
def control_plane_or_why(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane | str]:
    directory = tmp_path_factory.mktemp(f"kubernetes-{request.param}")
    with controlplane.running(directory, kubernetes=request.param) as result:
        yield result


@pytest.fixture(scope="module")
def breakable_or_why(control_plane_or_why: ControlPlane | str) -> ControlPlane | str:
    """The same one: nobody else uses it."""
    return control_plane_or_why


@pytest.fixture
def installed_crd(control_plane: ControlPlane) -> Object:
    return crd.find(control_plane) or crd.install(control_plane)


@pytest.mark.parametrize("file", [file for file in FILES if file != NEEDS_CERT_MANAGER])
def test_each_file_is_taken(control_plane: ControlPlane, api: Api, file: str) -> None:
    """With no field that this version does not know."""
    if NAMESPACE not in [found["metadata"]["name"] for found in api.list("v1", "Namespace", None)]:
        control_plane.kubectl("create", "namespace", NAMESPACE)
    strictly = ("--validate=strict", "--dry-run=server")
    control_plane.kubectl("apply", *strictly, "-f", str(DEPLOY / file))


def test_it_is_older(control_plane: ControlPlane, request: pytest.FixtureRequest) -> None:
    version = control_plane.api.request("GET", "/version").object
    wanted = request.node.callspec.params["control_plane_or_why"]
    assert f"{version['major']}.{version['minor']}" == wanted
    assert version["gitVersion"].startswith(f"v{wanted}.")


@pytest.mark.parametrize("file", REGISTRATIONS)
def test_registration(
    api: Api, namespace: str, account: Account, start_watching: StartWatching, file: str
) -> None:
    """As people apply it, but for where the server is and for whose pods."""
    server = start_watching(account)
    (document,) = yaml.safe_load_all((DEPLOY / file).read_text())
    (webhook,) = document["webhooks"]
    (here,) = webhook_configuration(namespace, "a", server.port, server.ca)["webhooks"]
    fields = {**webhook, **{key: here[key] for key in ("clientConfig", "namespaceSelector")}}
    with registered(api, namespace, server, **fields):
        asked = server.metric("smw_admission_requests_total")
        api.create(pod(namespace, "of-nobody", SPEC))
        more = server.metric("smw_admission_requests_total") - asked
    # Without matchConditions the server is asked about every pod.
    assert more == ("matchConditions" not in webhook)


def test_backups_are_read_page_by_page(account: Account, start_watching: StartWatching) -> None:
    reads(account, start_watching, BY_PAGES)


def test_example_restores(
    control_plane: ControlPlane, api: Api, account: Account, start_watching: StartWatching
) -> None:
    """The example's backup, its status and its Job, in this order.

    `kubectl apply --subresource` came with kubectl 1.32; a patch of the same file does the same.
    """
    server = start_watching(account)
    wanted = example("CheckpointBackup")
    (built,) = wanted["status"]["builtImages"]
    restored = {
        "app-container": "nginx:1.20-checkpoint",
        built["containerName"]: built["imageName"],
    }
    name = example("Job")["metadata"]["name"]
    control_plane.kubectl("apply", "--validate=strict", "-f", str(EXAMPLE))
    try:
        control_plane.kubectl(*STORE_STATUS)
        probe = job_pod("default", name, name, example("Job")["spec"]["template"]["spec"])
        with asking(server) as asks:
            poll("the status is known", lambda: asks.decide(probe).images == restored)
        with registered(api, "default", server):
            control_plane.kubectl("delete", "job", name)
            control_plane.kubectl("apply", "-f", str(EXAMPLE))
            (stored,) = poll("its pod", lambda: pods_of(api, "default", name))
    finally:
        control_plane.kubectl("delete", "-f", str(EXAMPLE))
    assert images(stored) == restored


def test_run_of_a_cron_job(
    api: Api,
    namespace: str,
    account: Account,
    start_watching: StartWatching,
    register: Register,
    pod_of: PodOf,
) -> None:
    register(start_watching(account))
    api.create(backup(namespace, "nightly", ("CronJob", "nightly"), {"app": CHECKPOINT}))
    nightly = api.create(cron_job(namespace, "nightly", SPEC, schedule="0 * * * *"))
    # It ran two hours ago, as far as it knows: so it is late, and begins at once.
    before = datetime.now(timezone.utc) - timedelta(hours=2)
    api.merge(nightly, {"status": {"lastScheduleTime": f"{before:%Y-%m-%dT%H:%M:%SZ}"}}, "/status")
    (run,) = poll("its Job", lambda: api.list("batch/v1", "Job", namespace))
    name = run["metadata"]["name"]
    assert name.removeprefix("nightly-").isdigit()
    stored = pod_of(name)
    assert images(stored)["app"] == CHECKPOINT
    # Both names of the label: the second is the one that there was before 1.27.
    labels = stored["metadata"]["labels"]
    assert labels["batch.kubernetes.io/job-name"] == labels["job-name"] == name


def test_fields_of_a_review(
    api: Api, namespace: str, tmp_path: Path, controllers: None, pod_of: PodOf
) -> None:
    """What this API server sends about a Job's pod, as another webhook sees it."""
    other = OtherWebhook(tmp_path, lambda request: [])
    registration = webhook_configuration(
        namespace, "other", other.port, other.ca, "/mutate", "other.example.com"
    )
    with configuration(api, registration):
        probe = pod(namespace, "probe", pod_spec(*SPEC["containers"]))
        poll("the webhook is asked", lambda: api.dry_run(probe) and other.requests)
        other.requests.clear()
        api.create(job(namespace, "train", SPEC))
        pod_of("train")
        (request,) = other.requests
    other.close()
    gvk = {"group": "", "version": "v1", "kind": "Pod"}
    gvr = {"group": "", "version": "v1", "resource": "pods"}
    told = {key: request[key] for key in ("kind", "requestKind", "resource", "requestResource")}
    assert told == {"kind": gvk, "requestKind": gvk, "resource": gvr, "requestResource": gvr}
    assert (request["operation"], request["namespace"]) == ("CREATE", namespace)
    assert (request["dryRun"], request["oldObject"]) == (False, None)
    assert request["options"]["kind"] == "CreateOptions"
    assert request["object"]["metadata"]["generateName"] == "train-"
    (owner,) = request["object"]["metadata"]["ownerReferences"]
    assert (owner["apiVersion"], owner["kind"], owner["name"]) == ("batch/v1", "Job", "train")
    assert owner["controller"] is True
