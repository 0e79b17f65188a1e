"""Parts of a run as programs read them: what it used and cost, and a judge's analysis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from ..engine.spec import Spec, letter
from ..engine.state import CallState, FusionState, RunState
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


class JudgesQuote(Told):
    """Of a seat's answer, as the judge gives it. `found_in`: it stands in another seat's."""

    seat: str
    quote: str
    verified: bool
    found_in: str | None


class Stance(Told):
    """Here and below, `verified`: a quote was found in the answers of those who are said to say
    so; null where the judge was not asked for quotes yet."""

    model: str
    seat: str
    stance: str
    verified: bool | None
    quotes: list[JudgesQuote]


class Contradiction(Told):
    topic: str
    stances: list[Stance]


class Coverage(Told):
    models: list[str]
    seats: list[str]
    point: str
    verified: bool | None
    quotes: list[JudgesQuote]


class Insight(Told):
    model: str
    seat: str
    insight: str
    verified: bool | None
    quotes: list[JudgesQuote]


class Consensus(Told):
    models: list[str]
    seats: list[str]
    claim: str
    verified: bool | None
    quotes: list[JudgesQuote]


class Analysis(Told):
    """In OpenRouter's shape, with our seats and quotes. `consensus_evidence` has an item for each
    of `consensus`, which are sentences there."""

    consensus: list[str]
    contradictions: list[Contradiction]
    partial_coverage: list[Coverage]
    unique_insights: list[Insight]
    blind_spots: list[str]
    consensus_evidence: list[Consensus]


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


def model_of(call: CallState) -> str:
    """As it was asked for, so that a program finds what it named; of an answer from elsewhere the
    name it was given, where nobody knows its model."""
    return str(call.panelist.get("model") or call.model or call.panelist.get("label", ""))


def in_place_of(spec: Spec, call: CallState) -> str | None:
    """The model that was meant to sit where another, a fallback maybe, was asked."""
    meant = spec.panel[call.seat].known_as if call.seat is not None else ""
    return meant if meant and meant != model_of(call) else None


def judged(state: RunState, fusion: FusionState | None) -> list[CallState]:
    """The very answers that a fusion is of."""
    keys = fusion.judged if fusion else []
    return [state.calls[key] for key in keys if key in state.calls]


def analysis_object(
    spec: Spec, analysis: dict[str, Any], judged: Sequence[CallState] = ()
) -> dict[str, Any]:
    """OpenRouter's shape: models where ours has seats, by the names that their answers go by."""
    by_seat = {call.seat: model_of(call) for call in judged}
    models = [by_seat.get(seat, panelist.known_as) for seat, panelist in enumerate(spec.panel)]
    return _Analysis(models).of(analysis)


class _Analysis:
    def __init__(self, models: list[str]) -> None:
        self._models = models

    def of(self, analysis: dict[str, Any]) -> dict[str, Any]:
        consensus = analysis.get("consensus", [])
        return {
            "consensus": [c["claim"] for c in consensus],
            "contradictions": [
                {"topic": c["topic"], "stances": list(self._stances(c))}
                for c in analysis.get("contradictions", [])
            ],
            "partial_coverage": [
                {**self._who(p["seats"]), "point": p["point"], **_evidence(p)}
                for p in analysis.get("partial_coverage", [])
            ],
            "unique_insights": [
                {**self._one(i["seat"]), "insight": i["insight"], **_evidence(i)}
                for i in analysis.get("unique_insights", [])
            ],
            "blind_spots": [
                b if isinstance(b, str) else str(b.get("point", b.get("text", "")))
                for b in analysis.get("blind_spots", [])
            ],
            "consensus_evidence": [
                {**self._who(c["seats"]), "claim": c["claim"], **_evidence(c)} for c in consensus
            ],
        }

    def _stances(self, contradiction: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """One for each seat, with its own quotes."""
        for stance in contradiction["stances"]:
            for seat in self._known(stance["seats"]):
                own = [q for q in stance.get("evidence", []) if q["seat"] == seat]
                evidence = _evidence(stance | {"evidence": own})
                yield {**self._one(seat), "stance": stance["stance"], **evidence}

    def _one(self, seat: int) -> dict[str, Any]:
        is_known = bool(self._known([seat]))
        return {"model": self._models[seat] if is_known else letter(seat), "seat": letter(seat)}

    def _who(self, seats: Iterable[int]) -> dict[str, Any]:
        known = self._known(seats)
        return {"models": [self._models[s] for s in known], "seats": [letter(s) for s in known]}

    def _known(self, seats: Iterable[int]) -> list[int]:
        return [seat for seat in seats if 0 <= seat < len(self._models)]


def _evidence(claim: dict[str, Any]) -> dict[str, Any]:
    quotes = [_quote(quote) for quote in claim.get("evidence", [])]
    was_looked_up = "standing" in claim
    return {
        "verified": any(quote["verified"] for quote in quotes) if was_looked_up else None,
        "quotes": quotes,
    }


def _quote(quote: dict[str, Any]) -> dict[str, Any]:
    elsewhere = quote.get("found_in")
    return {
        "seat": letter(quote["seat"]),
        "quote": quote["quote"],
        "verified": bool(quote.get("verified")),
        "found_in": None if elsewhere is None else letter(elsewhere),
    }
