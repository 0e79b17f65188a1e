"""Runs as programs read them: the answer, what it cost, and Fusion's part in OpenRouter's shape.

What every way of telling a run has in common is made in `record.public`.
"""

from __future__ import annotations

from typing import Any

from ...engine.calls.aside import aside
from ...engine.errors import SENTENCES, Reason
from ...engine.findings.answering import (
    FinalAnswer,
    answer_of,
    answering_call,
    filtered_of,
    is_direct,
    text_of,
)
from ...engine.spec import Spec, letter
from ...engine.state import CallState, CallStatus, RunState, RunStatus, Step
from ...engine.text import ended
from ...record.parts import Analysis, analysis_object, in_place_of, judged, model_of, usage_of
from ...record.public import analysis_by, asked, best_of, sources
from ...record.told import GivenFile, Source
from ..http.errors import TABLE, ApiError
from .replies import FailedModel, FusionOfChat, PanelAnswer, SeatsFile

__all__ = [
    "FinalAnswer",
    "analysis_object",
    "answer_aside",
    "answering_call",
    "attachments",
    "direct_object",
    "UNPAID",
    "failed",
    "failed_models",
    "failure",
    "fusion_object",
    "is_direct",
    "is_unpaid",
    "judged",
    "model_of",
    "responses",
    "sources",
    "text_of",
    "told_of",
    "usage_of",
    "who",
]


async def answer_aside(spec: Spec, state: RunState) -> FinalAnswer | None:
    """`told_of`, a long one beside the event loop; who asks for its text again has it at once."""
    call = answering_call(spec, state)
    return await aside(len(call.text) if call else 0, told_of, spec, state)


def told_of(spec: Spec, state: RunState) -> FinalAnswer | None:
    """The answer, or how far a single model came before a filter ended it. None: an error."""
    return answer_of(spec, state) or filtered_of(spec, state)


def is_in_no_form(spec: Spec, state: RunState) -> bool:
    """Whether an answer stands in for what was to be JSON, or the call of a tool: its prose is of
    no use to a program that reads that."""
    fusion = state.fusion
    if is_direct(spec) or not (fusion and fusion.best) or fusion.is_chosen:
        return False
    options = spec.request.get("options", {})
    form, choice = options.get("response_format"), options.get("tool_choice")
    is_json = isinstance(form, dict) and form.get("type") in ("json_object", "json_schema")
    return is_json or choice == "required" or isinstance(choice, dict)


def fusion_object(spec: Spec, state: RunState, *, run_id: str, run_url: str) -> FusionOfChat:
    """Of a run that was fused, failed to be, or is on its way."""
    fusion = state.fusion
    fusion_object = FusionOfChat(
        status="error" if state.status in ENDED_BADLY else "ok",
        run_id=run_id,
        run_url=run_url,
        preset=spec.preset,
        deliberated=True,
        panel=[panelist.known_as for panelist in spec.panel],
        judge=asked(spec.judge),
        synthesizer=asked(spec.writer),
        responses=responses(spec, state),
        failed_models=failed_models(spec, state),
        sources=[Source(**source) for source in sources(state)],
        failure_reason=state.reason or (fusion.analysis_reason if fusion else "") or None,
        error=state.error or (fusion.analysis_error if fusion else "") or None,
    )
    if fusion and (best := best_of(state, fusion)):
        fusion_object.best = best
    if fusion and fusion.analysis:
        fusion_object.analysis_by = analysis_by(fusion)
        fusion_object.analysis = Analysis(
            **analysis_object(spec, fusion.analysis, judged(state, fusion))
        )
    return fusion_object


NO_FORM = "No other answer has the form that was asked for; what was finished is kept with the run."
ENDED_BADLY = (RunStatus.FAILED, RunStatus.CANCELLED)


def direct_object(state: RunState, *, run_id: str, run_url: str, asked: bool) -> FusionOfChat:
    """Of an answer that one model gave. `asked`: it had the choice of asking a panel."""
    note = "The model answered directly; no panel was asked." if asked else None
    # A filter ended what it said: that is told as an answer, too.
    call = None if state.answer(0) else state.latest(Step.PANEL, seat=0)
    is_filtered = call is not None and call.status is CallStatus.FAILED
    return FusionOfChat(
        status="error" if is_filtered else "ok",
        run_id=run_id,
        run_url=run_url,
        deliberated=False,
        note=note,
        responses=[],
        failed_models=[],
        sources=[Source(**source) for source in sources(state)],
        failure_reason=call.reason if call and is_filtered else None,
        error=call.error if call and is_filtered else None,
    )


def responses(spec: Spec, state: RunState) -> list[PanelAnswer]:
    answers = [state.answer(seat) for seat in range(len(spec.panel))]
    return [PanelAnswer(content=call.text, **who(spec, call)) for call in answers if call]


def who(spec: Spec, call: CallState) -> dict[str, Any]:
    """Of a seat's call, by the names that analysis, answers and failures have in common."""
    names = {"model": model_of(call), "seat": letter(call.seat or 0)}
    meant = in_place_of(spec, call)
    return names | ({"in_place_of": meant} if meant else {})


def attachments(spec: Spec, state: RunState) -> list[SeatsFile]:
    """How each seat was given each file of the request, by its latest call."""
    calls = [state.latest(Step.PANEL, seat=seat) for seat in range(len(spec.panel))]
    return [
        SeatsFile(
            **GivenFile.of(told).model_dump(), seat=letter(call.seat or 0), model=model_of(call)
        )
        for call in calls
        if call
        for told in call.files
    ]


def failed_models(spec: Spec, state: RunState) -> list[FailedModel]:
    """Seats that came to nothing, with what the last try failed of."""
    failed = []
    for seat in range(len(spec.panel)):
        call = state.latest(Step.PANEL, seat=seat)
        if call is None or state.answer(seat) or not call.status.is_final:
            continue
        failed_model = FailedModel(error=call.error, reason=call.reason, **who(spec, call))
        if call.status_code:
            failed_model.status_code = call.status_code
        failed.append(failed_model)
    return failed


UNPAID = "budget_exceeded"


def is_unpaid(state: RunState) -> bool:
    """Whether a budget paid for no fused answer: then the best single one stands in."""
    written = state.fused
    return bool(written and written.reason == Reason.BUDGET_EXCEEDED)


def failure(spec: Spec, state: RunState, *, run_id: str, run_url: str) -> ApiError:
    """Why a run that is over has no answer. Never under a status that clients repeat."""
    where = {"metadata": {"run_id": run_id, "run_url": run_url, "reason": state.reason or None}}
    call = state.latest(Step.PANEL, seat=0) if is_direct(spec) else None
    if state.status is RunStatus.CANCELLED:
        code, message = "cancelled", ""
    elif call and call.status is CallStatus.FAILED:
        code, message = _DIRECT.get(call.reason, "run_failed"), call.error
        where["metadata"]["reason"] = call.reason
    elif is_unpaid(state) and (written := state.fused):
        code = UNPAID
        message = f"{written.error} What was finished is kept with the run."
        where["metadata"]["reason"] = code
    elif is_in_no_form(spec, state) and (written := state.fused):
        code = Reason.SYNTHESIS_FAILED.value
        message = f"{SENTENCES[Reason.SYNTHESIS_FAILED]} {ended(written.error)} {NO_FORM}"
    elif _is_too_long_for_all(spec, state):
        code, message = "context_length_exceeded", state.error
    else:
        code = state.reason if state.reason in TABLE else "run_failed"
        message = state.error
    # The openai clients obey this header, whatever the status.
    return ApiError(code, message, extra=where, headers={"x-should-retry": "false"})


def failed(spec: Spec, state: RunState, *, run_id: str, run_url: str = "") -> ApiError | None:
    """The same of a run that has ended so: without an answer, or with one that no budget let be
    fused, whatever stands in. It is how MCP and the shell tell it, who show what stands in, too."""
    outcome = state.outcome
    has_come = outcome is RunStatus.COMPLETED or answer_of(spec, state) is not None
    if not outcome.is_final or (has_come and not is_unpaid(state)):
        return None
    return failure(spec, state, run_id=run_id, run_url=run_url)


def _is_too_long_for_all(spec: Spec, state: RunState) -> bool:
    last = [state.latest(Step.PANEL, seat=seat) for seat in range(len(spec.panel))]
    return all(call and call.reason == Reason.CONTEXT_LENGTH for call in last)


_DIRECT: dict[str, str] = {
    Reason.INVALID_MODEL: "model_not_found",
    Reason.CONTEXT_LENGTH: "context_length_exceeded",
    Reason.BAD_REQUEST: "invalid_request",
    Reason.INSUFFICIENT_CREDITS: "insufficient_credits",
    Reason.RATE_LIMITED: "rate_limited",
    Reason.BUDGET_EXCEEDED: UNPAID,
    Reason.CONFIGURATION: "no_credential",
}
