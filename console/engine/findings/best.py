"""The best single answer by the analysis: stands in where no fused answer could be written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..state import CallState

CRITERIA = ("factual_accuracy", "depth", "structure", "coverage")


def best_answer(analysis: dict[str, Any] | None, answers: Mapping[int, CallState]) -> CallState:
    """By the judge's ratings; without them by what it found in each; then the first seat. By
    words it is the one that the others share most with."""
    if (analysis or {}).get("best") in answers:
        return answers[(analysis or {})["best"]]

    def worth(seat: int) -> tuple[float, int, int]:
        return _rating(analysis or {}, seat), _findings(analysis or {}, seat), -seat

    return answers[max(answers, key=worth)]


def _rating(analysis: dict[str, Any], seat: int) -> float:
    for rating in analysis.get("ratings", []):
        if rating.get("seat") == seat:
            return float(sum(rating.get(criterion) or 0 for criterion in CRITERIA))
    return 0.0


def _findings(analysis: dict[str, Any], seat: int) -> int:
    shared = [*analysis.get("consensus", []), *analysis.get("partial_coverage", [])]
    alone = [i for i in analysis.get("unique_insights", []) if i["seat"] == seat]
    return sum(1 for i in shared if seat in i["seats"]) + len(alone)
