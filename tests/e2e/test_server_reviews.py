"""The process answers every review, and whatever is none, as the contract says. No cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.api import Object
from support.objects import backup
from support.raw_http import Answer, RawClient, connected, post, trust
from support.reviews import (
    CHECKPOINT,
    RECORDED,
    apply_patch,
    encode,
    name_of,
    patch_of,
    review,
    train_backup,
)
from support.server import Server
from support.standalone import serving

RECORDED_BACKUPS = [
    backup("default", "demo", ("Job", "test-migration-job"), {"app-container": CHECKPOINT}),
    backup("default", "train", ("Job", "train"), {"app": CHECKPOINT}),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("reviews")
    with serving(directory, train_backup(), *RECORDED_BACKUPS) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[RawClient]:
    """One connection for all: no answer of these tests may end it."""
    with connected(server.port, server.ca) as client:
        yield client


def refusal(answer: Answer, status: int) -> str:
    """The message of the Status that must come with that status."""
    assert answer.status == status, answer.body
    assert answer.header("Content-Type") == "application/json"
    content = answer.json
    assert (content["kind"], content["apiVersion"]) == ("Status", "v1")
    assert (content["status"], content["code"]) == ("Failure", status)
    assert content["message"]
    return str(content["message"])


@pytest.mark.parametrize("path", RECORDED, ids=name_of)
def test_recorded_reviews(client: RawClient, path: Path) -> None:
    body = path.read_bytes()
    asked = json.loads(body)
    answer = client.ask(post(body, target="/mutate-v1-pod?timeout=10s"))
    assert answer.status == 200
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Connection") is None
    answered = answer.json
    assert set(answered) == {"apiVersion", "kind", "response"}
    assert answered["apiVersion"] == asked["apiVersion"]
    assert answered["kind"] == "AdmissionReview"
    response = answered["response"]
    assert response["uid"] == asked["request"]["uid"]
    assert response["allowed"] is True
    patch = patch_of(response)
    if patch:
        after = apply_patch(asked["request"]["object"], patch)
        assert after != asked["request"]["object"]
        # Reinvocation: nothing is left to do, and the audit annotations stay the same.
        asked["request"]["object"] = after
        again = client.ask(post(encode(asked))).json["response"]
        assert patch_of(again) == []
        assert again["auditAnnotations"] == response["auditAnnotations"]


def test_some_recorded_review_is_restored(client: RawClient) -> None:
    path = next(path for path in RECORDED if name_of(path) == "reviews-1.36/002-create-pod")
    response = client.ask(post(path.read_bytes())).json["response"]
    assert [op["value"] for op in patch_of(response)] == [CHECKPOINT]
    assert response["auditAnnotations"] == {
        "reason": "restored",
        "checkpoint-backup": "default/demo",
    }


def with_object(value: object) -> Object:
    result = review()
    result["request"]["object"] = value
    return result


def changed(path: str, value: object) -> Object:
    """A restorable review with one member changed: a.b.0.c"""
    result = review()
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    place: Any = result
    for part in parents:
        place = place[part]
    place[last] = value
    return result


# What must be refused, and a word of why.
BAD_REVIEWS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the body is empty"),
    "blank": (b" \n", "the body is empty"),
    "no JSON": (b"<html>secret-7</html>", "the body is not well-formed JSON"),
    "BOM and more": (b"\xef\xbb\xbf\xef\xbb\xbf{}", ""),
    "invalid UTF-8": (encode(review()).replace(b"train-x7k2p", b"\xff\xfe"), "UTF-8"),
    "overlong UTF-8": (encode(review()).replace(b"train-x7k2p", b"\xc0\xaf"), "UTF-8"),
    "lone surrogate": (encode(review()).replace(b'"4a1c6f0e-0001"', b'"\\ud800"'), ""),
    "raw control character": (encode(review()).replace(b"train-x7k2p", b"a\nb"), ""),
    "two documents": (encode(review()) * 2, ""),
    "trailing comma": (encode(review())[:-1] + b",}", ""),
    "NaN": (b'{"x":NaN}', ""),
    "comment": (b"/* */" + encode(review()), ""),
    "deep arrays": (b"[" * 200_000, ""),
    "deep objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, ""),
    "array": (b"[]", "object"),
    "string": (b'"secret-7"', "object"),
    "null": (b"null", "object"),
    "no request": (encode({**review(), "request": None}), "request"),
    "request is a list": (encode({**review(), "request": []}), "request"),
    "no uid": (encode(review(uid=None)), "request.uid"),  # type: ignore[arg-type]
    "empty uid": (encode(review(uid="")), "request.uid"),
    "uid is a number": (encode(review(uid=7)), "request.uid"),  # type: ignore[arg-type]
    "uid null": (encode(changed("request.uid", None)), "request.uid"),
    "wrong kind": (encode({**review(), "kind": "PodReview"}), "kind"),
    "no kind": (encode({**review(), "kind": None}), "kind"),
    "unknown version": (encode({**review(), "apiVersion": "admission.k8s.io/v2"}), "apiVersion"),
    "other group": (encode({**review(), "apiVersion": "example.com/v1"}), "apiVersion"),
    "no apiVersion": (encode({**review(), "apiVersion": None}), "apiVersion"),
    "kind of the request mistyped": (encode(review(kind="Pod")), "request.kind"),
    "operation mistyped": (encode(review(operation=1)), "request.operation"),
    "namespace mistyped": (encode(review(namespace=["a"])), "request.namespace"),
    "subResource mistyped": (encode(review(subResource={})), "request.subResource"),
    "object absent": (encode(review(object=None)), "request.object"),
    "object null": (encode(with_object(None)), "request.object"),
    "object is a list": (encode(with_object([])), "request.object"),
    "metadata mistyped": (encode(changed("request.object.metadata", "x")), "metadata"),
    "owners mistyped": (encode(changed("request.object.metadata.ownerReferences", 1)), "owner"),
    "spec mistyped": (encode(changed("request.object.spec", "x")), "spec"),
    "containers mistyped": (encode(changed("request.object.spec.containers", {})), "containers"),
    "image mistyped": (
        encode(changed("request.object.spec.containers.0.image", 7)),
        "spec.containers[0].image",
    ),
}


@pytest.mark.parametrize("name", BAD_REVIEWS)
def test_what_is_no_review_is_400(client: RawClient, name: str) -> None:
    body, word = BAD_REVIEWS[name]
    answer = client.ask(post(body))
    message = refusal(answer, 400)
    assert word.lower() in message.lower(), message
    assert "secret-7" not in message and len(message) < 500
    assert answer.header("Connection") is None


def test_truncated_anywhere_is_400(client: RawClient) -> None:
    body = encode(review())
    for length in range(0, len(body), 7):
        refusal(client.ask(post(body[:length])), 400)
    assert client.ask(post(body)).status == 200


def test_of_duplicate_keys_the_first_counts(client: RawClient) -> None:
    text = encode(review()).decode()
    twice = text.replace('"uid":"4a1c6f0e-0001"', '"uid":"first","uid":"4a1c6f0e-0001"', 1)
    assert client.ask(post(twice.encode())).json["response"]["uid"] == "first"
    twice = text.replace('"request":{', '"request":null,"request":{', 1)
    assert "request" in refusal(client.ask(post(twice.encode())), 400)
    image = '"image":"registry.example/train:1"'
    twice = text.replace(image, f'"image":"{CHECKPOINT}",{image}', 1)
    assert patch_of(client.ask(post(twice.encode())).json["response"]) == []


def test_deep_nesting_where_nobody_reads(client: RawClient) -> None:
    # A CRD's schema in an annotation-like field may well be 500 levels deep.
    body = encode(changed("request.object.spec.x", "DEEP"))
    body = body.replace(b'"DEEP"', b"[" * 500 + b"]" * 500)
    assert patch_of(client.ask(post(body)).json["response"])


def test_null_is_absent(client: RawClient) -> None:
    for path in ("request.subResource", "request.dryRun", "request.object.spec.initContainers"):
        assert patch_of(client.ask(post(encode(changed(path, None)))).json["response"]), path
    # Without a namespace in the request the object's counts.
    assert patch_of(client.ask(post(encode(review(namespace=None)))).json["response"])
    assert patch_of(client.ask(post(encode(review(namespace="")))).json["response"])


def test_other_requests_are_allowed_untouched(client: RawClient) -> None:
    others: dict[str, dict[str, object]] = {
        "operation": {"operation": "UPDATE"},
        "unknown operation": {"operation": "PATCH"},
        "deletion": {"operation": "DELETE", "object": None},
        "kind": {"kind": {"group": "apps", "version": "v1", "kind": "Pod"}},
        "subResource": {"subResource": "ephemeralcontainers"},
    }
    for name, fields in others.items():
        response = client.ask(post(encode(review(**fields)))).json["response"]  # type: ignore
        assert response["allowed"] is True, name
        assert response["auditAnnotations"] == {"reason": "not-applicable"}, name
        assert patch_of(response) == [] and "warnings" not in response, name


def test_self_test_answers_its_nonce(server: Server, client: RawClient) -> None:
    asked = changed("request.dryRun", True)
    metadata = asked["request"]["object"]["metadata"]
    metadata["annotations"] = {"migration.dcnlab.com/self-test": "nonce-1234"}
    response = client.ask(post(encode(asked))).json["response"]
    build = next(sample for sample in server.samples() if sample.name == "smw_build_info")
    expected = f"stateful-migration-webhook {build.labels['version']} answered nonce-1234"
    assert response["warnings"] == [expected]
    assert response["auditAnnotations"] == {"reason": "self-test"}
    assert patch_of(response) == []


def test_the_version_asked_in_is_the_version_answered(client: RawClient) -> None:
    for version in ("v1", "v1beta1"):
        api_version = f"admission.k8s.io/{version}"
        answered = client.ask(post(encode({**review(), "apiVersion": api_version}))).json
        assert (answered["apiVersion"], answered["kind"]) == (api_version, "AdmissionReview")
        assert patch_of(answered["response"])


def test_content_types(server: Server, client: RawClient) -> None:
    body = encode(review())
    length = f"Content-Length: {len(body)}"
    start = f"POST /mutate-v1-pod HTTP/1.1\r\nHost: x\r\n{length}\r\n"
    taken = [
        "",
        "Content-Type: application/json\r\n",
        "Content-Type: Application/JSON;charset=utf-8\r\n",
        "Content-Type: application/json ; x=y\r\n",
        "Content-Encoding: identity\r\n",
    ]
    for lines in taken:
        answer = client.ask(f"{start}{lines}\r\n".encode() + body)
        assert answer.status == 200, lines
    refused = [
        "Content-Type: text/plain\r\n",
        "Content-Type: application/jsonx\r\n",
        "Content-Type: application/yaml\r\n",
        "Content-Encoding: gzip\r\n",
        "Content-Encoding: br\r\n",
    ]
    for lines in refused:
        with connected(server.port, server.ca) as other:
            refusal(other.ask(f"{start}{lines}\r\n".encode() + body), 415)


def test_other_methods_and_paths(server: Server, client: RawClient) -> None:
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"):
        answer = client.ask(f"{method} /mutate-v1-pod HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        refusal(answer, 405)
        assert answer.header("Allow") == "POST"
    client.send(b"HEAD /mutate-v1-pod HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = client.answer(to_head=True)
    assert (answer.status, answer.header("Allow")) == (405, "POST")
    near_misses = (
        "/ /mutate-v1-pod/ //mutate-v1-pod /./mutate-v1-pod /MUTATE-V1-POD /mutate-v1-pod%20 "
        "/%6dutate-v1-pod /metrics /healthz"
    )
    for path in near_misses.split():
        refusal(client.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()), 404)
    body = encode(review())
    for target in ("http://x/mutate-v1-pod", "https://x:9443/mutate-v1-pod?timeout=1s"):
        assert client.ask(post(body, target=target)).status == 200, target


def test_reviews_on_a_new_context_each_time(server: Server) -> None:
    # No resumption: every connection of the API server is a full handshake.
    for _ in range(5):
        client = RawClient(server.port, trust(server.ca))
        assert client.ask(post(encode(review()))).status == 200
        client.close()
