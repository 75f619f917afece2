"""The review, the certificate, the backups; and what a right answer is."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import subprocess
from pathlib import Path
from typing import Any

from .settings import HERE, PATH, REVIEW, CannotMeasure

BACKUP = HERE / "data/backup.json"
JOB = "test-migration-job"
IMAGES = {
    "app-container": "nginx:1.20-checkpoint",
    "sidecar": "fluent/fluent-bit:2.0-checkpoint",
}


def make_certificate(folder: Path) -> None:
    """tls.crt and tls.key: P-256, self-signed, good for the Service and for 127.0.0.1."""
    folder.mkdir(parents=True, exist_ok=True)
    name = "stateful-migration-webhook-service.default.svc"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        + ["-nodes", "-days", "30", "-subj", f"/CN={name}"]
        + ["-addext", f"subjectAltName=DNS:{name},DNS:localhost,IP:127.0.0.1"]
        + ["-addext", "extendedKeyUsage=serverAuth"]
        + ["-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")],
        check=True,
        capture_output=True,
    )


def backup() -> dict[str, Any]:
    """That of the review's Job, as bench/compare/apiserver has it."""
    text = BACKUP.read_text()
    words = {"NAME": JOB, "KIND": "Job", "TAG": "checkpoint", "NUMBER": f"{0:012}", "VERSION": "1"}
    for word, value in words.items():
        text = text.replace("$" + word, value)
    value: dict[str, Any] = json.loads(text)
    return value


def job_uid() -> str:
    pod = json.loads(REVIEW.read_bytes())["request"]["object"]
    uid: str = pod["metadata"]["ownerReferences"][0]["uid"]
    return uid


def write_manifests(folder: Path, *objects: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, value in enumerate(objects):
        (folder / f"{number:06}.json").write_text(json.dumps(value))
    return folder


def post(port: int, body: bytes, path: str = PATH) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in lower case, body."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    caller = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
    try:
        caller.request("POST", path, body, {"Content-Type": "application/json"})
        answer = caller.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, answer.read()
    finally:
        caller.close()


def check_answer(port: int, review: Path = REVIEW) -> str | None:
    """What is wrong with the answer to the review; nothing when it is allowed and restored."""
    sent = json.loads(review.read_bytes())["request"]
    try:
        status, _, body = post(port, review.read_bytes())
    except (OSError, http.client.HTTPException) as error:
        return f"no answer: {error}"
    if status != 200:
        return f"status {status}: {body[:200]!r}"
    answer = json.loads(body)["response"]
    if answer["uid"] != sent["uid"] or answer["allowed"] is not True:
        return f"not an answer to it: {body[:200]!r}"
    if not answer.get("patch"):
        return f"no patch: {body[:200]!r}"
    pod = sent["object"]
    for operation in _patch(answer["patch"]):
        _apply(pod, operation)
    images = {item["name"]: item["image"] for item in pod["spec"]["containers"]}
    return None if images == IMAGES else f"other images: {images}"


def _patch(text: str | list[int]) -> list[dict[str, Any]]:
    # kube-rs writes the bytes as an array of numbers, which Go takes as well.
    patch = json.loads(bytes(text) if isinstance(text, list) else base64.b64decode(text))
    assert isinstance(patch, list)
    return patch


def _apply(document: Any, operation: dict[str, Any]) -> None:
    """One operation of RFC 6902, of those that a patch of images and annotations needs."""
    steps = [
        step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]
    ]
    for step in steps[:-1]:
        document = document[int(step) if isinstance(document, list) else step]
    last = int(steps[-1]) if isinstance(document, list) else steps[-1]
    if operation["op"] == "remove":
        del document[last]
    elif operation["op"] in ("add", "replace"):
        document[last] = operation["value"]
    else:
        raise CannotMeasure(f"unexpected operation {operation}")
