"""Certificates in a folder, as a Secret volume holds them."""

from __future__ import annotations

import itertools
import ssl
import subprocess
from pathlib import Path

SERVICE = "stateful-migration-webhook-service.default.svc"


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def issue(directory: Path, days: int = 90) -> tuple[bytes, bytes]:
    """A chain and a key, self-signed, named as the folder; below zero days it has expired."""
    directory.mkdir(parents=True, exist_ok=True)
    key, request, chain = (directory / file for file in ("tls.key", "tls.csr", "tls.crt"))
    extensions = directory / "extensions"
    extensions.write_text(f"subjectAltName=IP:127.0.0.1,DNS:{SERVICE}\n")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key))
    openssl("req", "-new", "-key", str(key), "-subj", f"/CN={directory.name}", "-out", str(request))
    arguments = ["-req", "-in", str(request), "-signkey", str(key), "-days", str(days)]
    openssl("x509", *arguments, "-extfile", str(extensions), "-out", str(chain))
    return chain.read_bytes(), key.read_bytes()


class SecretVolume:
    """A folder whose `..data` is swapped, as the kubelet does it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)
        folder.mkdir(parents=True)

    def put(
        self, chain: bytes, key: bytes, names: tuple[str, str] = ("tls.crt", "tls.key")
    ) -> None:
        version = self.folder / f"..2026_11_21_{next(self._numbers)}"
        version.mkdir()
        for name, content in zip(names, (chain, key), strict=True):
            (version / name).write_bytes(content)
        link = self.folder / "..data_tmp"
        link.symlink_to(version.name)
        link.rename(self.folder / "..data")
        for name in names:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")


def blind(*protocols: str) -> ssl.SSLContext:
    """Takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def served(port: int) -> str:
    """The leaf that a new connection gets, as PEM."""
    return ssl.get_server_certificate(("127.0.0.1", port))
