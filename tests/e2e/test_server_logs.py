"""The log lines that people grep for, in each format, to the byte. No cluster."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.objects import SKIP_RESTORE
from support.poll import poll
from support.raw_http import RawClient, connected, post
from support.reviews import CHECKPOINT, ORIGINAL, encode, patch_of, review, train_backup
from support.server import Server
from support.standalone import need_binary, serving

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
PATCH = f'[{{"op":"replace","path":"/spec/containers/0/image","value":"{CHECKPOINT}"}}]'
UID = "9c0e7a52-restored"

# A restored pod's lines at info: message, keys before `uid`.
STORY: list[tuple[str, dict[str, str]]] = [
    ("Processing pod mutation", {"pod": "train-x7k2p", "namespace": "team-a"}),
    ("Pod is from Job", {"job": "train", "pod": "train-x7k2p"}),
    ("Found matching CheckpointBackup", {"backup": "train-backup"}),
    (
        "Patching container image",
        {"container": "app", "originalImage": ORIGINAL, "newImage": CHECKPOINT},
    ),
    ("Applying image patches", {"patches": PATCH}),
]
CLOSING = {"Applying image patches", "Pod left unchanged"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Logs at debug."""
    with serving(tmp_path_factory.mktemp("logs"), train_backup()) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[RawClient]:
    with connected(server.port, server.ca) as client:
        yield client


def lines_about(server: Server, uid: str) -> list[str]:
    """The raw lines of a review, once its last one is written."""

    def found() -> list[str]:
        lines = [line for line in server.log().split("\n")[:-1] if uid in line]
        ended = lines and any(message in lines[-1] for message in CLOSING)
        return lines if ended else []

    return poll(f"the last line about {uid}", found)


def restored_at_info(directory: Path, log_format: str) -> list[str]:
    flags = ("--log-level", "info", "--log-format", log_format)
    with serving(directory, train_backup(), flags=flags) as server:
        with connected(server.port, server.ca) as client:
            assert patch_of(client.ask(post(encode(review(UID)))).json["response"])
        return lines_about(server, UID)


def test_text(tmp_path: Path) -> None:
    lines = restored_at_info(tmp_path, "text")
    expected = [
        "\tINFO\tpod-mutator\t" + message + "\t" + json.dumps({**fields, "uid": UID})
        for message, fields in STORY
    ]
    for line, rest in zip(lines, expected, strict=True):
        assert re.fullmatch(TIME, line[: -len(rest)]), line
        assert line.endswith(rest)


def test_generate_name_stands_in_for_the_name(server: Server, client: RawClient) -> None:
    asked = review("uid-generate-name", job="other")
    metadata = asked["request"]["object"]["metadata"]
    metadata["generateName"] = metadata.pop("name")[:-5]
    client.ask(post(encode(asked)))
    last = lines_about(server, "uid-generate-name")[-1]
    assert '{"pod": "train-", "namespace": "team-a", "reason": "no-checkpoint-backup"' in last


UNCHANGED = {
    "of a Job": (review(job="other"), "INFO", "no-checkpoint-backup"),
    "bare": (review(job=None), "DEBUG", "not-from-job"),
    "of another operation": (review(operation="UPDATE"), "DEBUG", "not-applicable"),
    "of nothing": (review(operation="DELETE", object=None), "DEBUG", "not-applicable"),
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_unchanged(server: Server, client: RawClient, name: str) -> None:
    asked, level, reason = UNCHANGED[name]
    uid = f"uid-unchanged-{list(UNCHANGED).index(name)}"
    asked["request"]["uid"] = uid
    assert patch_of(client.ask(post(encode(asked))).json["response"]) == []
    lines_about(server, uid)
    lines = server.messages_about(uid)
    closing = [line for line in lines if line.message in CLOSING]
    assert [line.message for line in closing] == ["Pod left unchanged"]
    assert lines[-1] is closing[0] and lines[-1].level == level
    assert list(lines[-1].fields)[:4] == ["pod", "namespace", "reason", "uid"]
    assert lines[-1].fields["reason"] == reason
    assert lines[-1].logger == "pod-mutator"
    # Pods that are of no Job are silent at info.
    assert level == "INFO" or {line.level for line in lines} == {"DEBUG"}


def test_skipped_self_test_and_already_restored(server: Server, client: RawClient) -> None:
    skipped, tested, restored = (review(f"uid-{name}") for name in ("skip", "nonce", "already"))
    skipped["request"]["object"]["metadata"]["annotations"] = {SKIP_RESTORE: "true"}
    tested["request"]["object"]["metadata"]["annotations"] = {
        "migration.dcnlab.com/self-test": "n"
    }
    tested["request"]["dryRun"] = True
    restored["request"]["object"]["spec"]["containers"][0]["image"] = CHECKPOINT
    reasons = {
        "uid-skip": (skipped, "skipped-by-annotation"),
        "uid-nonce": (tested, "self-test"),
        "uid-already": (restored, "already-restored"),
    }
    for uid, (asked, reason) in reasons.items():
        client.ask(post(encode(asked)))
        lines_about(server, uid)
        closing = [line for line in server.messages_about(uid) if line.message in CLOSING]
        assert [(line.level, line.fields.get("reason")) for line in closing] == [("INFO", reason)]


def test_what_a_caller_says_cannot_forge_a_line(server: Server, client: RawClient) -> None:
    asked = review("uid-forged", job='x"}\n2026\tINFO\tpod-mutator\tPod is from Job\t{"')
    client.ask(post(encode(asked)))
    lines_about(server, "uid-forged")
    story = [line.message for line in server.messages_about("uid-forged")]
    assert story.count("Pod is from Job") == 1
    assert not any(line.startswith("2026\t") for line in server.log().split("\n"))


@pytest.mark.parametrize("log_format", ["json", "logfmt"])
def test_other_formats_have_the_same_events_and_keys(tmp_path: Path, log_format: str) -> None:
    lines = restored_at_info(tmp_path, log_format)
    assert len(lines) == len(STORY)
    for line, (message, fields) in zip(lines, STORY, strict=True):
        if log_format == "json":
            read = json.loads(line)
        else:
            words = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', line)
            assert " ".join(f"{key}={value}" for key, value in words) == line
            read = {
                key: json.loads(value) if value.startswith('"') else value for key, value in words
            }
        assert list(read) == ["time", "level", "logger", "message", *fields, "uid"]
        assert re.fullmatch(TIME, read.pop("time"))
        expected = {"level": "info", "logger": "pod-mutator", "message": message}
        assert read == {**expected, **fields, "uid": UID}


@pytest.fixture
def unheard(tmp_path: Path) -> Iterator[Server]:
    """Not started yet; the test says where its stderr goes."""
    need_binary()
    server = Server(tmp_path, "--shutdown-delay", "0s", "--log-level", "debug")
    server.write_manifest("objects", train_backup())
    yield server
    server.close()


def test_a_log_that_nobody_reads(unheard: Server) -> None:
    """What cannot be written is dropped and counted, and no review waits for it."""
    unheard.start_unheard(stderr=subprocess.PIPE)
    with connected(unheard.port, unheard.ca) as client:
        for _ in range(4000):
            assert client.ask(post(encode(review()))).status == 200
    assert unheard.metric("smw_log_dropped_total") > 0
    # It ends beside a stuck reader, too.
    assert unheard.terminate() == 0


def test_a_log_that_is_closed(unheard: Server) -> None:
    """The number of a closed stderr is given to nothing that the log could be written into."""
    unheard.start_unheard(preexec_fn=lambda: os.closerange(0, 3))
    with connected(unheard.port, unheard.ca) as client:
        assert client.ask(post(encode(review()))).status == 200
    for number in (0, 1, 2):
        assert os.readlink(f"/proc/{unheard.process.pid}/fd/{number}") == "/dev/null"
