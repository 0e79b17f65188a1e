"""Runs as programs read them: the answer, what it cost, and Fusion's part in OpenRouter's shape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ...engine.errors import Reason
from ...engine.findings.provenance import plain, plain_so_far
from ...engine.spec import Spec, letter
from ...engine.state import CallState, CallStatus, FusionState, RunState, RunStatus, Step
from ...engine.usage import Usage, total_cost
from ..http.errors import TABLE, ApiError


@dataclass(frozen=True)
class Answer:
    """What a run came to. `stands_in`: a panelist's answer where none could be fused."""

    text: str = ""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    finish_reason: str = "stop"
    model: str = ""
    reasoning: str = ""
    stands_in: bool = False


def is_direct(spec: Spec) -> bool:
    return spec.stop_after_panel


def answering_call(spec: Spec, state: RunState) -> CallState | None:
    """The call whose text is the run's answer, or will be."""
    fusion = state.fusion
    if is_direct(spec) and not fusion:
        # Of several answers that are to be compared first, none is the run's.
        one = len(spec.panel) == 1
        return (state.answer(0) or state.latest(Step.PANEL, seat=0)) if one else None
    found = _written(state, fusion) if fusion else None
    if state.status.is_final and not (found and found.is_usable):
        # A later fusion that was stopped takes nothing away from an earlier one.
        before = (_written(state, f) for _, f in sorted(state.fusions.items(), reverse=True))
        return next((call for call in before if call and call.is_usable), found)
    return found


def _written(state: RunState, fusion: FusionState) -> CallState | None:
    """The call with a fusion's text, or with the answer that stands in for it."""
    return state.calls.get(fusion.best) or state.latest(Step.SYNTHESIS, fusion=fusion.number)


def answer_of(spec: Spec, state: RunState) -> Answer | None:
    """None when there is none."""
    call = answering_call(spec, state)
    if call is None or not call.is_usable:
        return None
    reason = call.finish_reason or "stop"
    return Answer(
        text=text_of(call),
        tool_calls=call.tool_calls,
        finish_reason="tool_calls" if call.tool_calls else reason,
        model=call.model or str(call.panelist.get("model", "")),
        reasoning=call.reasoning,
        stands_in=not is_direct(spec) and call.step is Step.PANEL,
    )


def text_of(call: CallState | None) -> str:
    """As far as it is certain, without marks of provenance."""
    if call is None or call.step is not Step.SYNTHESIS:
        return call.text if call else ""
    return plain(call.text) if call.status.is_final else plain_so_far(call.text)


def usage_of(states: Iterable[RunState]) -> dict[str, Any]:
    """Summed over all calls; a cost that is not known is null, never 0."""
    states = list(states)
    usage = sum((s.usage() for s in states), Usage())
    cost, partial = cost_of(states)
    given, made = usage.input_tokens or 0, usage.output_tokens or 0
    return {
        "prompt_tokens": given,
        "completion_tokens": made,
        "total_tokens": given + made,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens or 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "cost": money(cost),
        "cost_is_partial": partial,
    }


def cost_of(states: Iterable[RunState]) -> tuple[Decimal | None, bool]:
    calls = [c for s in states for c in s.calls.values() if c.was_billable]
    return total_cost(c.cost for c in calls)


def money(cost: Decimal | None) -> float | None:
    return None if cost is None else float(cost)


def fusion_object(spec: Spec, state: RunState, *, run_id: str, run_url: str) -> dict[str, Any]:
    """Of a run that was fused, failed to be, or is on its way."""
    fusion = state.fusion
    found: dict[str, Any] = {
        "status": "error" if state.status in ENDED_BADLY else "ok",
        "run_id": run_id,
        "run_url": run_url,
        "preset": spec.preset,
        "deliberated": True,
        "panel": spec.seat_names(),
        "judge": spec.judge.model,
        "synthesizer": spec.writer.model,
        "responses": responses(spec, state),
        "failed_models": failed_models(spec, state),
        "sources": sources(state),
        "failure_reason": state.reason or (fusion.analysis_reason if fusion else "") or None,
        "error": state.error or (fusion.analysis_error if fusion else "") or None,
    }
    if fusion and fusion.analysis:
        found["analysis"] = analysis_object(spec, fusion.analysis)
    return found


ENDED_BADLY = (RunStatus.FAILED, RunStatus.CANCELLED)


def direct_object(spec: Spec, *, run_id: str, run_url: str, asked: bool) -> dict[str, Any]:
    """Of an answer that one model gave. `asked`: it had the choice of asking a panel."""
    note = "The model answered directly; no panel was asked." if asked else None
    return {
        "status": "ok",
        "run_id": run_id,
        "run_url": run_url,
        "deliberated": False,
        "note": note,
        "responses": [],
        "failed_models": [],
        "sources": [],
        "failure_reason": None,
        "error": None,
    }


def responses(spec: Spec, state: RunState) -> list[dict[str, Any]]:
    answers = [state.answer(seat) for seat in range(len(spec.panel))]
    return [{"model": model_of(c), "content": c.text} for c in answers if c]


def failed_models(spec: Spec, state: RunState) -> list[dict[str, Any]]:
    """Seats that came to nothing, with what the last try failed of."""
    failed = []
    for seat in range(len(spec.panel)):
        call = state.latest(Step.PANEL, seat=seat)
        if call is None or state.answer(seat) or not call.status.is_final:
            continue
        said: dict[str, Any] = {"model": model_of(call), "error": call.error, "reason": call.reason}
        if call.status_code:
            said["status_code"] = call.status_code
        failed.append(said)
    return failed


def model_of(call: CallState) -> str:
    """As it was asked for, so that a program finds what it named."""
    return str(call.panelist.get("model") or call.model)


def sources(state: RunState) -> list[dict[str, str]]:
    """Web pages that were read. Panels are given no web tools here, so there are none."""
    return []


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


def failure(spec: Spec, state: RunState, *, run_id: str, run_url: str) -> ApiError:
    """Why a run that is over has no answer. Never under a status that clients repeat."""
    where = {"metadata": {"run_id": run_id, "run_url": run_url, "reason": state.reason or None}}
    call = state.latest(Step.PANEL, seat=0) if is_direct(spec) else None
    if state.status is RunStatus.CANCELLED:
        code, message = "cancelled", ""
    elif call and call.status is CallStatus.FAILED:
        code, message = _DIRECT.get(call.reason, "run_failed"), call.error
        where["metadata"]["reason"] = call.reason
    else:
        code = state.reason if state.reason in TABLE else "run_failed"
        message = state.error
    # The openai clients obey this header, whatever the status.
    return ApiError(code, message, extra=where, headers={"x-should-retry": "false"})


_DIRECT: dict[str, str] = {
    Reason.INVALID_MODEL: "model_not_found",
    Reason.CONTEXT_LENGTH: "context_length_exceeded",
    Reason.BAD_REQUEST: "invalid_request",
    Reason.INSUFFICIENT_CREDITS: "insufficient_credits",
    Reason.RATE_LIMITED: "rate_limited",
    Reason.CONFIGURATION: "no_credential",
}
