"""How the process starts, waits for its state, ends, and refuses what it cannot do. No cluster."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.poll import poll
from support.raw_http import PATH, Answer, RawClient, connected, head, post, trust
from support.reviews import encode, patch_of, review, train_backup
from support.server import Server, environment
from support.settings import REPOSITORY, binary
from support.standalone import ending, need_binary, serving

BODY = encode(review())


def ask(server: Server, target: str = PATH) -> Answer:
    with connected(server.port, server.ca) as client:
        return client.ask(post(BODY, target=target))


def reason_of(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    return str(answer.json["response"]["auditAnnotations"]["reason"])


# Before the state is there


@pytest.fixture
def unsynced(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server whose folder of manifests is not there (yet)."""
    flags = ["--shutdown-delay", "0s", "--drain-timeout", "200ms"]
    server = Server(tmp_path, *flags, *getattr(request, "param", ()))
    server.manifests.rmdir()
    with ending(server, until_ready=False):
        yield server


def test_undecided_is_allowed_with_a_warning(unsynced: Server) -> None:
    status, text = unsynced.http_get("probes", "/readyz")
    assert status == 503
    assert "[-]cache-checkpointbackups: not synced yet" in text and "[+]" not in text
    text = unsynced.http_get("probes", "/readyz?verbose")[1]
    assert str(unsynced.manifests) in text and "[+]certificate ok" in text
    assert unsynced.http_get("probes", "/startupz")[0] == 200
    assert unsynced.http_get("probes", "/livez")[0] == 200
    assert unsynced.metric("smw_cache_synced", resource="checkpointbackups") == 0

    started = time.monotonic()
    answer = ask(unsynced, f"{PATH}?timeout=600ms")
    # It waited for the state, half of the caller's time.
    assert time.monotonic() - started >= 0.3
    assert reason_of(answer) == "cache-not-synced"
    response = answer.json["response"]
    assert response["allowed"] is True and patch_of(response) == []
    assert len(response["warnings"]) == 1 and len(response["warnings"][0]) <= 120
    assert answer.header("Connection") is None
    outcome = {"operation": "CREATE", "outcome": "timeout"}
    assert unsynced.metric("smw_admission_requests_total", **outcome) == 1
    assert unsynced.metric("smw_admission_decisions_total", reason="cache-not-synced") == 1
    # What needs no state does not wait for it.
    with connected(unsynced.port, unsynced.ca) as client:
        answer = client.ask(post(encode(review(job=None)), target=f"{PATH}?timeout=1h"))
        assert reason_of(answer) == "not-from-job"

    def closings() -> int:
        lines = unsynced.messages_about("4a1c6f0e-0001")
        return sum(line.message == "Pod left unchanged" for line in lines)

    poll("a closing line for each", lambda: closings() == 2)


@pytest.mark.parametrize("unsynced", [("--on-error", "fail")], indirect=True)
def test_undecided_is_503_when_told_to_fail(unsynced: Server) -> None:
    with connected(unsynced.port, unsynced.ca) as client:
        answer = client.ask(post(BODY, target=f"{PATH}?timeout=100ms"))
        assert answer.status == 503
        assert answer.json["kind"] == "Status" and "cache-not-synced" in answer.json["message"]
        assert answer.header("Retry-After") is None
        assert "retryAfterSeconds" not in answer.body.decode()
        outcome = {"operation": "CREATE", "outcome": "timeout"}
        assert unsynced.metric("smw_admission_requests_total", **outcome) == 1
        # The same connection gets a decision as soon as there is one.
        client.send(post(BODY, target=f"{PATH}?timeout=1m"))
        poll("it waits", lambda: unsynced.metric("smw_admission_in_flight") == 1)
        unsynced.write_manifests_folder(train_backup())
        assert reason_of(client.answer()) == "restored"
    poll("ready", unsynced.ready)


def test_reviews_that_wait_are_cut_at_the_drain_timeout(unsynced: Server) -> None:
    with connected(unsynced.port, unsynced.ca) as client:
        client.send(post(BODY, target=f"{PATH}?timeout=1h"))
        poll("it waits", lambda: unsynced.metric("smw_admission_in_flight") == 1)
        assert unsynced.terminate() == 0
    messages = {line.message: line.level for line in unsynced.log_lines()}
    assert "Stopped" in messages
    # It was cut for a good reason, and is no defect; only the missing folder is an error.
    errors = [message for message, level in messages.items() if level == "ERROR"]
    assert errors == ["Manifests folder cannot be read; looking again"], unsynced.log()


# The end


def signal_end(server: Server) -> float:
    """As a kubelet does; returns when, once the server says that it heard."""
    server.process.send_signal(signal.SIGTERM)
    signalled = time.monotonic()
    poll("not ready any more", lambda: server.http_get("probes", "/readyz")[0] == 503)
    return signalled


def test_while_the_shutdown_delay_runs_callers_are_served_and_told_to_go(tmp_path: Path) -> None:
    with serving(tmp_path, train_backup(), flags=("--shutdown-delay", "1h")) as server:
        with connected(server.port, server.ca) as kept:
            assert kept.ask(post(BODY)).header("Connection") is None
            signal_end(server)
            assert "[-]shutdown: shutting down" in server.http_get("probes", "/readyz")[1]
            assert server.http_get("probes", "/livez")[0] == 200
            with connected(server.port, server.ca) as newcomer:
                for client in (kept, newcomer):
                    answer = client.ask(post(BODY))
                    assert reason_of(answer) == "restored"
                    assert answer.header("Connection") == "close"
                    client.expect_close()
        # Nobody needs the rest of the hour.
        assert server.terminate() == 1


def test_after_the_shutdown_delay_what_is_in_flight_finishes(tmp_path: Path) -> None:
    flags = ("--shutdown-delay", "1s", "--drain-timeout", "1h")
    with serving(tmp_path, train_backup(), flags=flags) as server, contextlib.ExitStack() as stack:
        idle, busy = (stack.enter_context(connected(server.port, server.ca)) for _ in range(2))
        for client in (idle, busy):
            assert client.ask(post(BODY)).header("Connection") is None
        busy.send(post(BODY, target=f"{PATH}?timeout=1h")[:-1])
        poll("its body is awaited", lambda: server.metric("smw_admission_bytes_in_flight") > 0)
        signalled = signal_end(server)
        # Idle ones are closed and nobody is let in.
        idle.expect_close()
        assert time.monotonic() - signalled >= 1
        poll("closed", lambda: refuses(server.port))
        # What is in flight finishes; probes stay until then.
        assert server.http_get("probes", "/livez")[0] == 200
        answer = busy.ask(post(BODY)[-1:])
        assert (reason_of(answer), answer.header("Connection")) == ("restored", "close")
        assert server.process.wait(timeout=60) == 0


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


def test_interrupt_ends_it_too(tmp_path: Path) -> None:
    with serving(tmp_path, flags=("--shutdown-delay", "0s")) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=60) == 0


def test_a_second_signal_while_draining(tmp_path: Path) -> None:
    flags = ("--shutdown-delay", "0s", "--drain-timeout", "1h")
    with serving(tmp_path, flags=flags) as server:
        with connected(server.port, server.ca) as client:
            client.send(head("POST", f"{PATH}?timeout=1h", "Content-Length: 9"))
            server.process.send_signal(signal.SIGTERM)
            poll("closed", lambda: refuses(server.port))
            assert server.terminate() == 1


def test_no_request_is_lost_while_it_ends(tmp_path: Path) -> None:
    """A caller that heeds `Connection: close` never sees a failed request."""
    with serving(tmp_path, train_backup(), flags=("--shutdown-delay", "2s")) as server:
        context = trust(server.ca)
        answered, told = [0] * 4, [0] * 4

        def enter() -> tuple[RawClient, Answer] | None:
            """A connection's first answer; nothing once the door is closed, or was just then."""
            try:
                client = RawClient(server.port, context)
                return client, client.ask(post(BODY))
            except (AssertionError, OSError):
                poll("nobody is let in", lambda: refuses(server.port))
                return None

        def call(number: int) -> None:
            while entered := enter():
                client, answer = entered
                with contextlib.closing(client):
                    while answer.header("Connection") != "close":
                        answered[number] += 1
                        answer = client.ask(post(BODY))
                        assert reason_of(answer) == "restored"
                told[number] += 1

        with ThreadPoolExecutor(4) as callers:
            calls = [callers.submit(call, number) for number in range(4)]
            poll("under way", lambda: all(count > 10 for count in answered))
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(timeout=60) == 0
            for ended in calls:
                ended.result()
        assert all(told)


# The beginning


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The process, when it is expected to end by itself."""
    need_binary()
    return subprocess.run(
        [str(binary()), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**environment(), **variables},
        stdin=subprocess.DEVNULL,
    )


def lines(result: subprocess.CompletedProcess[str]) -> list[str]:
    return result.stderr.splitlines()


@pytest.mark.parametrize("listener", ["webhook", "probes", "metrics"])
def test_an_address_in_use_is_named(tmp_path: Path, listener: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        flags = {
            "webhook": ["--webhook-bind-address", "127.0.0.1", "--webhook-port", str(port)],
            "probes": ["--health-probe-bind-address", f"127.0.0.1:{port}"],
            "metrics": ["--metrics-bind-address", f"127.0.0.1:{port}"],
        }
        free = {
            "webhook": ["--webhook-bind-address", "127.0.0.1", "--webhook-port", "0"],
            "probes": ["--health-probe-bind-address", "127.0.0.1:0"],
            "metrics": ["--metrics-bind-address", "0"],
        }
        free[listener] = flags[listener]
        result = run("--manifests", str(tmp_path), *itertools.chain(*free.values()))
    assert result.returncode == 1
    named = [line for line in lines(result) if f"127.0.0.1:{port}" in line]
    assert len(named) == 1 and "\tERROR\t" in named[0] and listener in named[0], result.stderr
    assert sum("\tERROR\t" in line for line in lines(result)) == 1


def test_configuration_errors_come_together(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("webhookPort: 9443\nwebhokPort: 1\nmaxInFlight: [1, 2]\nonError: maybe\n")
    result = run(
        "serve",
        *("--config", str(config), "--webhook-port", "65536", "--threads", "0", "--nonsense"),
        *("--log-level=loud", "--max-body-bytes", "7Zi", "extra"),
        SMW_SHUTDOWN_DELAY="soon",
        SMW_MAX_CONECTIONS="5",
    )
    assert (result.returncode, result.stdout) == (2, "")
    words = [
        "--webhook-port",
        "--threads",
        "--nonsense",
        "--log-level",
        "--max-body-bytes",
        "SMW_SHUTDOWN_DELAY",
        "SMW_MAX_CONECTIONS",
        "webhokPort",
        "maxInFlight",
        "onError",
        '"extra"',
        "--manifests",
    ]
    for word in words:
        assert sum(word in line for line in lines(result)) == 1, (word, result.stderr)
    assert len(lines(result)) == len(words)


def test_without_a_source_of_state(tmp_path: Path) -> None:
    result = run(HOME=str(tmp_path))
    assert result.returncode == 2
    assert len(lines(result)) == 1 and "--manifests" in lines(result)[0]


def test_flag_beats_environment_beats_file(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        f"manifests: {tmp_path}\nwebhookPort: 70001\nwebhookBindAddress: 127.0.0.1\n"
        "healthProbeBindAddress: nowhere\nmetricsBindAddress: '0'\nenable: [checkpoint-restore]\n"
        "shutdownDelay: 0s\nlogFormat: json\n"
    )
    process = subprocess.Popen(
        [str(binary()), "--health-probe-bind-address", "0"],
        env={
            **environment(),
            "SMW_CONFIG": str(config),
            "SMW_WEBHOOK_PORT": "0",
            "SMW_HEALTH_PROBE_BIND_ADDRESS": "nowhere either",
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    try:
        listening = next(line for line in process.stderr if "Listening" in line or "\t" in line)
        assert listening.startswith('{"time":') and '"listener":"webhook"' in listening
    finally:
        process.terminate()
        rest = process.stderr.read()
        assert process.wait(timeout=60) == 0, rest
    # Probes and metrics are off.
    assert "Listening" not in rest


def test_the_originals_flags_are_taken(tmp_path: Path) -> None:
    flags = (
        "--leader-elect --leader-election-id=x --zap-log-level=2 --zap-encoder=json --zap-devel "
        "--zap-stacktrace-level=error --zap-time-encoding=iso8601"
    )
    with serving(tmp_path, flags=tuple(flags.split())) as server:
        for name in ("leader-elect", "leader-election-id", "zap-devel"):
            poll(f"{name} is named", lambda name=name: f'"{name}"' in server.log())  # type: ignore[misc]
        with connected(server.port, server.ca) as client:
            assert client.ask(post(BODY)).status == 200


def test_help_names_every_flag_and_twin() -> None:
    result = run("serve", "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert run("--help").returncode == 0
    flags = (
        "webhook-port webhook-bind-address certificates self-signed ca-out cert-dir cert-name "
        "key-name service-name service-namespace health-probe-bind-address metrics-bind-address "
        "leader-elect leader-election-id zap-log-level namespaces manifests threads shutdown-delay "
        "drain-timeout max-body-bytes max-bytes-in-flight max-in-flight max-connections "
        "tls-min-version tls-cipher-suites cronjob-match require-pushed-images annotate-restored "
        "on-error log-level log-format enable config"
    ).split()
    for flag in flags:
        assert f"--{flag}" in result.stdout, flag
    defaults = (
        "9443 15s 25s 7Mi 8Mi 256 1024 owner-or-name :8081 :8080 VersionTLS12 "
        "/tmp/k8s-webhook-server/serving-certs stateful-migration-webhook-service"
    ).split()
    for default in defaults:
        assert default in result.stdout, default
    reference = (REPOSITORY / "docs/reference.md").read_text()
    for flag in flags:
        assert f"`--{flag}" in reference, flag


def test_threads_are_those_asked_for(tmp_path: Path) -> None:
    with serving(tmp_path, flags=("--threads", "3")) as server:
        names = {
            (Path("/proc") / str(server.process.pid) / "task" / task / "comm").read_text().strip()
            for task in os.listdir(f"/proc/{server.process.pid}/task")
        }
        assert sum("shard" in name for name in names) == 3, names
