"""What people, scripts and tests wrote in a cluster: what its own components write, they write in
their own time, before a script runs, after it or meanwhile."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from .api import MANAGER, Api, Object

# Kind, namespace, name.
Key = tuple[str, str, str]
Written = dict[Key, Object]

# Who writes, as managedFields name it: kubectl by itself, alone or with its command (kubectl-create,
# kubectl-client-side-apply), kubectl for the scripts, and the tests. All others are components, ours
# that renew certificates, too: ReplicaSets, EndpointSlices, IPAddresses, APIServices are theirs alone.
HANDS = re.compile(rf"kubectl(-.+)?|stateful-migration-webhook|{re.escape(MANAGER)}")

# Made by components with nothing but a name, so that managedFields name nobody.
COMPONENTS_NAMESPACE = "kube-system"
MADE_IN_EACH_NAMESPACE = {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")}

# Computed when they are asked for; and what the servers behind a webhook write as they run.
PASSING = {"componentstatuses", "events", "leases"}


def written(api: Api) -> Written:
    """Every object that was written by hands, with the fields that they wrote."""
    namespaces = api.request("GET", "/api/v1/namespaces").object["items"]
    # With all that is in them they go when the namespace controller comes to it.
    leaving = {body["metadata"]["name"] for body in namespaces if is_leaving(body)}
    return {
        (kind, body["metadata"].get("namespace", ""), body["metadata"]["name"]): by_hands(body)
        for path, kind in listable(api)
        for body in api.request("GET", path).object["items"]
        if not is_leaving(body)
        and body["metadata"].get("namespace") not in leaving
        and is_by_hands(kind, body["metadata"])
    }


def listable(api: Api) -> Iterator[tuple[str, str]]:
    """Path and kind of all that can be listed, in the version that the API server prefers."""
    groups = api.request("GET", "/apis").object["groups"]
    preferred = [f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups]
    for version in ("/api/v1", *preferred):
        for resource in api.request("GET", version).object["resources"]:
            if "list" in resource["verbs"] and resource["name"] not in PASSING:
                yield f"{version}/{resource['name']}", resource["kind"]


def is_leaving(body: Object) -> bool:
    return "deletionTimestamp" in body["metadata"]


def entries(metadata: Object) -> tuple[list[Object], list[Object]]:
    """managedFields without those of subresources like status: of hands, and of components."""
    ours: list[Object] = []
    theirs: list[Object] = []
    for entry in metadata.get("managedFields", []):
        if not entry.get("subresource"):
            (ours if HANDS.fullmatch(entry["manager"]) else theirs).append(entry)
    return ours, theirs


def is_by_hands(kind: str, metadata: Object) -> bool:
    ours, theirs = entries(metadata)
    if ours or theirs:
        return bool(ours)
    return (
        metadata.get("namespace") != COMPONENTS_NAMESPACE
        and (kind, metadata["name"]) not in MADE_IN_EACH_NAMESPACE
    )


def by_hands(body: Object) -> Object:
    """Without status and without the fields that components wrote, like a Deployment's revision;
    managedFields stay, for they tell each write that changed something, and when it was."""
    ours, theirs = entries(body["metadata"])
    result = copy.deepcopy(body)
    for entry in theirs:
        take_away(result, entry["fieldsV1"])
    result.pop("status", None)
    # Both count the components' writes, too.
    for name in ("resourceVersion", "generation"):
        result["metadata"].pop(name, None)
    result["metadata"]["managedFields"] = ours
    return result


def take_away(value: Any, fields: Object) -> None:
    """The fields of a managedFields entry; members of lists (`k:`, `v:`) stay."""
    for key, below in fields.items():
        kind, _, name = key.partition(":")
        if kind != "f" or name not in value:
            continue
        if below:
            take_away(value[name], below)
        if not below or not value[name]:
            del value[name]


def difference(before: Written, after: Written) -> dict[Key, tuple[Object | None, Object | None]]:
    """What each object was and what it is, of those that are not as they were."""
    return {
        key: (before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    }


def told(changed: dict[Key, tuple[Object | None, Object | None]]) -> str:
    """A line for each object that was changed, with who wrote it."""
    lines = []
    for key, (was, now) in sorted(changed.items()):
        what = "appeared" if not was else "is gone" if not now else "changed"
        writers = {
            entry["manager"]
            for body in (was, now)
            for entry in (body or {"metadata": {}})["metadata"].get("managedFields", [])
        }
        fields = [name for name in was or {} if now and (was or {})[name] != now.get(name)]
        lines.append(f"{' '.join(filter(None, key))} {what} {fields}, written by {writers}")
    return "\n".join(lines)
