"""The serving certificate of the process: files that come, change and rot. No cluster."""

from __future__ import annotations

import os
import shutil
import ssl
import threading
import time
import warnings
from pathlib import Path

import pytest

from support.certificates import SERVICE, SecretVolume, blind, issue, served
from support.poll import poll
from support.raw_http import RawClient, connected, post, trust
from support.reviews import encode, review, train_backup
from support.server import Server
from support.standalone import ending, serving

BODY = post(encode(review()))
FLAGS = ("--shutdown-delay", "0s", "--service-namespace", "default")


def with_files(directory: Path, folder: Path, *flags: str) -> Server:
    server = Server(directory, *FLAGS, *flags, cert_dir=folder)
    server.write_manifest("objects", train_backup())
    return server


def certificate_check(server: Server, name: str = "certificate") -> str:
    return next(line for line in server.checks().splitlines() if f"]{name}" in line)


def reloads(server: Server, result: str) -> float:
    return server.metric("smw_certificate_reloads_total", result=result)


def same(pem: str, chain: bytes) -> bool:
    der = ssl.PEM_cert_to_DER_cert
    return der(pem) == der(chain.decode())


def test_files_that_come_late(tmp_path: Path) -> None:
    chain, key = issue(tmp_path / "made")
    volume = SecretVolume(tmp_path / "certs")
    names = ("server.pem", "server-key.pem")
    flags = ("--cert-name", names[0], "--key-name", names[1])
    late = with_files(tmp_path / "server", volume.folder, *flags)
    with ending(late, until_ready=False) as server:
        poll(
            "all but the certificate",
            lambda: "[+]cache-jobs" in server.http_get("probes", "/readyz?verbose")[1],
        )
        status, text = server.http_get("probes", "/readyz")
        assert status == 503
        assert text.startswith("[-]certificate: ") and str(volume.folder / names[0]) in text
        assert server.http_get("probes", "/startupz")[0] == 200
        assert server.http_get("probes", "/livez")[0] == 200
        with pytest.raises((OSError, ssl.SSLError)):
            RawClient(server.port, blind())
        assert server.wait_for_level("ERROR")[0].logger == "certificates"

        volume.put(chain, key, names)
        poll("ready", server.ready)
        with connected(server.port, chain.decode()) as client:
            assert client.ask(BODY).status == 200
        # The first load is no reload.
        assert reloads(server, "ok") == reloads(server, "rejected") == 0
        expiry = server.metric("smw_certificate_expiry_timestamp_seconds", role="serving")
        assert expiry > time.time()


def test_swapped_under_load(tmp_path: Path) -> None:
    # Callers trust all of them, as a caBundle does that was widened first.
    pairs = [issue(tmp_path / f"made-{number}") for number in range(4)]
    volume = SecretVolume(tmp_path / "certs")
    volume.put(*pairs[0])
    trusted = trust("".join(chain.decode() for chain, _ in pairs))
    with ending(with_files(tmp_path / "server", volume.folder)) as server:
        done = threading.Event()
        failures: list[BaseException] = []
        answered = [0] * 3

        def call(number: int) -> None:
            try:
                while not done.is_set():
                    client = RawClient(server.port, trusted)
                    for _ in range(3):
                        assert client.ask(BODY).status == 200
                        answered[number] += 1
                    client.close()
            except BaseException as failure:  # the test's thread tells it
                failures.append(failure)

        callers = [threading.Thread(target=call, args=(number,)) for number in range(len(answered))]
        with connected(server.port, pairs[0][0].decode()) as kept:
            assert kept.ask(BODY).status == 200
            for caller in callers:
                caller.start()
            try:
                for chain, key in pairs[1:]:
                    volume.put(chain, key)
                    poll(
                        "the new one is served",
                        lambda chain=chain: same(served(server.port), chain),  # type: ignore[misc]
                    )
            finally:
                done.set()
                for caller in callers:
                    caller.join()
            # A connection of the first certificate lives on.
            assert kept.ask(BODY).status == 200
        assert not failures and all(answered), failures
        assert reloads(server, "ok") == len(pairs) - 1
        assert reloads(server, "rejected") == 0


def test_a_bad_pair_leaves_the_old_one_serving(tmp_path: Path) -> None:
    chain, key = issue(tmp_path / "made")
    expired = issue(tmp_path / "expired", days=-1)
    volume = SecretVolume(tmp_path / "certs")
    volume.put(chain, key)
    with ending(with_files(tmp_path / "server", volume.folder)) as server:
        volume.put(*expired)
        poll("rejected", lambda: reloads(server, "rejected") == 1)
        assert same(served(server.port), chain)
        assert server.ready()
        server.wait_for_lines(lambda line: "expired" in line.raw)
        assert certificate_check(server) == "[+]certificate ok"
        assert "expired" in certificate_check(server, "certificate-files")
        # Half-written for a moment: the key of the new beside the leaf of the old is no news.
        other_chain, other_key = issue(tmp_path / "other")
        volume.put(chain, other_key)
        volume.put(other_chain, other_key)
        poll("taken", lambda: same(served(server.port), other_chain))
        assert (reloads(server, "ok"), reloads(server, "rejected")) == (1, 1)
        assert certificate_check(server, "certificate-files") == "[+]certificate-files ok"


def test_what_no_certificate_file_is(tmp_path: Path) -> None:
    chain, key = issue(tmp_path / "made")
    volume = SecretVolume(tmp_path / "certs")
    volume.put(chain, key)
    with ending(with_files(tmp_path / "server", volume.folder)) as server:
        def trouble() -> str:
            return certificate_check(server, "certificate-files")

        memory = server.metric("process_resident_memory_bytes")
        volume.put(chain, b"garbage")
        poll("garbage", lambda: "no PEM private key" in trouble())
        volume.put(chain, key)
        poll("well again", lambda: trouble().startswith("[+]"))
        # A terabyte that takes no room on the disk.
        os.truncate(volume.folder / "tls.crt", 1 << 40)
        poll("huge", lambda: "tls.crt: is larger than 1 MiB" in trouble())
        assert server.metric("process_resident_memory_bytes") < memory + (16 << 20)
        shutil.rmtree(volume.folder)
        poll("gone", lambda: "No such file" in trouble())
        assert same(served(server.port), chain) and server.ready()
        other = issue(tmp_path / "other")
        volume.put(*other)
        poll("back", lambda: same(served(server.port), other[0]))
        assert trouble() == "[+]certificate-files ok"
        assert (reloads(server, "ok"), reloads(server, "rejected")) == (1, 1)


def test_a_key_that_does_not_match(tmp_path: Path) -> None:
    chain, key = issue(tmp_path / "made")
    volume = SecretVolume(tmp_path / "certs")
    volume.put(chain, issue(tmp_path / "other")[1])
    with ending(with_files(tmp_path / "server", volume.folder), until_ready=False) as server:
        poll("said so", lambda: "does not belong" in certificate_check(server))
        assert not server.ready()
        volume.put(chain, key)
        poll("ready", server.ready)


def test_expired_at_the_start(tmp_path: Path) -> None:
    volume = SecretVolume(tmp_path / "certs")
    volume.put(*issue(tmp_path / "made", days=-1))
    with ending(with_files(tmp_path / "server", volume.folder), until_ready=False) as server:
        poll("not ready", lambda: server.http_get("probes", "/readyz")[0] == 503)
        assert "expired" in certificate_check(server)
        client = RawClient(server.port, blind("http/1.1"))
        assert client.ask(BODY).status == 200
        client.close()
        (error,) = server.wait_for_level("ERROR")
        assert "expired" in error.fields["why"]
        good = issue(tmp_path / "good")
        volume.put(*good)
        poll("ready", server.ready)
        assert same(served(server.port), good[0])


def test_a_certificate_for_another_service_is_taken_with_a_warning(tmp_path: Path) -> None:
    volume = SecretVolume(tmp_path / "certs")
    volume.put(*issue(tmp_path / "made", days=2))
    server = with_files(tmp_path / "server", volume.folder, "--service-name", "another")
    with ending(server):
        for reason in ("another.default.svc", "72 hours"):
            server.wait_for_lines(
                lambda line, reason=reason: (  # type: ignore[misc]
                    line.level == "WARN" and reason in line.fields["why"]
                )
            )


def test_ephemeral(tmp_path: Path) -> None:
    with serving(tmp_path, train_backup(), flags=("--service-namespace", "apart")) as server:
        # Good for callers by address and by the Service's name.
        for name in ("127.0.0.1", "localhost", SERVICE.replace("default", "apart")):
            context = trust(server.ca)
            with RawClient(server.port, None).socket as plain:
                tls = context.wrap_socket(plain, server_hostname=name)
                assert tls.selected_alpn_protocol() == "http/1.1"
                tls.close()
        assert server.ca.count("BEGIN CERTIFICATE") == 1
        assert "PRIVATE" not in server.ca
        with pytest.raises(ssl.SSLError):
            RawClient(server.port, ssl.create_default_context())


def test_a_ca_that_cannot_be_written(tmp_path: Path) -> None:
    server = Server(tmp_path, *FLAGS)
    server.ca_file = tmp_path / "not" / "there" / "ca.crt"
    with pytest.raises(AssertionError, match="the server ended with 1"):
        server.start()
    errors = [line for line in server.log_lines() if line.level == "ERROR"]
    assert len(errors) == 1 and str(server.ca_file) in errors[0].raw


def connects(server: Server, context: ssl.SSLContext) -> bool:
    try:
        RawClient(server.port, context).close()
    except (ssl.SSLError, OSError):
        return False
    return True


def test_protocol_versions(tmp_path: Path) -> None:
    def speaking(version: ssl.TLSVersion) -> ssl.SSLContext:
        context = blind()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore"):
            context.minimum_version = context.maximum_version = version
        return context

    with serving(tmp_path / "both") as server:
        assert connects(server, speaking(ssl.TLSVersion.TLSv1_2))
        assert connects(server, speaking(ssl.TLSVersion.TLSv1_3))
        assert not connects(server, speaking(ssl.TLSVersion.TLSv1_1))
        assert connects(server, blind("h2", "http/1.1"))
        assert not connects(server, blind("h2"))
        labels = {"version": "TLSv1.2", "result": "ok"}
        poll("counted", lambda: server.metric("smw_tls_handshakes_total", **labels) == 1)
    for flags in (("--tls-min-version", "VersionTLS13"), ("--tls-min-version=1.3",)):
        with serving(tmp_path / flags[0], flags=flags) as server:
            assert not connects(server, speaking(ssl.TLSVersion.TLSv1_2))
            assert connects(server, speaking(ssl.TLSVersion.TLSv1_3))
