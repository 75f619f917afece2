"""The same commit gives the same image, wherever its clone lies."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from support.image import SETTINGS, Image
from support.server import environment
from support.settings import REPOSITORY


def git(*arguments: str | Path) -> str:
    done = subprocess.run(["git", *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def image_of_clone(folder: Path, commit: str) -> str:
    """Builds in a clone, which takes minutes; returns the archive's digest."""
    git("clone", "--quiet", "--no-hardlinks", "--no-checkout", REPOSITORY, folder)
    git("-C", folder, "checkout", "--quiet", "--detach", commit)
    ours = {name: value for name, value in environment().items() if name not in SETTINGS}
    # What another clone compiled proves nothing of this one.
    ours["CCACHE_DISABLE"] = "1"
    out = folder.parent / f"{folder.name}.tar"
    done = subprocess.run(
        [folder / "scripts/build-image", "-o", out],
        capture_output=True, text=True, timeout=3600, check=False, env=ours,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "uncommitted" not in done.stderr
    return hashlib.sha256(out.read_bytes()).hexdigest()


@pytest.mark.in_full
def test_two_clones_give_the_same_bytes(tmp_path: Path) -> None:
    commit = git("-C", REPOSITORY, "rev-parse", "HEAD")
    first = image_of_clone(tmp_path / "a", commit)
    assert image_of_clone(tmp_path / "in-a-folder" / "of-another-length", commit) == first
    image = Image.read(tmp_path / "a.tar")
    assert not any(str(tmp_path).encode() in content for content in image.files.values())
    with image.layer as layer:
        assert "usr/bin/stateful-migration-webhook" in layer.getnames()
