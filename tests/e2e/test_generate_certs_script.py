"""scripts/generate-webhook-certs.sh: what it makes is trusted and served, what is good it keeps,
and at no moment a server shows what the API server does not trust."""

from __future__ import annotations

import socket
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from support.certificates import issue, openssl
from support.deploy import (
    APP,
    CA_SECRET,
    CERTS_SECRET,
    DEPLOY,
    SERVICE,
    Scripts,
)
from support.server import FLAGS, Server
from support.standalone import ending
from support.stored_certificates import (
    ca,
    ca_bundle,
    configuration,
    is_trusted,
    leaf,
    put,
    register,
    signed_anew,
    signed_by_an_intermediate,
    stored,
    text_of,
    version,
)
from support.written import difference

DAY = timedelta(days=1)


@pytest.fixture
def scripts(scripts: Scripts) -> Scripts:
    scripts.create_namespace()
    return scripts


# what it makes


def test_the_certificate_is_good_for_all_names_of_the_service(scripts: Scripts) -> None:
    scripts.generate()
    assert scripts.mine("secret", CERTS_SECRET)["type"] == "kubernetes.io/tls"
    text = text_of(leaf(scripts))
    (line,) = (line.strip() for line in text.splitlines() if "DNS:" in line)
    name = f"{SERVICE}.{scripts.namespace}"
    names = [SERVICE, name, f"{name}.svc", f"{name}.svc.cluster.local"]
    assert line == ", ".join(f"DNS:{entry}" for entry in names)
    for what in ("ASN1 OID: prime256v1", "CA:FALSE", "TLS Web Server Authentication"):
        assert what in text
    authority = text_of(ca(scripts))
    for what in ("ASN1 OID: prime256v1", "CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign"):
        assert what in authority
    assert is_trusted(scripts, leaf(scripts), ca(scripts))


def test_names_of_the_greatest_length_have_a_certificate(scripts: Scripts) -> None:
    namespace = "n" * 63
    scripts.plane.kubectl("create", "namespace", namespace)
    scripts.generate(NAMESPACE=namespace, SERVICE_NAME="s" * 63)
    scripts.plane.kubectl("delete", "namespace", namespace, "--wait=false")


def test_the_server_serves_it_to_who_trusts_the_ca(scripts: Scripts, tmp_path: Path) -> None:
    scripts.generate()
    folder = tmp_path / "certs"
    folder.mkdir()
    for name, content in stored(scripts, CERTS_SECRET).items():
        (folder / name).write_text(content)
    trusting = ssl.create_default_context(cadata=stored(scripts, CERTS_SECRET)["ca.crt"])
    name = f"{SERVICE}.{scripts.namespace}.svc"
    flags = (*FLAGS, "--service-namespace", scripts.namespace)
    with ending(Server(tmp_path / "server", *flags, cert_dir=folder)) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            with trusting.wrap_socket(connection, server_hostname=name) as secured:
                assert secured.version() in ("TLSv1.2", "TLSv1.3")
        assert not [line for line in server.log_lines() if line.level in ("WARN", "ERROR")]


def test_a_configuration_that_is_there_learns_the_ca(scripts: Scripts) -> None:
    register(scripts)
    assert ca_bundle(scripts) == ""
    assert "wrote caBundle" in scripts.generate()
    assert ca_bundle(scripts) == ca(scripts)


def test_the_configuration_of_another_service_is_left_alone(scripts: Scripts) -> None:
    scripts.plane.kubectl("apply", "-f", str(DEPLOY / "webhook.yaml"))
    before = configuration(scripts)
    scripts.generate()
    assert configuration(scripts) == before


# what it keeps


def test_a_second_run_changes_nothing(scripts: Scripts) -> None:
    register(scripts)
    scripts.generate()
    with scripts.unchanged():
        assert "nothing to do" in scripts.generate()


def test_a_dry_run_changes_nothing(scripts: Scripts) -> None:
    register(scripts)
    with scripts.unchanged():
        assert "would make a CA (there is none)" in scripts.generate("--dry-run")
    scripts.generate()
    with scripts.unchanged():
        assert "would make a CA (as asked)" in scripts.generate("--dry-run", "--renew-ca")
        assert "would keep the serving certificate" in scripts.generate("--dry-run")


def test_renewing_the_certificate_touches_one_secret(scripts: Scripts) -> None:
    register(scripts)
    scripts.generate()
    before, old = scripts.written(), leaf(scripts)
    scripts.generate("--renew")
    changed = difference(before, scripts.written())
    assert changed.keys() == {("Secret", scripts.namespace, CERTS_SECRET)}
    assert leaf(scripts) != old
    assert is_trusted(scripts, leaf(scripts), ca_bundle(scripts))


def test_what_somebody_else_made_is_kept_when_it_is_good(scripts: Scripts, tmp_path: Path) -> None:
    scripts.generate()
    theirs = stored(scripts, CERTS_SECRET)
    # The key of its CA is not here.
    scripts.plane.kubectl("--namespace", scripts.namespace, "delete", "secret", CA_SECRET)
    register(scripts)
    scripts.generate()
    assert stored(scripts, CERTS_SECRET) == theirs
    assert ca_bundle(scripts) == theirs["ca.crt"]
    # And when it is to be renewed, the old one stays trusted.
    scripts.generate("--renew")
    for certificate in (theirs["tls.crt"], leaf(scripts)):
        assert is_trusted(scripts, certificate, ca_bundle(scripts))


def test_a_certificate_of_ones_own_is_used_or_refused_but_never_replaced(
    scripts: Scripts, tmp_path: Path
) -> None:
    register(scripts)
    name = f"{SERVICE}.{scripts.namespace}.svc"
    chain, key, root = signed_by_an_intermediate(tmp_path / "own", name)
    put(scripts, CERTS_SECRET, tls_crt=chain, tls_key=key, ca_crt=root)
    before = scripts.mine("secret", CERTS_SECRET)
    assert "expires within 30 days" in scripts.generate()
    assert ca_bundle(scripts) == root
    assert scripts.mine("secret", CERTS_SECRET) == before
    # What is wrong with it is said, and not mended.
    put(scripts, CERTS_SECRET, ca_crt=issue(tmp_path / "other")[0].decode())
    with scripts.unchanged():
        for flags in ((), ("--dry-run",)):
            line = scripts.fails(1, "generate-webhook-certs", *flags)
            assert "is not good (the CA did not sign it), and not replaced" in line
            assert f"kubectl --namespace {scripts.namespace} delete secret {CERTS_SECRET}" in line
    # Asked to, it makes one, and does not make the Secret ours.
    scripts.generate("--renew")
    assert is_trusted(scripts, leaf(scripts), ca_bundle(scripts))
    assert root in ca_bundle(scripts)
    assert "labels" not in scripts.mine("secret", CERTS_SECRET)["metadata"]


# what it replaces


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("in a month", "it expires within 30 days"),
        pytest.param("expired", "it has expired", marks=pytest.mark.in_full),
        pytest.param("unreadable", "what is there cannot be read", marks=pytest.mark.in_full),
        pytest.param("other key", "its key does not belong to it", marks=pytest.mark.in_full),
        pytest.param("other ca", "the CA did not sign it", marks=pytest.mark.in_full),
        pytest.param("gone", "there is none", marks=pytest.mark.in_full),
    ],
)
def test_a_certificate_that_is_not_good_is_replaced(
    scripts: Scripts, tmp_path: Path, damage: str, reason: str
) -> None:
    register(scripts)
    scripts.generate()
    authority, bundle = ca(scripts), ca_bundle(scripts)
    chain, key = (part.decode() for part in issue(tmp_path / "other"))
    if damage == "in a month":
        put(scripts, CERTS_SECRET, **signed_anew(scripts, -DAY, 29 * DAY))
    elif damage == "expired":
        put(scripts, CERTS_SECRET, **signed_anew(scripts, -2 * DAY, -DAY))
    elif damage == "unreadable":
        put(scripts, CERTS_SECRET, tls_crt="no certificate")
    elif damage == "other key":
        put(scripts, CERTS_SECRET, tls_key=key)
    elif damage == "other ca":
        put(scripts, CERTS_SECRET, tls_crt=chain, tls_key=key)
    else:
        scripts.plane.kubectl("--namespace", scripts.namespace, "delete", "secret", CERTS_SECRET)
    assert reason in scripts.generate("--dry-run")
    scripts.generate()
    assert (ca(scripts), ca_bundle(scripts)) == (authority, bundle)
    assert is_trusted(scripts, leaf(scripts), bundle)
    assert "nothing to do" in scripts.generate()


def test_a_certificate_for_another_service_is_replaced(scripts: Scripts) -> None:
    scripts.generate(SERVICE_NAME="before")
    assert f"it lacks the name {SERVICE}" in scripts.generate("--dry-run")
    scripts.generate()
    assert is_trusted(scripts, leaf(scripts), ca(scripts))


def test_under_a_ca_that_ends_soon_a_new_certificate_is_good_enough(
    scripts: Scripts, tmp_path: Path
) -> None:
    key, certificate = tmp_path / "ca.key", tmp_path / "ca.crt"
    flags = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=ending")
    files = ("-keyout", str(key), "-out", str(certificate))
    openssl("req", "-x509", "-nodes", "-days", "40", *flags, *files)
    put(scripts, CA_SECRET, ca_crt=certificate.read_text(), ca_key=key.read_text())
    scripts.generate()
    assert "nothing to do" in scripts.generate()


# a new CA


def test_a_new_ca_is_trusted_before_it_is_used_and_the_old_one_until_dropped(
    scripts: Scripts,
) -> None:
    register(scripts)
    scripts.generate()
    old_ca, old_leaf = ca(scripts), leaf(scripts)
    scripts.generate("--renew-ca")
    assert ca(scripts) != old_ca
    # The order of the writes is that of their versions.
    written = [
        version(configuration(scripts)),
        version(scripts.mine("secret", CA_SECRET)),
        version(scripts.mine("secret", CERTS_SECRET)),
    ]
    assert written == sorted(written)
    for certificate in (old_leaf, leaf(scripts)):
        assert is_trusted(scripts, certificate, ca_bundle(scripts))
    # An installation keeps both.
    scripts.deploy("--no-wait")
    assert ca_bundle(scripts).split() == (ca(scripts) + old_ca).split()

    assert "would write caBundle" in scripts.generate("--drop-old-ca", "--force", "--dry-run")
    assert "would write caBundle" not in scripts.generate("--dry-run")
    scripts.generate("--drop-old-ca", "--force")
    assert ca_bundle(scripts) == ca(scripts)
    assert stored(scripts, CERTS_SECRET)["ca.crt"] == ca(scripts)
    assert is_trusted(scripts, leaf(scripts), ca_bundle(scripts))
    assert not is_trusted(scripts, old_leaf, ca_bundle(scripts))


def test_ended_between_ca_and_certificate_it_goes_on_from_there(scripts: Scripts) -> None:
    register(scripts)
    scripts.generate()
    old_leaf, before = leaf(scripts), stored(scripts, CERTS_SECRET)
    scripts.generate("--renew-ca")
    # As if it had not come to the second Secret: the servers go on with the old one.
    put(scripts, CERTS_SECRET, **{key.replace(".", "_"): text for key, text in before.items()})
    assert "the CA did not sign it" in scripts.generate("--dry-run")
    scripts.generate()
    for certificate in (old_leaf, leaf(scripts)):
        assert is_trusted(scripts, certificate, ca_bundle(scripts))


def test_the_old_ca_is_not_dropped_while_its_certificate_is_used(scripts: Scripts) -> None:
    register(scripts)
    scripts.generate()
    before = stored(scripts, CERTS_SECRET)
    scripts.generate("--renew-ca")
    put(scripts, CERTS_SECRET, **{key.replace(".", "_"): text for key, text in before.items()})
    bundle = ca_bundle(scripts)
    for flags in (("--drop-old-ca", "--dry-run"), ("--drop-old-ca",)):
        line = scripts.fails(1, "generate-webhook-certs", *flags)
        assert "scripts/generate-webhook-certs.sh, then" in line
    assert ca_bundle(scripts) == bundle


def test_the_old_ca_is_not_dropped_before_everybody_can_have_the_new_certificate(
    scripts: Scripts,
) -> None:
    register(scripts)
    scripts.generate()
    # There is nothing to drop.
    assert "nothing to do" in scripts.generate("--drop-old-ca")
    scripts.generate("--renew-ca")
    with scripts.unchanged():
        line = scripts.fails(1, "generate-webhook-certs", "--drop-old-ca")
    assert "is younger than 5 minutes" in line and f"exec POD -- {APP} certs inspect" in line
    assert line.endswith("scripts/generate-webhook-certs.sh --drop-old-ca --force")
    # The script dates certificates back by an hour.
    put(scripts, CERTS_SECRET, **signed_anew(scripts, -timedelta(minutes=66), 90 * DAY))
    scripts.generate("--drop-old-ca")
    assert ca_bundle(scripts) == ca(scripts)
    assert "--force goes with" in scripts.fails(2, "generate-webhook-certs", "--force")


def test_a_certificate_of_cert_manager_is_its_own(scripts: Scripts) -> None:
    scripts.generate()
    annotate = ("annotate", "secret", CERTS_SECRET, "cert-manager.io/certificate-name=x")
    scripts.plane.kubectl("--namespace", scripts.namespace, *annotate)
    with scripts.unchanged():
        line = scripts.fails(1, "generate-webhook-certs", "--renew")
    assert "belongs to cert-manager" in line


def test_flags_that_exclude_each_other_are_refused(scripts: Scripts) -> None:
    line = scripts.fails(2, "generate-webhook-certs", "--renew", "--renew-ca")
    assert "--renew and --renew-ca exclude each other" in line
