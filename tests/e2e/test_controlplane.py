"""scripts/controlplane itself: what it leaves behind, what it says when something is missing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support.controlplane import CANNOT_BE_HAD, SCRIPT, ControlPlane


def script(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def started(directory: Path) -> dict[str, int]:
    """Pid by component."""
    lines = (line.split() for line in (directory / "pids").read_text().splitlines())
    return {name: int(pid) for name, pid, _ in lines}


def runs(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    # A zombie has ended, and waits for the one who started it.
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_second_one_beside_the_first(control_plane: ControlPlane, tmp_path: Path) -> None:
    directory = tmp_path / "a second one"
    up = script("up", directory)
    assert up.returncode == 0, up.stderr
    pids = started(directory)
    try:
        assert {"etcd", "apiserver"} <= set(pids)
        assert all(runs(pid) for pid in pids.values())
        again = script("up", directory)
        assert again.returncode == 1
        assert "already" in again.stderr or "is up" in again.stderr
        # It did no harm to what runs.
        assert all(runs(pid) for pid in pids.values())
    finally:
        down = script("down", directory)
    assert down.returncode == 0, down.stderr
    assert not any(runs(pid) for pid in pids.values())
    assert not directory.exists()
    assert all(runs(pid) for pid in started(control_plane.directory).values())


def test_only_loopback(control_plane: ControlPlane) -> None:
    ours = {f"socket:[{inode}]" for inode in listening_elsewhere()}
    for name, pid in started(control_plane.directory).items():
        sockets = {os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()}
        assert not sockets & ours, f"{name} listens on more than 127.0.0.1"


def listening_elsewhere() -> set[str]:
    """Inodes of the TCP sockets that listen on another address than 127.0.0.1."""
    loopback, listen = "0100007F", "0A"
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == listen and columns[1].split(":")[0] != loopback:
                inodes.add(columns[9])
    return inodes


def test_restart_of_a_component(breakable: ControlPlane) -> None:
    directory, before = breakable.directory, started(breakable.directory)
    namespace = breakable.new_namespace()
    assert script("start", directory, "apiserver").returncode == 1
    breakable.kill()
    assert not runs(before["apiserver"])
    assert not breakable.answers()
    assert script("kill", directory, "apiserver").returncode == 1
    breakable.start(apiserver_flags="--v=1")
    after = started(directory)
    assert after["apiserver"] != before["apiserver"]
    assert {**before, "apiserver": 0} == {**after, "apiserver": 0}
    # At the same address and with the same data.
    assert breakable.api.get("v1", "Namespace", None, namespace)
    assert "--v=1" in command_line(after["apiserver"])
    breakable.restart()
    assert "--v=1" in command_line(started(directory)["apiserver"])
    breakable.restart(apiserver_flags="")
    assert "--v=1" not in command_line(started(directory)["apiserver"])


def command_line(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


def test_component_that_there_is_not(control_plane: ControlPlane, tmp_path: Path) -> None:
    unknown = script("kill", control_plane.directory, "kubelet")
    assert unknown.returncode == 2
    assert "kubelet" in unknown.stderr
    assert script("kill", tmp_path, "apiserver").returncode == 1


def test_help() -> None:
    done = script("--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: ")


USAGE_ERRORS = [(), ("sideways",), ("up",), ("down", "a", "b"), ("kill", "a"), ("start",)]


@pytest.mark.parametrize("arguments", USAGE_ERRORS)
def test_usage_error(arguments: tuple[str, ...]) -> None:
    done = script(*arguments)
    assert done.returncode == 2
    assert "usage: " in done.stderr


def test_assets_that_are_not_there(tmp_path: Path) -> None:
    directory = tmp_path / "controlplane"
    done = script("up", directory, KUBEBUILDER_ASSETS=str(tmp_path))
    assert done.returncode == CANNOT_BE_HAD
    assert done.stderr == f"controlplane: KUBEBUILDER_ASSETS has no etcd: {tmp_path}\n"
    assert not directory.exists()


def test_version_that_there_is_not(tmp_path: Path) -> None:
    done = script("up", tmp_path / "controlplane", SMW_KUBERNETES="1.3")
    assert done.returncode == 2
    assert "1.36 1.30" in done.stderr
    assert not (tmp_path / "controlplane").exists()


def test_down_of_a_foreign_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    assert script("down", tmp_path).returncode == 1
    assert (tmp_path / "mine").exists()
