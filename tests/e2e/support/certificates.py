"""Certificates in a folder, as a Secret volume holds them."""

from __future__ import annotations

import itertools
import shutil
import ssl
import subprocess
from pathlib import Path

SERVICE = "stateful-migration-webhook-service.default.svc"


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def self_signed(directory: Path, name: str, alternative: str) -> tuple[Path, Path]:
    """Files of a key and a certificate that is its own authority."""
    key, certificate = directory / "tls.key", directory / "tls.crt"
    openssl(
        "req", "-x509", "-nodes", "-days", "2", "-subj", f"/CN={name}",
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-addext", f"subjectAltName={alternative}", "-keyout", str(key), "-out", str(certificate),
    )  # fmt: skip
    return key, certificate


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


class Authority:
    """A CA, and what it signs."""

    def __init__(self, directory: Path, name: str = "client-ca") -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._numbers = itertools.count(1)
        self.certificate = directory / "ca.crt"
        self._key = directory / "ca.key"
        arguments = ["-x509", "-nodes", "-days", "90", "-newkey", "ec"]
        arguments += ["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", f"/CN={name}"]
        openssl("req", *arguments, "-keyout", str(self._key), "-out", str(self.certificate))

    @property
    def pem(self) -> bytes:
        return self.certificate.read_bytes()

    def issue(
        self, name: str = "kube-apiserver", usage: str = "clientAuth", days: int = 90
    ) -> tuple[Path, Path]:
        """Files of a certificate and its key; below zero days it has expired."""
        base = self._directory / f"{next(self._numbers)}-{name}"
        key, request, certificate, extensions = (
            base.with_name(f"{base.name}.{suffix}") for suffix in ("key", "csr", "crt", "ext")
        )
        extensions.write_text(f"extendedKeyUsage={usage}\nsubjectAltName=DNS:{name}.example\n")
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key))
        openssl("req", "-new", "-key", str(key), "-subj", f"/CN={name}", "-out", str(request))
        signing = ["-CA", str(self.certificate), "-CAkey", str(self._key), "-CAcreateserial"]
        arguments = ["-req", "-in", str(request), *signing, "-days", str(days)]
        openssl("x509", *arguments, "-extfile", str(extensions), "-out", str(certificate))
        return certificate, key


class SecretVolume:
    """A folder whose `..data` is swapped, as the kubelet does it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)
        folder.mkdir(parents=True)

    def put(
        self, chain: bytes, key: bytes, names: tuple[str, str] = ("tls.crt", "tls.key")
    ) -> None:
        self.put_files(dict(zip(names, (chain, key), strict=True)))

    def put_files(self, files: dict[str, bytes]) -> None:
        data = self.folder / "..data"
        before = data.resolve() if data.exists() else None
        version = self.folder / f"..2026_11_21_10_00_00.{next(self._numbers)}"
        version.mkdir(parents=True)
        for name, content in files.items():
            (version / name).write_bytes(content)
        link = self.folder / "..data_tmp"
        link.symlink_to(version.name)
        link.rename(data)
        for name in files:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        if before:
            shutil.rmtree(before)


def blind(*protocols: str, own: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    """Takes any certificate; shows its own, if it has one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if own:
        context.load_cert_chain(*own)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def served(port: int) -> str:
    """The leaf that a new connection gets, as PEM."""
    return ssl.get_server_certificate(("127.0.0.1", port))
