"""What scripts/build-image writes, taken apart: no container runtime."""

from __future__ import annotations

import json
import re
import shlex
import stat
import subprocess
import time
from pathlib import Path

import pytest

from support.image import PROGRAM, Image, assemble, build_image, write_archive
from support.settings import REPOSITORY, binary
from support.standalone import need_binary

LIMIT = 25_000_000
LABEL = "org.opencontainers.image."


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("image") / "image.tar")


@pytest.fixture(scope="module")
def image(archive: Path) -> Image:
    return Image.read(archive)


@pytest.fixture(scope="module")
def root(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image.unpack(tmp_path_factory.mktemp("unpacked") / "root")


def readelf(flag: str, file: Path) -> str:
    return subprocess.run(
        ["readelf", "--wide", flag, file], capture_output=True, text=True, check=True
    ).stdout


def needed(file: Path) -> set[str]:
    return set(re.findall(r"\(NEEDED\).*\[(.+)\]", readelf("--dynamic", file)))


def test_the_same_program_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "another folder for temporary files"
    elsewhere.mkdir()
    again = assemble(
        tmp_path / "again.tar",
        cwd=elsewhere,
        umask=0o077,
        env={"TMPDIR": str(elsewhere), "TZ": "Asia/Tokyo", "LANG": "de_DE.UTF-8"},
    )
    assert archive.read_bytes() == again.read_bytes()
    assert list(elsewhere.iterdir()) == []


def test_archive_and_root_are_small(archive: Path, root: Path) -> None:
    assert archive.stat().st_size <= LIMIT
    assert sum(path.lstat().st_size for path in root.rglob("*")) <= LIMIT


def test_it_is_a_docker_archive_and_an_oci_layout(image: Image) -> None:
    assert image.json("oci-layout") == {"imageLayoutVersion": "1.0.0"}
    assert image.json("index.json")["schemaVersion"] == image.manifest["schemaVersion"] == 2
    (layer,) = image.manifest["layers"]
    # The layer is not compressed, so the two digests that there are of one are the same.
    assert image.config["rootfs"] == {"type": "layers", "diff_ids": [layer["digest"]]}
    (for_docker,) = image.json("manifest.json")
    assert json.loads(image.files[for_docker["Config"]]) == image.config
    assert [image.files[name] for name in for_docker["Layers"]] == [image.blob(layer)]


def test_name_without_any_wish(image: Image) -> None:
    (descriptor,) = image.json("index.json")["manifests"]
    assert image.name == "docker.io/library/stateful-migration-webhook:latest"
    assert descriptor["annotations"][f"{LABEL}ref.name"] == "latest"
    (for_docker,) = image.json("manifest.json")
    assert for_docker["RepoTags"] == ["stateful-migration-webhook:latest"]


def test_name_by_environment(tmp_path: Path) -> None:
    environment = {"IMAGE": "registry.example/webhook", "IMAGE_TAG": "v7"}
    image = Image.read(assemble(tmp_path / "image.tar", env=environment))
    assert image.name == "registry.example/webhook:v7"


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("webhook:1", "docker.io/library/webhook:1"),
        ("team/webhook:1", "docker.io/team/webhook:1"),
        ("localhost/webhook:1", "localhost/webhook:1"),
        ("localhost:5000/webhook:1", "localhost:5000/webhook:1"),
        ("registry.example/team/webhook:1", "registry.example/team/webhook:1"),
    ],
)
def test_name_is_what_the_kubelet_makes_of_it(tmp_path: Path, tag: str, name: str) -> None:
    (tmp_path / "root").mkdir()
    archive = write_archive(tmp_path / "root", tmp_path / "image.tar", tag, "/program")
    assert Image.read(archive).name == name


def test_nothing_can_be_executed_but_the_program(image: Image) -> None:
    with image.layer as layer:
        members = layer.getmembers()
    executable = {f"/{entry.name}" for entry in members if entry.isfile() and entry.mode & 0o111}
    loaders = {name for name in executable if "/ld-linux" in name}
    assert executable - loaders == {PROGRAM} and len(loaders) == 1
    for entry in members:
        assert entry.isfile() or entry.isdir() or entry.issym(), entry.name
        assert (entry.uid, entry.gid) == (0, 0), entry.name
        assert not entry.mode & (stat.S_ISUID | stat.S_ISGID), entry.name
        assert entry.issym() or entry.name == "tmp" or not entry.mode & 0o022, entry.name


def test_libraries_are_those_that_are_needed(root: Path) -> None:
    elf = {
        path.name: path
        for path in root.rglob("*")
        if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"
    }
    program = root / PROGRAM[1:]
    (loader,) = re.findall(r"interpreter: (.+)\]", readelf("--segments", program))
    wanted, found = {Path(loader).name, program.name}, {program.name}
    assert (root / loader[1:]).is_file()
    while wanted != found:
        found = set(wanted)
        for name in found:
            wanted |= needed(elf[name])
    assert set(elf) == found


def test_program_is_stripped(root: Path) -> None:
    sections = readelf("--sections", root / PROGRAM[1:])
    assert ".text" in sections
    assert ".symtab" not in sections and ".debug" not in sections


def test_libraries_come_with_their_licences(root: Path) -> None:
    # As scanners for vulnerabilities read it, where there is no package database.
    packages = list((root / "var/lib/dpkg/status.d").iterdir())
    assert "libssl3" in {package.name for package in packages}
    for package in packages:
        assert f"Package: {package.name}\n" in package.read_text()
        assert (root / "usr/share/doc" / package.name / "copyright").stat().st_size > 0


def test_user_and_command(image: Image, root: Path) -> None:
    config = image.config["config"]
    assert config["User"] == "65532:65532"
    # The Pod's args are the program's.
    assert config["Entrypoint"] == [PROGRAM] and "Cmd" not in config
    users = dict(line.split(":")[0:3:2] for line in (root / "etc/passwd").read_text().splitlines())
    assert users == {"root": "0", "nonroot": "65532"}


def test_labels_say_what_the_program_says(image: Image) -> None:
    said = subprocess.run([binary(), "version"], capture_output=True, text=True, check=True).stdout
    name, version, revision = said.split()
    revision = revision.strip("()")
    command = ["git", "-C", REPOSITORY, "log", "-1", "--format=%ct", revision]
    seconds = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    labels = image.config["config"]["Labels"]
    assert labels.pop(f"{LABEL}description")
    assert labels == {
        f"{LABEL}title": name,
        f"{LABEL}version": version,
        f"{LABEL}revision": revision,
        f"{LABEL}created": created,
        f"{LABEL}licenses": "Apache-2.0",
    }
    assert image.config["created"] == created
    with image.layer as layer:
        assert {entry.mtime for entry in layer} == {seconds}


def test_dockerfile_says_the_same(image: Image) -> None:
    text = (REPOSITORY / "Dockerfile").read_text()
    final = text.rpartition("\nFROM scratch\n")[2]
    lines = [line.partition(" ")[::2] for line in final.splitlines()]
    config = image.config["config"]
    said = dict(lines)
    assert said["USER"] == config["User"] and said["WORKDIR"] == config["WorkingDir"]
    assert json.loads(said["ENTRYPOINT"]) == config["Entrypoint"]
    assert [said["ENV"]] == config["Env"]
    assert {f"{port}/tcp" for port in said["EXPOSE"].split()} == set(config["ExposedPorts"])
    labels = dict(shlex.split(value)[0].split("=", 1) for word, value in lines if word == "LABEL")
    assert len(labels) == 3 and labels.items() <= config["Labels"].items()
    assert "RUN scripts/build-image --root /image" in text


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--shell"], 2, "unknown argument --shell"),
        (["--tag"], 2, "--tag needs a value"),
        (["--binary", "/nonexistent"], 1, "/nonexistent is no program"),
        (["--binary", "/bin/true"], 1, "that is another program"),
    ],
)
def test_wrong_arguments(arguments: list[str], status: int, words: str) -> None:
    done = build_image(*arguments)
    assert done.returncode == status
    assert words in done.stderr.splitlines()[-1]


def test_archive_that_cannot_be_written(tmp_path: Path) -> None:
    need_binary()
    out = tmp_path / "nonexistent" / "image.tar"
    done = build_image("--binary", binary(), "-o", out)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert str(out) in line and "No such file or directory" in line


def test_root_folder_must_be_new(tmp_path: Path) -> None:
    need_binary()
    (tmp_path / "precious").touch()
    done = build_image("--binary", binary(), "--root", tmp_path)
    assert done.returncode == 1
    assert f"{tmp_path} is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_root_folder_is_what_the_archive_holds(root: Path, tmp_path: Path) -> None:
    """The Dockerfile copies this folder."""
    done = build_image("--binary", binary(), "--root", tmp_path / "root")
    assert done.returncode == 0, done.stderr
    assert subprocess.run(["diff", "-r", root, tmp_path / "root"], check=False).returncode == 0
