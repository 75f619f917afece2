"""What is asked, and what must be answered: reviews of many kinds with their images, and requests
that are none."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from history import Calm, History
from support.api import Api, Object
from support.objects import (
    SKIP_RESTORE,
    backup,
    container,
    cron_job,
    images,
    job,
    pod_of_job,
    pod_spec,
    run_by_hand,
)
from support.raw_http import PATH, head, post
from support.reviews import apply_patch, encode, patch_of, review
from wire import Answer

REGISTRY = "registry.example.com"
ORIGINAL = {"app": f"{REGISTRY}/train:1", "prepare": f"{REGISTRY}/prepare:1", "sidecar": "proxy:2"}
SPEC = pod_spec(
    container("app", ORIGINAL["app"]),
    container("sidecar", ORIGINAL["sidecar"]),
    init=[container("prepare", ORIGINAL["prepare"])],
)
JOBS = ("soak-0", "soak-1", "soak-2")


def versioned(name: str, version: int | None) -> dict[str, str]:
    """What a pod's images must be with the backup at that version."""
    if version is None:
        return ORIGINAL
    restored = {key: f"{REGISTRY}/{name}-{key}:v{version}" for key in ("app", "prepare")}
    return {**ORIGINAL, **restored}


def version_in(found: dict[str, str]) -> int | None:
    tag = found.get("app", "").rpartition(":v")
    return int(tag[2]) if tag[1] and tag[2].isdecimal() else None


@dataclass
class Subject:
    """A Job or CronJob whose backup changes, and the Pods that it is for."""

    kind: str
    name: str
    namespace: str
    history: History
    pods: list[Object] = field(default_factory=list)

    def backup(self, version: int) -> Object:
        wanted = {name: versioned(self.name, version)[name] for name in ("app", "prepare")}
        return backup(self.namespace, f"of-{self.name}", (self.kind, self.name), wanted)


@dataclass
class Question:
    kind: str
    data: bytes
    wrong: Callable[[Answer], str | None]  # says what is
    last: bool = False  # the server ends the connection after it


class World:
    """Suspended Jobs in a namespace: no other Pods are made of them than those asked about."""

    def __init__(self, api: Api, namespace: str, calm: Calm) -> None:
        self.namespace = namespace
        self._number = 0

        def stored(name: str) -> Object:
            return pod_of_job(api.create(job(namespace, name, SPEC, suspend=True)), SPEC)

        nightly = api.create(cron_job(namespace, "nightly", SPEC, suspend=True))
        by_hand = run_by_hand(nightly, "by-hand")
        by_hand["spec"] = {**by_hand["spec"], "suspend": True}
        by_owner = pod_of_job(api.create(by_hand), SPEC)
        self.subjects = [
            Subject("Job", name, namespace, History(calm), [stored(name)]) for name in JOBS
        ]
        pods = [stored("nightly-29376840"), by_owner]
        self.subjects.append(Subject("CronJob", "nightly", namespace, History(calm), pods))
        self._fixed = stored("fixed")
        self._other = stored("other")
        api.create(
            backup(namespace, "of-fixed", ("Job", "fixed"), {"app": "fixed:1"}, registry="r.io")
        )
        self._bare = copy.deepcopy(self._other)
        del self._bare["metadata"]["ownerReferences"]
        self._skipped = copy.deepcopy(self._fixed)
        self._skipped["metadata"]["annotations"] = {SKIP_RESTORE: "true"}
        self._there = copy.deepcopy(self._fixed)
        self._there["spec"]["containers"][0]["image"] = "r.io/fixed:1"

    # answers

    def _review(self, kind: str, pod: Object, judge: Judge, how: How | None = None) -> Question:
        self._number += 1
        uid = f"soak-{self._number}"
        value = review(uid=uid, namespace=self.namespace, object=pod)
        value["apiVersion"] = f"admission.k8s.io/{(how or How()).version}"

        def wrong(answer: Answer) -> str | None:
            if answer.status != 200:
                return f"{answer.status} {answer.body[:300]!r}"
            reply = answer.json
            response = reply["response"]
            said = (reply["apiVersion"], reply["kind"], response["uid"], response["allowed"])
            if said != (value["apiVersion"], "AdmissionReview", uid, True):
                return f"{said}"
            return judge(images(apply_patch(pod, patch_of(response))), response)

        return Question(kind, (how or How()).write(encode(value)), wrong)

    def changing(
        self, draw: random.Random, kind: str = "changing", how: How | None = None
    ) -> Question:
        subject = draw.choice(self.subjects)
        begun = subject.history.begin()

        def judge(found: dict[str, str], response: Object) -> str | None:
            version = version_in(found)
            if found != versioned(subject.name, version):
                return f"{subject.name}: {found}, which is of no version"
            if not subject.history.accept(begun, version):
                return f"{subject.name}: version {version}, not {subject.history.explain(begun)}"
            restored = ("restored", f"{self.namespace}/of-{subject.name}")
            return differs(response, *(restored if version else ("no-checkpoint-backup", None)))

        pod = copy.deepcopy(draw.choice(subject.pods))
        if how and how.padding:
            pod["metadata"]["annotations"] = {"padding": "x" * how.padding}
        return self._review(kind, pod, judge, how)

    def unchanging(self, draw: random.Random) -> Question:
        of_fixed = f"{self.namespace}/of-fixed"
        restored = {**ORIGINAL, "app": "r.io/fixed:1"}
        kind, pod, expected, reason, name = draw.choice(
            [
                ("restored", self._fixed, restored, "restored", of_fixed),
                ("already restored", self._there, restored, "restored", of_fixed),
                ("no backup", self._other, ORIGINAL, "no-checkpoint-backup", None),
                ("not of a Job", self._bare, ORIGINAL, "not-from-job", None),
                ("skipped", self._skipped, ORIGINAL, "skipped-by-annotation", None),
            ]
        )

        def judge(found: dict[str, str], response: Object) -> str | None:
            return differs(response, reason, name) or (
                None if found == expected else f"{found} instead of {expected}"
            )

        return self._review(kind, pod, judge)

    def draw(self, draw: random.Random) -> Question:
        """Mostly reviews; one in ten is something else."""
        return draw.choices(
            [
                self.changing,
                self.unchanging,
                self._in_chunks,
                self._of_before,
                self._large,
                refused,
            ],
            [50, 30, 5, 4, 1, 10],
        )[0](draw)

    def _in_chunks(self, draw: random.Random) -> Question:
        return self.changing(draw, "in chunks", How(chunk=draw.randint(1, 2000)))

    def _of_before(self, draw: random.Random) -> Question:
        return self.changing(draw, "v1beta1", How(version="v1beta1"))

    def _large(self, draw: random.Random) -> Question:
        return self.changing(draw, "large", How(padding=draw.randint(1, 256) << 10))


# Says what is wrong with these images and this response.
Judge = Callable[[dict[str, str], Object], str | None]


@dataclass
class How:
    version: str = "v1"
    chunk: int = 0
    padding: int = 0

    def write(self, body: bytes) -> bytes:
        if not self.chunk:
            return post(body)
        pieces = [body[at : at + self.chunk] for at in range(0, len(body), self.chunk)] + [b""]
        top = head("POST", PATH, "Content-Type: application/json", "Transfer-Encoding: chunked")
        return top + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


def differs(response: Object, reason: str, name: str | None) -> str | None:
    notes = response["auditAnnotations"]
    said = (notes["reason"], notes.get("checkpoint-backup"), response.get("warnings"))
    return None if said == (reason, name, None) else f"{said} instead of {(reason, name)}"


def refused(draw: random.Random) -> Question:
    """What is no review: a status with a JSON Status, on a connection that mostly goes on."""
    whole = encode(review())
    json_type = "Content-Type: application/json"
    kind, data, status, last = draw.choice(
        [
            ("malformed", post(whole[: draw.randrange(1, len(whole))]), 400, False),
            ("malformed", post(b"[" * draw.randint(1, 5000)), 400, False),
            ("empty", post(b""), 400, False),
            ("no uid", post(encode(review(uid=""))), 400, False),
            ("GET", head("GET"), 405, False),
            # Its body was not read.
            ("unknown path", post(whole, target="/elsewhere"), 404, True),
            (
                "not JSON",
                head("POST", PATH, "Content-Type: text/plain", "Content-Length: 0"),
                415,
                False,
            ),
            ("over-sized", head("POST", PATH, json_type, f"Content-Length: {8 << 20}"), 413, True),
            ("long head", head("POST", PATH, f"X-Long: {'x' * 17000}"), 431, True),
            (
                "two lengths",
                head("POST", PATH, "Content-Length: 1", "Content-Length: 2"),
                400,
                True,
            ),
        ]
    )

    def wrong(answer: Answer) -> str | None:
        said = (answer.status, answer.json.get("kind"), answer.last)
        return None if said == (status, "Status", last) else f"{said} instead of {status}"

    return Question(kind, data, wrong, last)
