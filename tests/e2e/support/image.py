"""The image that scripts/build-image makes of the server under test: its parts, and running it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .server import Server, environment
from .settings import REPOSITORY, binary
from .standalone import need_binary

SCRIPT = REPOSITORY / "scripts/build-image"
WRITE = REPOSITORY / "scripts/image/write-archive"
PROGRAM = "/usr/bin/stateful-migration-webhook"
UID = 65532

# Not even CI fails for a right that the kernel does not give.
NEEDS_ROOT = "a root folder can be entered, read-only, by root alone"

# What the image is made of depends on these.
SETTINGS = ("IMAGE", "IMAGE_TAG", "SOURCE_DATE_EPOCH")


def build_image(*arguments: str | Path, **how: Any) -> subprocess.CompletedProcess[str]:
    """Runs the script; `how` is subprocess.run's, its `env` comes on top of ours."""
    ours = {name: value for name, value in environment().items() if name not in SETTINGS}
    how["env"] = {**ours, **how.get("env", {})}
    return subprocess.run(
        [SCRIPT, *arguments], capture_output=True, text=True, check=False, timeout=1800, **how
    )


def assemble(out: Path, *arguments: str | Path, **how: Any) -> Path:
    """The archive `out` of the server under test."""
    need_binary()
    done = build_image("--binary", binary(), "-o", out, *arguments, **how)
    assert done.returncode == 0, done.stderr
    return out


def write_archive(root: Path, out: Path, tag: str, entrypoint: str, *command: str) -> Path:
    """An image of any folder: what else there is to run on a node."""
    user = f"{UID}:{UID}"
    arguments = ["--root", root, "--out", out, "--tag", tag, "--epoch", "0", "--user", user]
    arguments += ["--entrypoint", entrypoint, "--", *command]
    done = subprocess.run([WRITE, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


@dataclass
class Image:
    """An archive, taken apart."""

    files: dict[str, bytes]

    @classmethod
    def read(cls, archive: Path) -> Image:
        with tarfile.open(archive) as tar:
            opened = {entry.name: tar.extractfile(entry) for entry in tar if entry.isfile()}
            return cls({name: content.read() for name, content in opened.items() if content})

    def json(self, name: str) -> Any:
        return json.loads(self.files[name])

    def blob(self, descriptor: dict[str, Any]) -> bytes:
        """What an OCI descriptor names; it must be what it says."""
        algorithm, _, digest = descriptor["digest"].partition(":")
        content = self.files[f"blobs/{algorithm}/{digest}"]
        assert algorithm == "sha256" and hashlib.sha256(content).hexdigest() == digest
        assert len(content) == descriptor["size"]
        return content

    @property
    def name(self) -> str:
        """As containerd and the kubelet know it."""
        (descriptor,) = self.json("index.json")["manifests"]
        return str(descriptor["annotations"]["io.containerd.image.name"])

    @property
    def manifest(self) -> Any:
        (descriptor,) = self.json("index.json")["manifests"]
        return json.loads(self.blob(descriptor))

    @property
    def config(self) -> Any:
        return json.loads(self.blob(self.manifest["config"]))

    @property
    def layer(self) -> tarfile.TarFile:
        (descriptor,) = self.manifest["layers"]
        return tarfile.open(fileobj=io.BytesIO(self.blob(descriptor)))

    def unpack(self, directory: Path) -> Path:
        """The root folder, as a container runtime would lay it out."""
        directory.mkdir(parents=True)
        # Debian 12's Python has no filters yet, and later ones want one to be named.
        filters = {"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}
        with self.layer as layer:
            layer.extractall(directory, **filters)
        return directory


def sealed(root: Path, volume: Path, *command: str) -> list[str]:
    """The command line that runs `command` with `root` as /, read-only, `volume` as /tmp, read-only
    too, as the image's user. Nothing of it is left when it ends."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip(NEEDS_ROOT)
    enter = (
        'mount --bind "$0" "$0" && mount --bind "$1" "$0/tmp" && mount -o remount,bind,ro "$0"'
        ' && mount -o remount,bind,ro "$0/tmp"'
        f' && exec chroot --userspec={UID}:{UID} --groups= "$0" "${{@:2}}"'
    )
    return [
        *("unshare", "--mount", "--propagation", "private"),
        *("bash", "-c", enter, str(root), str(volume), *command),
    ]


class SealedServer(Server):
    """A server with an image's root as its /; its folder, which holds all it reads, is its /tmp."""

    def __init__(self, root: Path, directory: Path, *flags: str) -> None:
        super().__init__(directory, *flags, cert_dir=Path("/tmp/certs"))
        self._root = root
        self._directory = directory

    def command(self, webhook: int = 0, probes: int = 0, metrics: int = 0) -> list[str]:
        # Without its first word, the program on this machine.
        arguments = super().command(webhook, probes, metrics)[1:]
        inside = [text.replace(str(self._directory), "/tmp") for text in arguments]
        return sealed(self._root, self._directory, PROGRAM, *inside)
