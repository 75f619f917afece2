"""Images for a node: the server's, and those that stand in for what the examples name."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .deploy import APP
from .image import assemble, write_archive
from .node import Cluster
from .settings import cannot_run

# Not `latest`: a node must not try to pull it.
TAGS = ("e2e-1", "e2e-2")

STAND_IN = "stateful-migration-webhook-stand-in:e2e"
EXAMPLES = (
    "nginx:1.19",
    "nginx:1.20-checkpoint",
    "fluent/fluent-bit:2.0",
    "fluent/fluent-bit:2.0-checkpoint",
)

# Static, for its image has nothing else. Unknown files are no error: kernels differ.
SOURCE = r"""
#include <cstdio>
#include <cstring>

int main(int count, char** words) {
    if (count < 3) return 2;
    for (int i = 2; i < count; ++i) {
        std::printf("%s\n", words[i]);
        if (std::strcmp(words[1], "cat") != 0) continue;
        std::FILE* file = std::fopen(words[i], "r");
        if (file == nullptr) continue;
        for (int letter; (letter = std::fgetc(file)) != EOF;) std::putchar(letter);
        std::fclose(file);
    }
}
"""


def stand_in(directory: Path) -> Path:
    """A root folder with one program: `say WORD…` prints words, `cat FILE…` also what files hold."""
    if not shutil.which("g++"):
        cannot_run("g++ is not installed (package g++)")
    root = directory / "stand-in"
    root.mkdir(parents=True)
    command = ["g++", "-Os", "-s", "-static", "-x", "c++", "-", "-o", str(root / "program")]
    subprocess.run(command, input=SOURCE, text=True, check=True)
    return root


def load_server(into: Cluster, directory: Path) -> None:
    """The server under test, under two tags: a rolling update goes from one to the other."""
    for tag in TAGS:
        into.load(assemble(directory / f"{tag}.tar", "--tag", f"{APP}:{tag}"))


def load_stand_ins(into: Cluster, directory: Path) -> None:
    """Each says what it is called."""
    root = stand_in(directory)
    for number, name in enumerate((STAND_IN, *EXAMPLES)):
        archive = directory / f"{number}.tar"
        into.load(write_archive(root, archive, name, "/program", "say", name))
