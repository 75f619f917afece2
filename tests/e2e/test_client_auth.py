"""Who may ask: client certificates, verified, reported, required; and kube-apiserver's own."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from support.api import ApiError
from support.certificates import Authority, SecretVolume, blind
from support.controlplane import ControlPlane
from support.objects import webhook_configuration
from support.poll import poll
from support.raw_http import Answer, RawClient, post
from support.registration import answers, configuration, registered, self_test_pod
from support.reviews import encode, review, train_backup
from support.server import FLAGS, Server, environment
from support.settings import binary
from support.standalone import ending, need_binary, serving

BODY = post(encode(review()))
KeyPair = tuple[Path, Path]


def flags(mode: str, ca: Path, *names: str) -> tuple[str, ...]:
    result = ("--client-auth", mode, "--client-ca-file", str(ca))
    return (*result, "--client-allowed-names", ",".join(names)) if names else result


def ask(server: Server, own: KeyPair | None = None) -> Answer:
    """On a connection of its own."""
    with contextlib.closing(RawClient(server.port, blind("http/1.1", own=own))) as client:
        return client.ask(BODY)


def refusal(server: Server, own: KeyPair | None = None) -> str:
    """What a caller that may not ask is told, before the connection ends."""
    with contextlib.closing(RawClient(server.port, blind("http/1.1", own=own))) as client:
        answer = client.ask(BODY)
        assert (answer.status, answer.header("Connection")) == (403, "close")
        client.expect_close()
    status = answer.json
    assert (status["kind"], status["code"], status["reason"]) == ("Status", 403, "Forbidden")
    message: str = status["message"]
    return message


def callers(server: Server, result: str) -> float:
    return server.metric("smw_callers_total", result=result)


def reloads(server: Server, result: str) -> float:
    return server.metric("smw_certificate_reloads_total", result=result)


def check(server: Server, name: str) -> str:
    return next(line for line in server.checks().splitlines() if f"]{name}" in line)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def stranger(tmp_path: Path) -> KeyPair:
    """Of another CA that has the same name."""
    return Authority(tmp_path / "strange").issue()


def test_required(tmp_path: Path, authority: Authority, stranger: KeyPair) -> None:
    wanted = flags("require", authority.certificate, "kube-apiserver", "by-san.example")
    with serving(tmp_path, train_backup(), flags=wanted) as server:
        known = authority.issue()
        with contextlib.closing(RawClient(server.port, blind(own=known))) as client:
            for _ in range(3):
                assert client.ask(BODY).status == 200
        assert ask(server, authority.issue("by-san")).status == 200
        assert "no client certificate was presented" in refusal(server)
        assert "is not trusted" in refusal(server, stranger)
        assert "it expired at" in refusal(server, authority.issue(days=-1))
        assert "clientAuth" in refusal(server, authority.issue(usage="serverAuth"))
        other = refusal(server, authority.issue("other"))
        assert "CN=other" in other and "--client-allowed-names" in other

        assert (callers(server, "allowed"), callers(server, "not_allowed")) == (2, 1)
        assert callers(server, "unverified") == 3
        verified = server.wait_for_message("Caller verified", 2)
        assert [line.fields["subject"] for line in verified] == ["CN=kube-apiserver", "CN=by-san"]
        assert {line.fields["issuer"] for line in verified} == {"CN=client-ca"}
        refused = server.wait_for_message("Caller refused")
        assert {line.level for line in refused} == {"INFO"}
        assert "no client certificate was presented" in refused[0].fields["why"]
        assert refused[0].fields["left_out"] == 0
        expiry = server.metric("smw_certificate_expiry_timestamp_seconds", role="client-ca")
        assert expiry > 0
        bad = server.metric("smw_admission_requests_total", outcome="bad_request")
        assert bad == callers(server, "unverified") + callers(server, "not_allowed") + callers(
            server, "no_certificate"
        )
        # Probes and metrics are asked by whoever can reach them.
        assert server.ready()


def test_reported(tmp_path: Path, authority: Authority, stranger: KeyPair) -> None:
    wanted, doubt = flags("report", authority.certificate, "kube-apiserver"), "Caller not verified"
    with serving(tmp_path, train_backup(), flags=wanted) as server:
        shown = (authority.issue(), authority.issue("other"), stranger, None)
        for own in shown:
            assert ask(server, own).status == 200
        results = ("allowed", "not_allowed", "unverified", "no_certificate")
        assert [callers(server, result) for result in results] == [1, 1, 1, 1]
        # The last caller showed none.
        server.wait_for_lines(lambda line: (line.message, line.level) == (doubt, "DEBUG"))
        doubts = [line for line in server.log_lines() if line.message == doubt]
        # About who shows a certificate there is a line a second.
        assert [line.level for line in doubts] in (["INFO", "DEBUG"], ["INFO", "INFO", "DEBUG"])
        assert doubts[0].fields["subject"] == "CN=other"


def test_off_asks_nobody(tmp_path: Path, stranger: KeyPair) -> None:
    with serving(tmp_path, train_backup()) as server:
        assert ask(server, stranger).status == 200
        assert not [sample for sample in server.samples() if sample.name == "smw_callers_total"]
        assert "client-ca" not in server.checks()


def test_a_client_ca_that_comes_late(tmp_path: Path, authority: Authority) -> None:
    volume = SecretVolume(tmp_path / "client-ca")
    file = volume.folder / "ca.crt"
    server = Server(tmp_path / "server", *FLAGS, *flags("require", file))
    with ending(server, until_ready=False):
        poll("all else", lambda: "[+]cache-jobs" in server.checks())
        status, text = server.http_get("probes", "/readyz")
        assert status == 503 and text.startswith("[-]client-ca: ") and str(file) in text
        assert "has no client CA" in refusal(server, authority.issue())
        volume.put_files({"ca.crt": authority.pem})
        poll("ready", server.ready)
        assert ask(server, authority.issue()).status == 200
        assert callers(server, "no_client_ca") == 1
        assert reloads(server, "ok") == reloads(server, "rejected") == 0


def test_reporting_without_a_client_ca_serves(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "ca.crt"
    with serving(tmp_path, train_backup(), flags=flags("report", missing)) as server:
        assert ask(server).status == 200
        assert check(server, "client-ca").startswith("[!]client-ca: ")
        (error,) = server.wait_for_level("ERROR")
        assert str(missing) in error.fields["why"]
        assert callers(server, "no_client_ca") == 1


def test_a_bad_file_leaves_the_old_ca_in_force(tmp_path: Path, authority: Authority) -> None:
    volume = SecretVolume(tmp_path / "client-ca")
    volume.put_files({"ca.crt": authority.pem})
    wanted = flags("require", volume.folder / "ca.crt")
    with serving(tmp_path / "server", train_backup(), flags=wanted) as server:
        known = authority.issue()
        volume.put_files({"ca.crt": b"garbage"})
        poll("rejected", lambda: reloads(server, "rejected") == 1)
        assert ask(server, known).status == 200
        assert server.ready() and check(server, "client-ca ") == "[+]client-ca ok"
        assert "holds no certificate" in check(server, "client-ca-file")
        next_one = Authority(tmp_path / "next", "next-ca")
        volume.put_files({"ca.crt": next_one.pem})
        poll("taken", lambda: reloads(server, "ok") == 1)
        assert ask(server, next_one.issue()).status == 200
        assert "is not trusted" in refusal(server, known)
        assert check(server, "client-ca-file") == "[+]client-ca-file ok"


@contextlib.contextmanager
def calling(*calls: Callable[[], None]) -> Iterator[list[int]]:
    """Each again and again, on a thread of its own, until the block ends: how often."""
    done = threading.Event()
    failures: list[BaseException] = []
    counts = [0] * len(calls)

    def repeat(number: int) -> None:
        try:
            while not done.is_set():
                calls[number]()
                counts[number] += 1
        except BaseException as failure:  # the test's thread tells it
            failures.append(failure)

    threads = [threading.Thread(target=repeat, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    try:
        yield counts
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not failures and all(counts), (failures, counts)


def some_more(counts: list[int]) -> None:
    """Waits for calls by each."""
    before = list(counts)
    poll(
        "calls by each",
        lambda: all(now > then + 5 for now, then in zip(counts, before, strict=True)),
    )


def until_reloaded(server: Server, times: int) -> None:
    poll("reloaded", lambda: reloads(server, "ok") == times)


def test_the_client_ca_rotated_under_load(tmp_path: Path, authority: Authority) -> None:
    # The new CA has the old one's name, as one has that was made by the same script.
    new = Authority(tmp_path / "new")
    volume = SecretVolume(tmp_path / "client-ca")
    volume.put_files({"ca.crt": authority.pem})
    wanted = flags("require", volume.folder / "ca.crt")
    with serving(tmp_path / "server", train_backup(), flags=wanted) as server:
        own = [authority.issue()]

        def call() -> None:
            assert ask(server, own[-1]).status == 200

        with contextlib.closing(RawClient(server.port, blind(own=own[0]))) as kept:
            assert kept.ask(BODY).status == 200
            with calling(call, call, call) as counts:
                both = authority.pem + new.pem
                for content in (both, new.pem + authority.pem, b"garbage", both):
                    volume.put_files({"ca.crt": content})
                    some_more(counts)
                poll("both in force", lambda: reloads(server, "ok") >= 1)
                own.append(new.issue())
                some_more(counts)
                volume.put_files({"ca.crt": new.pem})
                some_more(counts)
            # A connection of the beginning lives on.
            assert kept.ask(BODY).status == 200
        assert callers(server, "allowed") >= sum(counts)
        assert callers(server, "unverified") == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--client-auth", "require"), "--client-auth needs --client-ca-file"),
        (("--client-auth", "report"), "--client-auth needs --client-ca-file"),
        (("--client-ca-file", "ca.crt"), "--client-ca-file needs --client-auth"),
        (("--client-allowed-names", "a"), "--client-allowed-names needs --client-auth"),
        (("--client-auth", "on"), "--client-auth"),
    ],
)
def test_flags_that_do_not_fit(tmp_path: Path, arguments: tuple[str, ...], named: str) -> None:
    need_binary()
    done = subprocess.run(
        [binary(), "serve", "--manifests", str(tmp_path), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(),
    )
    assert done.returncode == 2
    assert named in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


# kube-apiserver, told by its AdmissionConfiguration what to show to our webhook.


def admission_configuration(folder: Path, host: str, own: KeyPair) -> Path:
    """What docs/operations.md says."""
    folder.mkdir()
    kubeconfig = folder / "webhooks.kubeconfig"
    user = {"client-certificate": str(own[0]), "client-key": str(own[1])}
    kubeconfig.write_text(
        yaml.safe_dump(
            {"apiVersion": "v1", "kind": "Config", "users": [{"name": host, "user": user}]}
        )
    )
    plugin = {
        "name": "MutatingAdmissionWebhook",
        "configuration": {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "WebhookAdmissionConfiguration",
            "kubeConfigFile": str(kubeconfig),
        },
    }
    result = folder / "admission.yaml"
    result.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "apiserver.config.k8s.io/v1",
                "kind": "AdmissionConfiguration",
                "plugins": [plugin],
            }
        )
    )
    return result


@contextlib.contextmanager
def showing(control_plane: ControlPlane, configured: Path) -> Iterator[None]:
    """The API server with that AdmissionConfiguration; as it was, after the block."""
    control_plane.restart(apiserver_flags=f"--admission-control-config-file={configured}")
    try:
        yield
    finally:
        control_plane.restart(apiserver_flags="")


def test_kube_apiserver_shows_its_certificate(
    tmp_path: Path, breakable: ControlPlane, authority: Authority, stranger: KeyPair
) -> None:
    volume = SecretVolume(tmp_path / "client-ca")
    volume.put_files({"ca.crt": authority.pem})
    wanted = flags("require", volume.folder / "ca.crt", "kube-apiserver")
    api, namespace = breakable.api, breakable.new_namespace()
    with serving(tmp_path / "server", train_backup(), flags=wanted) as server:
        # Without the configuration it shows nothing, and hears why it is refused.
        body = webhook_configuration(namespace, "a", server.port, server.ca)
        with configuration(api, body):
            pod = self_test_pod(namespace, secrets.token_hex(4))

            def hears() -> bool:
                try:
                    api.dry_run(pod)
                except ApiError as error:
                    return "no client certificate was presented" in str(error)
                return False

            poll("the API server is refused", hears)

        configured = admission_configuration(
            tmp_path / "apiserver", f"127.0.0.1:{server.port}", authority.issue()
        )
        with showing(breakable, configured):
            before = callers(server, "no_certificate")
            with registered(api, namespace, server):
                assert callers(server, "allowed") >= 1
                assert callers(server, "no_certificate") == before
                server.wait_for_message("Caller verified")
                assert "is not trusted" in refusal(server, stranger)
                assert "no client certificate" in refusal(server)

                def call() -> None:
                    assert answers(api, namespace)

                # Two CAs while the old one goes, and nobody is refused.
                new = Authority(tmp_path / "new")
                with calling(call, call) as counts:
                    both = (authority.pem + new.pem, new.pem + authority.pem)
                    for number, content in enumerate(both, start=1):
                        volume.put_files({"ca.crt": content})
                        until_reloaded(server, number)
                        some_more(counts)
