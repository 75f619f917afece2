"""The decision once more, from a fresh list: what the server must say of a pod right now.

Written from the contract (section 3) and sharing nothing with the server, for the well-formed
objects that these tests make. No caches: a list and a get for each answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from .api import Api, ApiError, Object
from .decisions import RESTORED, Decision
from .objects import images

BACKUPS = ("migration.dcnlab.com/v1", "CheckpointBackup")

# How a backup matches, best first.
DIRECT, OWNER, NAME = range(3)


def owner(body: Object, kind: str) -> Object | None:
    found = [
        reference
        for reference in body["metadata"].get("ownerReferences", [])
        if reference["kind"] == kind and reference["apiVersion"].startswith("batch/")
    ]
    controllers = [reference for reference in found if reference.get("controller")]
    return next(iter(controllers + found), None)


def candidates(api: Api, namespace: str) -> list[Object]:
    try:
        listed = api.list(*BACKUPS, namespace)
    except ApiError as error:
        if error.code != 404:
            raise
        return []  # the CRD is not installed

    def counts(body: Object) -> bool:
        about = body["spec"]["resourceRef"].get("namespace") or namespace
        return about == namespace and "deletionTimestamp" not in body["metadata"]

    return [body for body in listed if counts(body)]


def refers(body: Object, kind: str) -> str | None:
    """The Job or CronJob that a backup is of."""
    reference = body["spec"]["resourceRef"]
    batch = reference["apiVersion"].startswith("batch/")
    return str(reference["name"]) if batch and reference["kind"] == kind else None


def image_of(body: Object, container: str) -> str | None:
    spec, status = body["spec"], body.get("status", {})
    named = [entry["image"] for entry in spec.get("containers", []) if entry["name"] == container]
    built = [
        (entry.get("buildTime", ""), number, entry["imageName"])
        for number, entry in enumerate(status.get("builtImages", []))
        if entry["containerName"] == container
    ]
    found = named + [image for _, _, image in sorted(built, reverse=True)]
    if not found:
        return None
    first, slash, _ = found[0].partition("/")
    has_registry = bool(slash) and ("." in first or ":" in first or first == "localhost")
    url = spec.get("registry", {}).get("url", "").split("://")[-1].rstrip("/")
    return found[0] if has_registry or not url else f"{url}/{found[0]}"


def usable(body: Object, pod: Object) -> dict[str, str]:
    found = {name: image_of(body, name) for name in images(pod)}
    return {name: image for name, image in found.items() if image}


def matches(api: Api, pod: Object, job: Object) -> Iterator[tuple[int, Object]]:
    """Each backup that matches the pod of the Job that this owner reference names, and how.

    Raises LookupError if the Job was asked for and is not that one.
    """
    namespace = pod["metadata"]["namespace"]
    all_ = candidates(api, namespace)
    direct = [body for body in all_ if refers(body, "Job") == job["name"]]
    yield from ((DIRECT, body) for body in direct)
    of_cron_jobs = [body for body in all_ if refers(body, "CronJob")]
    if not of_cron_jobs or any(usable(body, pod) for body in direct):
        return
    try:
        stored = api.get("batch/v1", "Job", namespace, job["name"])
    except ApiError as error:
        if error.code != 404:
            raise
        raise LookupError(job["name"]) from None
    if stored["metadata"]["uid"] != job["uid"]:
        raise LookupError(job["name"])
    cron_job = owner(stored, "CronJob")
    if cron_job:
        owned = [body for body in of_cron_jobs if refers(body, "CronJob") == cron_job["name"]]
        yield from ((OWNER, body) for body in owned)
        return
    prefixes = {str(refers(body, "CronJob")) for body in of_cron_jobs}
    fitting = [name for name in prefixes if job["name"].startswith(f"{name}-")]
    fitting = [name for name in fitting if len(job["name"]) > len(name) + 1]
    longest = max(fitting, key=len, default=None)
    yield from ((NAME, body) for body in of_cron_jobs if refers(body, "CronJob") == longest)


def later_first(instant: str) -> tuple[int, ...]:
    """A key by which later RFC 3339 instants of second precision in UTC sort first."""
    return tuple(-ord(character) for character in instant)


def expected(api: Api, pod: Object) -> Decision:
    """What must be decided about a pod at its creation."""
    job = owner(pod, "Job")
    if job is None:
        return Decision("not-from-job", None, images(pod))
    try:
        found = list(matches(api, pod, job))
    except LookupError:
        return Decision("job-gone", None, images(pod))
    if not found:
        return Decision("no-checkpoint-backup", None, images(pod))

    def rank(match: tuple[int, Object]) -> tuple[object, ...]:
        how, body = match
        checkpoint = body.get("status", {}).get("lastCheckpointTime", "")
        return (
            not usable(body, pod),
            how,
            not checkpoint,
            later_first(checkpoint),
            later_first(body["metadata"]["creationTimestamp"]),
            body["metadata"]["name"],
        )

    _, best = min(found, key=rank)
    wanted = usable(best, pod)
    if not wanted:
        return Decision("no-image-for-containers", None, images(pod))
    name = f"{best['metadata']['namespace']}/{best['metadata']['name']}"
    return Decision(RESTORED, name, {**images(pod), **wanted})
