"""A namespace with Jobs of each kind that a backup can be for, and what their pods must become."""

from __future__ import annotations

from . import oracle
from .api import Api, Object
from .decisions import Answer, Asking, Decision
from .objects import container, cron_job, job, pod_of_job, pod_spec, run_by_hand
from .poll import poll

ORIGINAL = "registry.example.com/train:1.0"
CHECKPOINT = "registry.example.com/train:checkpoint-7"
SPEC = pod_spec(container("app", ORIGINAL), container("sidecar", "sidecar:1"))


class World:
    """Jobs that exist but are suspended: only the test asks about their pods.

    `train` is a Job of its own; `by-hand` is owned by the CronJob `nightly`; `nightly-29376840` is
    one by its name alone; nothing is ever backed up of `other`.
    """

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace
        self.cron_job = api.create(cron_job(namespace, "nightly", SPEC, suspend=True))
        by_hand = run_by_hand(self.cron_job, "by-hand")
        by_hand["spec"] = {**by_hand["spec"], "suspend": True}
        names = ("train", "nightly-29376840", "other")
        jobs = [job(namespace, name, SPEC, suspend=True) for name in names] + [by_hand]
        self.pods = {body["metadata"]["name"]: pod_of_job(api.create(body), SPEC) for body in jobs}

    def expected(self) -> dict[str, Decision]:
        """By Job, computed from a fresh list."""
        return {name: oracle.expected(self.api, pod) for name, pod in self.pods.items()}

    def answers(self, asks: Asking) -> dict[str, Answer]:
        return {name: asks.answer(pod) for name, pod in self.pods.items()}

    def decisions(self, asks: Asking) -> dict[str, Decision]:
        return {name: answer.decision for name, answer in self.answers(asks).items()}

    def until_followed(self, asks: Asking, patience: float = 60.0) -> dict[str, Decision]:
        """Waits until every decision is what a fresh list says; returns that."""
        wanted = self.expected()
        poll(f"decisions are {wanted}", lambda: self.decisions(asks) == wanted, patience)
        return wanted

    def load(self) -> list[tuple[Object, Decision]]:
        """What steady() asks about."""
        wanted = self.expected()
        return [(pod, wanted[name]) for name, pod in self.pods.items()]
