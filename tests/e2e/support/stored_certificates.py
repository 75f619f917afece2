"""Certificates in a cluster, as scripts/generate-webhook-certs.sh stores them, and others."""

from __future__ import annotations

import base64
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

from .api import Object
from .certificates import openssl
from .deploy import CA_SECRET, CERTS_SECRET, CONFIGURATION, DEPLOY, SERVICE, Scripts


def register(scripts: Scripts) -> None:
    """The configuration as it is without a caBundle yet."""
    file = scripts.directory / "webhook.yaml"
    text = (DEPLOY / "webhook.yaml").read_text()
    file.write_text(
        text.replace("namespace: stateful-migration", f"namespace: {scripts.namespace}")
    )
    scripts.plane.kubectl("apply", "-f", str(file))


def stored(scripts: Scripts, name: str) -> dict[str, str]:
    data = scripts.mine("secret", name)["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def leaf(scripts: Scripts) -> str:
    return stored(scripts, CERTS_SECRET)["tls.crt"]


def ca(scripts: Scripts) -> str:
    return stored(scripts, CA_SECRET)["ca.crt"]


def configuration(scripts: Scripts) -> Object:
    return scripts.get("mutatingwebhookconfiguration", CONFIGURATION)


def ca_bundle(scripts: Scripts) -> str:
    (entry,) = configuration(scripts)["webhooks"]
    return base64.b64decode(entry["clientConfig"].get("caBundle", "")).decode()


def version(body: Object) -> int:
    # Newer API servers promise that they can be compared; older ones do it, too.
    return int(body["metadata"]["resourceVersion"])


def put(scripts: Scripts, name: str, **files: str | None) -> None:
    """Replaces keys of a Secret, which is created when it is not there."""
    data = {
        key.replace("_", "."): value and base64.b64encode(value.encode()).decode()
        for key, value in files.items()
    }
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": scripts.namespace, "name": name},
    }
    flags = ("--namespace", scripts.namespace, "--ignore-not-found", "-o", "name")
    if scripts.plane.kubectl("get", "secret", name, *flags):
        scripts.plane.api.merge(body, {"data": data})
    else:
        scripts.plane.api.create({**body, "data": data})


def is_trusted(scripts: Scripts, certificate: str, bundle: str) -> bool:
    """By the name that the API server asks for."""
    files = {"leaf": certificate, "bundle": bundle}
    for name, content in files.items():
        (scripts.directory / name).write_text(content)
    done = subprocess.run(
        ["openssl", "verify", "-purpose", "sslserver", "-no-CApath", "-no-CAstore",
         "-verify_hostname", f"{SERVICE}.{scripts.namespace}.svc",
         "-CAfile", str(scripts.directory / "bundle"), str(scripts.directory / "leaf")],
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


def signed_anew(scripts: Scripts, since: timedelta, until: timedelta) -> dict[str, str]:
    """Like the one that is there, but for its dates, counted from now."""
    folder = scripts.directory / "signed-anew"
    folder.mkdir()
    for name, content in {**stored(scripts, CA_SECRET), **stored(scripts, CERTS_SECRET)}.items():
        (folder / name).write_text(content)
    old = text_of(leaf(scripts))
    names = next(line.strip() for line in old.splitlines() if "DNS:" in line)
    (folder / "index").touch()
    # `openssl ca` alone takes both dates.
    (folder / "cnf").write_text(
        f"[ca]\ndefault_ca=a\n[a]\ndatabase={folder}/index\nnew_certs_dir={folder}\npolicy=p\n"
        f"rand_serial=yes\ndefault_md=sha256\n[p]\ncommonName=supplied\n"
        f"[e]\nsubjectAltName={names}\nextendedKeyUsage=serverAuth\n"
    )
    openssl("req", "-new", "-key", f"{folder}/tls.key", "-subj", "/CN=x", "-out", f"{folder}/csr")
    now = datetime.now(timezone.utc)
    dates = [f"{now + distance:%Y%m%d%H%M%SZ}" for distance in (since, until)]
    openssl(
        "ca", "-batch", "-notext", "-config", f"{folder}/cnf", "-extensions", "e",
        "-in", f"{folder}/csr", "-cert", f"{folder}/ca.crt", "-keyfile", f"{folder}/ca.key",
        "-startdate", dates[0], "-enddate", dates[1], "-out", f"{folder}/tls.crt",
    )  # fmt: skip
    return {"tls_crt": (folder / "tls.crt").read_text()}


def text_of(certificate: str) -> str:
    done = subprocess.run(
        ["openssl", "x509", "-noout", "-text"],
        input=certificate, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def signed_by_an_intermediate(folder: Path, name: str) -> tuple[str, str, str]:
    """Chain, key and root, for one name."""
    folder.mkdir()
    ca = "basicConstraints=critical,CA:TRUE\n"
    server = f"subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\n"
    links = {"root": ca, "middle": ca, "leaf": server}
    above = "root"
    for link, extensions in links.items():
        key, certificate = folder / f"{link}.key", folder / f"{link}.crt"
        (folder / "extensions").write_text(extensions)
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key))
        openssl("req", "-new", "-key", str(key), "-subj", f"/CN={link}", "-out", f"{folder}/csr")
        signing = ["-CA", f"{folder}/{above}.crt", "-CAkey", f"{folder}/{above}.key"]
        openssl(
            "x509", "-req", "-in", f"{folder}/csr", "-set_serial", "1", "-days", "20",
            *(["-signkey", str(key)] if link == "root" else signing),
            "-extfile", f"{folder}/extensions", "-out", str(certificate),
        )  # fmt: skip
        above = link
    root, middle, end = ((folder / f"{link}.crt").read_text() for link in links)
    return end + middle, (folder / "leaf.key").read_text(), root
