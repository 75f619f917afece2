"""`certs issue` and `certs inspect`: what is made is served and trusted, what openssl makes is
judged alike, and what stands in a cluster is seen."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.api import Api, Object
from support.certificates import served
from support.controlplane import ControlPlane
from support.deploy import CA_SECRET, CERTS_SECRET, SERVICE, Scripts
from support.objects import backup, container, images, job_pod, pod_spec, webhook_configuration
from support.poll import poll
from support.raw_http import connected, post
from support.rbac import Account
from support.registration import configuration, registered
from support.reviews import encode, review, train_backup
from support.server import FLAGS, Server, environment
from support.settings import binary
from support.standalone import ending, need_binary

BODY = post(encode(review()))
YEAR = 365 * 24
CHECKPOINT = "registry.example.com/train:checkpoint-1"
KIND = "MutatingWebhookConfiguration"
LIFETIMES = (f"--leaf-lifetime={YEAR}h", f"--ca-lifetime={10 * YEAR}h")


def certs(*arguments: str | Path, **how: Any) -> subprocess.CompletedProcess[str]:
    need_binary()
    command = [str(binary()), "certs", *map(str, arguments)]
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=60, check=False, **how
    )
    assert "PRIVATE KEY" not in done.stdout + done.stderr
    return done


def issue(folder: Path, *flags: str, namespace: str = "default") -> str:
    done = certs("issue", "--out", folder, "--service-namespace", namespace, *flags)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def inspect(*arguments: str | Path, status: int = 0) -> Object:
    """Its judgement about one place."""
    done = certs("inspect", *arguments, "-o", "json")
    assert done.returncode == status, done.stdout + done.stderr
    report: Object = json.loads(done.stdout)
    return report


def rules(report: Object) -> list[str]:
    return [finding["rule"] for finding in report["findings"]]


def chain(report: Object, title: str = "Certificate") -> list[Object]:
    (group,) = (group for group in report["certificates"] if group["title"] == title)
    certificates: list[Object] = group["chain"]
    return certificates


def files(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def with_folder(directory: Path, folder: Path, *flags: str) -> Server:
    server = Server(directory, *FLAGS, "--service-namespace", "default", *flags, cert_dir=folder)
    server.write_manifest("objects", train_backup())
    return server


# what it makes


def test_what_is_issued_is_good_for_openssl_and_a_server(tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    issue(folder, "--extra-names", "127.0.0.1")
    for name in (SERVICE, f"{SERVICE}.default.svc", f"{SERVICE}.default.svc.cluster.local"):
        subprocess.run(
            ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-no-CApath",
             "-no-CAstore", "-verify_hostname", name, "-CAfile", folder / "ca.crt",
             folder / "tls.crt"],
            check=True, capture_output=True,
        )  # fmt: skip
    assert (folder / "ca.key").stat().st_mode & 0o777 == 0o600
    assert (folder / "tls.key").stat().st_mode & 0o777 == 0o600
    with ending(with_folder(tmp_path / "server", folder)) as server:
        assert not [line for line in server.log_lines() if line.level in {"WARN", "ERROR"}]
        with connected(server.port, (folder / "ca.crt").read_text()) as client:
            assert client.ask(BODY).status == 200
        address = f"127.0.0.1:{server.port}"
        shown = inspect("--connect", address, "--server-name", f"{SERVICE}.default.svc")
        assert (shown["verdict"], shown["findings"]) == ("good", [])
        assert shown["note"] == f"TLSv1.3, http/1.1, asked for as {SERVICE}.default.svc"
        assert chain(shown) == [
            {**entry, "secondsLeft": chain(shown)[at]["secondsLeft"]}
            for at, entry in enumerate(chain(inspect(folder)))
        ]
        other = inspect("--connect", address, "--server-name", "other.default.svc")
        assert rules(other) == ["missing-name"]


def test_renewed_under_a_server_that_runs(tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    issue(folder, "--extra-names", "127.0.0.1")
    before = files(folder)
    assert "kept" in issue(folder, "--extra-names", "127.0.0.1")
    assert files(folder) == before
    with ending(with_folder(tmp_path / "server", folder)) as server:
        old = served(server.port)
        said = issue(folder, "--extra-names", "127.0.0.1,renewed.example.com")
        assert "has no SAN renewed.example.com" in said
        poll("the new one is served", lambda: served(server.port) != old)
        with connected(server.port, before["ca.crt"].decode()) as client:
            assert client.ask(BODY).status == 200
        assert server.metric("smw_certificate_reloads_total", result="rejected") == 0
        assert not [line for line in server.log_lines() if line.level == "ERROR"]


def test_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    issue(folder)
    before = files(folder)
    # More than a key is not written: the pair would be half a new one.
    limit = ["bash", "-c", 'ulimit -f 0; trap "" XFSZ; exec "$@"', "limited"]
    command = [str(binary()), "certs", "issue", "--out", str(folder), "--service-namespace", "new"]
    done = subprocess.run(
        [*limit, *command], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"writing {folder}/tls.crt: File too large" in done.stderr
    assert files(folder) == before


def test_somebody_elses_files(tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    issue(tmp_path / "other")
    issue(folder)
    for name in ("tls.crt", "tls.key"):
        shutil.copy(tmp_path / "other" / name, folder / name)
    before = files(folder)
    arguments = ("issue", "--out", folder, "--service-namespace", "default")
    done = certs(*arguments)
    assert (done.returncode, files(folder)) == (1, before)
    assert "tls.crt was not signed by ca.crt, so it is not from here; --force" in done.stderr
    assert certs(*arguments, "--force").returncode == 0
    assert inspect(folder, "--service-namespace", "default")["verdict"] == "good"


def test_the_same_as_the_script(tmp_path: Path, control_plane: ControlPlane) -> None:
    scripts = Scripts(tmp_path, control_plane)
    scripts.create_namespace()
    scripts.generate()
    ours = tmp_path / "ours"
    issue(ours, *LIFETIMES, namespace=scripts.namespace)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for secret in (CERTS_SECRET, CA_SECRET):
        for name, value in scripts.mine("secret", secret)["data"].items():
            (theirs / name).write_bytes(base64.b64decode(value))

    def facts(folder: Path) -> list[Object]:
        report = inspect(folder, "--service-namespace", scripts.namespace)
        assert (report["verdict"], report["findings"]) == ("good", [])
        assert [verdict["trusted"] for verdict in report["trust"]] == [True]
        return [
            {**entry, "names": set(entry["names"])}
            for title in ("Certificate", "CA")
            for entry in chain(report, title)
        ]

    def until(text: str) -> datetime:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))

    same = ("names", "extendedKeyUsages", "isCA", "key", "signature")
    for one, two in zip(facts(ours), facts(theirs), strict=True):
        assert {key: one[key] for key in same} == {key: two[key] for key in same}
        for date in ("notBefore", "notAfter"):
            assert abs(until(one[date]) - until(two[date])) < timedelta(minutes=10)
    assert extensions(ours) == extensions(theirs)
    for number, folder in enumerate((ours, theirs)):
        with ending(with_folder(tmp_path / f"server-{number}", folder)) as server:
            assert served(server.port) == (folder / "tls.crt").read_text()


def extensions(folder: Path) -> list[str]:
    """What openssl reads in CA and leaf, names apart."""
    wanted = "basicConstraints,keyUsage,extendedKeyUsage"
    return [
        subprocess.run(
            ["openssl", "x509", "-noout", "-ext", wanted, "-in", folder / name],
            check=True, capture_output=True, text=True,
        ).stdout
        for name in ("ca.crt", "tls.crt")
    ]  # fmt: skip


# in a cluster


def admin(control_plane: ControlPlane) -> tuple[str, str]:
    return ("--kubeconfig", str(control_plane.directory / "kubeconfig"))


def test_the_api_server_believes_it(
    tmp_path: Path, control_plane: ControlPlane, api: Api, namespace: str
) -> None:
    folder = tmp_path / "certs"
    issue(folder, "--extra-names", "127.0.0.1", namespace=namespace)
    server = with_folder(tmp_path / "server", folder)
    server.write_manifest("objects", backup(namespace, "b", ("Job", "train"), {"app": CHECKPOINT}))
    kubeconfig = admin(control_plane)
    with ending(server):
        name = f"{namespace}-a"
        with registered(api, namespace, server, ca=(folder / "ca.crt").read_text()):
            spec = pod_spec(container("app", "busybox:1.36"))
            admitted = api.create(job_pod(namespace, "train-x", "train", spec))
            assert images(admitted) == {"app": CHECKPOINT}
            report = inspect(folder, "--webhook-configuration", name, *kubeconfig)
            by = f"caBundle of webhook pod-mutator.migration.dcnlab.com in {KIND} {name}"
            (_, verdict) = report["trust"]
            assert (verdict["by"], verdict["name"]) == (by, "127.0.0.1")
            assert verdict["trusted"]
        issue(tmp_path / "other")
        body = webhook_configuration(
            namespace, "b", server.port, (tmp_path / "other" / "ca.crt").read_text()
        )
        with configuration(api, body):
            address = f"127.0.0.1:{server.port}"
            flags = ("--webhook-configuration", f"{namespace}-b", *kubeconfig)
            report = inspect("--connect", address, *flags, status=1)
            assert "is not in it" in report["trust"][0]["why"]


def test_a_secret(
    tmp_path: Path, control_plane: ControlPlane, api: Api, namespace: str
) -> None:
    folder = tmp_path / "certs"
    issue(folder, namespace=namespace)
    put_secret(api, namespace, files(folder), "tls.crt", "tls.key", "ca.crt")
    account = Account(control_plane, namespace)
    kubeconfig = tmp_path / "kubeconfig"
    account.write_kubeconfig(kubeconfig)
    flags = ("--secret", f"{namespace}/certs", "--kubeconfig", kubeconfig)
    refused = inspect(*flags, status=1)
    assert "cannot get resource" in refused["findings"][0]["text"]
    account.grant([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}], (namespace,))
    report = inspect(*flags)
    assert report["verdict"] == "good"
    assert report["place"] == f"Secret {namespace}/certs"
    assert report["askedName"] == f"{SERVICE}.{namespace}.svc"
    gone = inspect("--secret", f"{namespace}/none", *admin(control_plane), status=1)
    assert "not found" in gone["findings"][0]["text"]


def put_secret(api: Api, namespace: str, content: dict[str, bytes], *names: str) -> None:
    api.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"namespace": namespace, "name": "certs"},
            "data": {name: base64.b64encode(content[name]).decode() for name in names},
        }
    )


# bad input


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        ("openssl pkey -in good.key -aes128 -passout pass:x -out tls.key", "encrypted-key"),
        ("openssl pkey -in good.key -outform der -out tls.key", "no-key"),
        ("openssl ecparam -name prime256v1 -genkey -noout -out tls.key", "foreign-key"),
        ("cat ca.crt good.crt >tls.crt", "leaf-not-first"),
        ("openssl x509 -in good.crt -outform der -out tls.crt", "no-certificate"),
        ("base64 -w0 good.crt >tls.crt", "no-certificate"),
        ("head -c 300 good.crt >tls.crt", "unreadable-certificate"),
        ("sed 's/^/  /' good.crt >tls.crt", "no-certificate"),
        ("cp good.key tls.crt", "no-certificate"),
        ("rm tls.key", "missing"),
    ],
)
def test_bad_files_are_told_alike_by_the_server(tmp_path: Path, command: str, rule: str) -> None:
    folder = tmp_path / "certs"
    issue(folder)
    for name in ("crt", "key"):
        shutil.copy(folder / f"tls.{name}", folder / f"good.{name}")
    subprocess.run(command, shell=True, check=True, cwd=folder, capture_output=True)
    report = inspect(folder, "--service-namespace", "default", status=1)
    assert rules(report)[0] == rule
    with ending(with_folder(tmp_path / "server", folder), until_ready=False) as server:
        poll("said so", lambda: "[-]certificate: " in server.checks())
        if rule != "missing":
            assert report["findings"][0]["text"] in server.checks()
