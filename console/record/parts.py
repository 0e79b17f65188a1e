"""Parts of a run as programs read them: what it used and cost, and a judge's analysis."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from ..engine.spec import Spec, letter
from ..engine.state import RunState
from ..engine.usage import Usage as Tokens
from ..engine.usage import total_cost


class Told(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


class CachedTokens(Told):
    cached_tokens: int


class ReasoningTokens(Told):
    reasoning_tokens: int


class Usage(Told):
    """Tokens, of all calls or of the one that answers; the cost is that of all. One that nobody
    knows is null."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens
    completion_tokens_details: ReasoningTokens
    cost: float | None = None
    cost_is_partial: bool


class Stance(Told):
    model: str
    stance: str


class Contradiction(Told):
    topic: str
    stances: list[Stance]


class Coverage(Told):
    models: list[str]
    point: str


class Insight(Told):
    model: str
    insight: str


class Analysis(Told):
    """In OpenRouter's shape."""

    consensus: list[str]
    contradictions: list[Contradiction]
    partial_coverage: list[Coverage]
    unique_insights: list[Insight]
    blind_spots: list[str]


def usage_of(states: Iterable[RunState], tokens: Tokens | None = None) -> Usage:
    """Summed over all calls, or these `tokens`, with the cost of all calls; one that is not
    known is null, never 0."""
    states = list(states)
    usage = sum((s.usage() for s in states), Tokens()) if tokens is None else tokens
    cost, partial = total_cost(c.cost for s in states for c in s.calls.values() if c.was_billable)
    read, written = usage.input_tokens or 0, usage.output_tokens or 0
    return Usage(
        prompt_tokens=read,
        completion_tokens=written,
        total_tokens=read + written,
        prompt_tokens_details=CachedTokens(cached_tokens=usage.cached_tokens or 0),
        completion_tokens_details=ReasoningTokens(reasoning_tokens=usage.reasoning_tokens or 0),
        cost=money(cost),
        cost_is_partial=partial,
    )


def money(cost: Decimal | None) -> float | None:
    return None if cost is None else float(cost)


def analysis_object(spec: Spec, analysis: dict[str, Any]) -> dict[str, Any]:
    """OpenRouter's shape: models where ours has seats."""
    names = spec.seat_names()

    def who(seats: Iterable[int]) -> list[str]:
        return [names[s] for s in seats if 0 <= s < len(names)]

    contradictions = [
        {
            "topic": c["topic"],
            "stances": [
                {"model": model, "stance": s["stance"]}
                for s in c["stances"]
                for model in who(s["seats"])
            ],
        }
        for c in analysis.get("contradictions", [])
    ]
    return {
        "consensus": [c["claim"] for c in analysis.get("consensus", [])],
        "contradictions": contradictions,
        "partial_coverage": [
            {"models": who(p["seats"]), "point": p["point"]}
            for p in analysis.get("partial_coverage", [])
        ],
        "unique_insights": [
            {"model": next(iter(who([i["seat"]])), letter(i["seat"])), "insight": i["insight"]}
            for i in analysis.get("unique_insights", [])
        ],
        "blind_spots": [
            b if isinstance(b, str) else str(b.get("point", b.get("text", "")))
            for b in analysis.get("blind_spots", [])
        ],
    }
