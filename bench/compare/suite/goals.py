"""A goal: what is measured, how far it may go, how far it went."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any


@dataclass
class Goal:
    topic: str
    what: str
    measured: float
    limit: float
    unit: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool:
        if self.at_least:
            return self.measured >= self.limit
        return self.measured <= self.limit

    @property
    def goal(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {number(self.limit)}{self._unit}"

    @property
    def result(self) -> str:
        return f"{number(self.measured)}{self._unit}"

    @property
    def _unit(self) -> str:
        return self.unit if self.unit in ("", "×", "/s") else f" {self.unit}"

    def as_json(self) -> dict[str, Any]:
        return {
            "topic": self.topic,
            "what": self.what,
            "goal": self.goal,
            "measured": self.measured,
            "unit": self.unit,
            "met": self.met,
        }


def number(value: float) -> str:
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def median(results: list[dict[str, Any]], column: str) -> float:
    return statistics.median(result[column] for result in results)


def show(goals: list[Goal]) -> str:
    lines = ["| | goal | measured | |", "|---|---|---|---|"]
    for goal in goals:
        met = "met" if goal.met else "**missed**"
        lines.append(f"| {goal.topic}: {goal.what} | {goal.goal} | {goal.result} | {met} |")
    return "\n".join(lines)
