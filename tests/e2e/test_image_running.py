"""The image's root folder as /, read-only, uid 65532: all that the server needs is in there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from support.certificates import issue, self_signed
from support.https import JsonHandler, serving_https
from support.image import PROGRAM, UID, Image, SealedServer, assemble, sealed
from support.raw_http import connected, post
from support.reviews import encode, patch_of, review, train_backup
from support.server import environment
from support.standalone import ending

FLAGS = ("--shutdown-delay", "0s", "--service-namespace", "default")
API = "api.example.test"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return Image.read(assemble(tmp_path_factory.mktemp("image") / "image.tar"))


@pytest.fixture
def root(image: Image, tmp_path: Path) -> Path:
    return image.unpack(tmp_path / "root")


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A folder that everybody may read."""
    result = tmp_path / "volume"
    result.mkdir()
    result.chmod(0o755)
    return result


def readable(folder: Path) -> None:
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_it_serves(root: Path, volume: Path) -> None:
    chain, _ = issue(volume / "certs")
    server = SealedServer(root, volume, *FLAGS)
    server.ca_file.write_bytes(chain)
    server.write_manifest("objects", train_backup())
    readable(volume)
    with ending(server), connected(server.port, server.ca) as client:
        process = Path(f"/proc/{server.process.pid}")
        assert os.readlink(process / "root") == str(root)
        lines = (process / "status").read_text().splitlines()
        status = dict(line.split(":\t", 1) for line in lines)
        assert set(status["Uid"].split() + status["Gid"].split()) == {str(UID)}
        assert int(status["CapEff"], 16) == 0
        client.send(post(encode(review())))
        answer = client.answer()
        assert answer.status == 200
        assert patch_of(answer.json["response"])


def test_nothing_can_be_written(root: Path, volume: Path) -> None:
    for folder in ("/", "/tmp", "/usr/bin"):
        # Root could, were the folder not read-only.
        command = sealed(root, volume, "")
        enter = command.index("-c") + 1
        command[enter] = command[enter].replace(f"={UID}:{UID}", "=0:0")
        flags = ["serve", "--self-signed", "--manifests", "/tmp", "--ca-out", f"{folder}/ca.crt"]
        ports = ["--webhook-port", "0", "--health-probe-bind-address", "0"]
        done = subprocess.run(
            [*command[:-1], PROGRAM, *flags, *ports, "--metrics-bind-address", "0"],
            capture_output=True, text=True, timeout=60, check=False, env=environment(),
        )  # fmt: skip
        assert done.returncode == 1
        assert "Read-only file system" in done.stderr


class FakeApi(JsonHandler):
    """A list of CheckpointBackups to whoever asks for it."""

    def do_GET(self) -> None:
        items = [train_backup()] if "checkpointbackups" in self.path else []
        answer = {"apiVersion": "migration.dcnlab.com/v1", "kind": "CheckpointBackupList"}
        self.answer({**answer, "metadata": {"resourceVersion": "1"}, "items": items})


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """The certificate of `API`, which is its own authority; the key is beside it."""
    folder = tmp_path / "authority"
    folder.mkdir()
    return self_signed(folder, API, f"DNS:{API}")[1]


@pytest.fixture
def fake_api(authority: Path) -> Iterator[int]:
    with serving_https(FakeApi, authority.with_name("tls.key"), authority) as port:
        yield port


def test_names_are_resolved_and_authorities_known(
    root: Path, volume: Path, authority: Path, fake_api: int
) -> None:
    """An API server by its name, with a certificate of an authority that the image knows."""
    (root / "etc/hosts").write_text(f"127.0.0.1 {API}\n")  # the container runtime brings it
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"https://{API}:{fake_api}"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    (volume / "kubeconfig").write_text(yaml.safe_dump(config))
    (volume / "review.json").write_bytes(encode(review()))
    readable(volume)
    files = ("--kubeconfig", "/tmp/kubeconfig", "/tmp/review.json")
    command = sealed(root, volume, PROGRAM, "review", *files)

    def asked() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env=environment()
        )

    stranger = asked()
    assert stranger.returncode == 2
    assert "certificate" in stranger.stderr and API in stranger.stderr

    with (root / "etc/ssl/certs/ca-certificates.crt").open("a") as known:
        known.write(authority.read_text())
    friend = asked()
    assert friend.returncode == 10, friend.stderr  # it would be changed
    assert "restored" in friend.stdout
