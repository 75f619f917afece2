"""Builds what is measured: each thing once, where the other scripts keep what they build."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

from .settings import BUILD, CACHE, HERE, ROOT, CannotMeasure

OHA_VERSION = "1.16.0"
OHA = CACHE / f"oha-{OHA_VERSION}/bin/oha"


def _run(what: str, *command: str | Path, folder: Path = ROOT) -> None:
    print(f"building {what}", flush=True)
    ran = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True)
    if ran.returncode != 0:
        raise CannotMeasure(f"building {what} failed:\n{(ran.stdout + ran.stderr)[-3000:]}")


def packages(*names: str) -> None:
    """By apt, through scripts/lib.sh."""
    script = f'. "{ROOT}/scripts/lib.sh" && install_packages "${{build_packages[@]}}" "$@"'
    subprocess.run(["bash", "-euc", script, "bench/compare/run", *names], check=True)


def _need(program: str, why: str) -> str:
    found = shutil.which(program) or shutil.which(f"/usr/local/go/bin/{program}")
    if found is None:
        raise CannotMeasure(f"{program} is not installed: {why}")
    return found


@functools.cache
def ours() -> Path:
    """The program; SMW_BINARY names one that is built already."""
    if os.environ.get("SMW_BINARY"):
        return Path(os.environ["SMW_BINARY"]).absolute()
    script = f'. "{ROOT}/scripts/lib.sh" && build release stateful-migration-webhook'
    _run("this server", "bash", "-euc", script, "bench/compare/run")
    return ROOT / "build/release/bin/stateful-migration-webhook"


@functools.cache
def base() -> Path:
    BUILD.mkdir(parents=True, exist_ok=True)
    configure = ["cmake", "-S", HERE / "base", "-B", BUILD / "base", "-G", "Ninja"]
    # As the preset `release` has it.
    configure += ["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG"]
    _run("the base (configure)", *configure)
    _run("the base", "cmake", "--build", BUILD / "base")
    return BUILD / "base/compare-base"


@functools.cache
def oha() -> Path:
    """The generator of constant rates; minutes, once."""
    if not OHA.exists():
        cargo = _need("cargo", "it builds oha and the kube-rs peer")
        command = [cargo, "install", "--locked", "oha", "--version", OHA_VERSION]
        _run(f"oha {OHA_VERSION}", *command, "--root", CACHE / f"oha-{OHA_VERSION}")
    return OHA


def _go(what: str, source: Path, target: Path) -> Path:
    go = _need("go", "it builds the controller-runtime peer and the API server")
    _run(what, go, "build", "-trimpath", "-buildvcs=false", "-o", target, ".", folder=source)
    return target


@functools.cache
def apiserver() -> Path:
    return _go("the API server", HERE / "apiserver", BUILD / "apiserver")


@functools.cache
def controller_runtime() -> Path:
    source = HERE / "peers/controller-runtime"
    return _go("the controller-runtime peer", source, BUILD / "controller-runtime-peer")


@functools.cache
def kube_rs() -> Path:
    cargo = _need("cargo", "it builds the kube-rs peer and oha")
    source, target = HERE / "peers/kube-rs", BUILD / "kube-rs"
    command = [cargo, "build", "--locked", "--release", "--target-dir", target]
    _run("the kube-rs peer", *command, folder=source)
    return target / "release/kube-rs-peer"
