"""`fuse`: panel, analysis, synthesis; whatever the state shows unfinished.

First run, resume, a seat asked again and another fusion are one path: calls
that are finished in `state` are kept and never bought again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..calls.aside import aside
from ..calls.context import Admission, Album, Context, Control, Files, Pieces
from ..errors import SENTENCES, Reason
from ..events import Event, EventType
from ..findings.best import best_answer
from ..findings.doubtful import doubtful, known_of, told_to_writer
from ..findings.given import SAYS_NOTHING
from ..pool import Researcher
from ..provider import Message, Provider
from ..spec import Panelist, Spec, letter
from ..state import CallState, FusionState, RunState, RunStatus, Step
from ..text import ended
from .condense import condense
from .gathering import Gathering
from .judge import analyse
from .look_up import look_up, look_up_doubtful, read_wanted
from .material import Material, make_material
from .panel import answers_of, panel_of
from .poll import poll
from .research import research
from .synthesis import count, is_put_together, synthesise

NO_JUDGE = (
    "There is no judge: nothing was compared or written by a model. The answers stand side by "
    "side, and any two of them can be compared."
)


async def fuse(
    spec: Spec,
    messages: list[Message],
    *,
    state: RunState,
    attempt: int,
    provider_for: Callable[[Panelist], Awaitable[Provider]],
    emit: Callable[[Event], None],
    admission: Admission,
    clock: Callable[[], float],
    control: Control | None = None,
    histories: Mapping[int, list[Message]] | None = None,
    handed_on: bool = False,
    pieces: Pieces | None = None,
    files: Files | None = None,
    researcher: Researcher | None = None,
    album: Album | None = None,
) -> RunState:
    """Take the run from where `state` shows it to its end; `state` is folded in place.

    What is to be done: seats never asked, interrupted or asked again by a reader; the fusion
    that is open, or the first one; polls; what is to be read or looked up. `histories` gives a
    seat a conversation of its own; `handed_on`: the worker before was stopped, not lost;
    `pieces` keeps what is written until it is told; `files` gives each seat what was attached,
    which `messages` have as text; `researcher` searches and reads where the spec wishes it;
    `album` keeps pictures that come with answers.
    Failures of calls are events, never exceptions. Raises only LeaseLost, from `admission`, and
    CancelledError; every connection is closed by then.
    """
    context = Context(
        spec,
        messages,
        state,
        emit,
        provider_for,
        admission,
        clock,
        control or Control(),
        histories or {},
        pieces=pieces,
        files=files,
        researcher=researcher,
        album=album,
    )
    started: dict[str, Any] = {"handed_on": True} if handed_on else {}
    context.say(EventType.RUN_STARTED, attempt=attempt, **started)
    gathering = await research(context)
    fusion = next((f for f in state.fusions.values() if not f.status.is_final), None)
    # Judging may have begun: it goes on with the very answers it began with.
    begun = [state.calls[key] for key in fusion.judged] if fusion else []
    async with panel_of(context, gathering, is_asked=not begun) as panel:
        answers = await panel.answers()
        if gathering and spec.research and not spec.research.is_for_all:
            context.library = await gathering.library()  # with what the seats have read
        if fusion and fusion.seats:
            answers = answers_of(context, fusion.seats)
        if begun:
            answers = {call.seat: call for call in begun if call.seat is not None}
        if not answers:
            reason, error = _why_all_failed(context)
            context.say(EventType.RUN_FAILED, reason=reason.value, error=error)
            return state
        if fusion is None and not state.fusions and spec.stop_after != "panel":
            fusion = FusionState(1)
        if fusion:
            await _fuse(context, gathering, fusion, answers, panel.going_on)
        await poll(context)
        gathering = await read_wanted(context, gathering)
        await look_up(context, gathering)
        if state.going_on:
            context.say(EventType.FUSION_COMPLETED, fusion=max(state.fusions))
        await panel.rest()
        ending, said = ending_of(state)
        if not (spec.has_judge or state.fusions):
            said = {"reason": "", "error": NO_JUDGE}
        context.say(ending, **said)
        return state


async def _fuse(
    context: Context,
    gathering: Gathering | None,
    fusion: FusionState,
    answers: dict[int, CallState],
    going_on: list[str],
) -> None:
    spec, number = context.spec, fusion.number
    if not fusion.judged or fusion.status is RunStatus.QUEUED:
        without: dict[str, Any] = {"without": going_on} if going_on else {}
        context.say(
            EventType.FUSION_STARTED,
            fusion=number,
            judged=[call.key for call in answers.values()],
            judge=fusion.judge or spec.judge.to_dict(),
            synthesizer=fusion.synthesizer or spec.writer.to_dict(),
            criteria=fusion.criteria or spec.criteria,
            **without,
        )
    # Here and in the steps: what grows with the answers is done beside the loop of all runs.
    size = sum(len(call.text) for call in answers.values())
    material = await aside(size, make_material, spec, context.messages, answers, context.library)
    if fusion.way == "vote":
        await count(context, number, material)
        return
    is_written = fusion.way == "fuse" and not ends_with_analysis(spec, fusion)
    for_judge, for_writer = await condense(
        context, number, material, for_judge_alone=not is_written
    )
    await analyse(context, number, for_judge)
    if is_written:
        for_writer = await _with_doubtful(context, gathering, number, for_writer)
        await synthesise(context, number, for_writer)
    elif fusion.way == "best":
        best = best_answer(context.state.fusions[number].analysis, answers)
        context.say(EventType.FUSION_COMPLETED, fusion=number, best=best.key)


async def _with_doubtful(
    context: Context, gathering: Gathering | None, number: int, material: Material
) -> Material:
    """With what pages say of claims that are in doubt, where the run wishes that."""
    wish, fusion = context.spec.research, context.state.fusions[number]
    if gathering is None or not (wish and wish.claims) or not fusion.analysis:
        return material
    writer = Panelist.from_dict(fusion.synthesizer)
    asked = fusion.turn.get("request", context.spec.request)
    if is_put_together(writer, fusion, asked):
        return material
    if await look_up_doubtful(context, gathering, number):
        context.library = await gathering.library()
    told = told_to_writer(known_of(gathering.pool, doubtful(fusion.analysis)))
    return material.with_looked_up(told, context.library) if told else material


def ends_with_analysis(spec: Spec, fusion: FusionState) -> bool:
    """What the run does of itself, the first, or what was asked for: whoever else fuses by hand
    wants a fused answer."""
    is_the_first = spec.stop_after == "analysis" and fusion.number == 1
    return is_the_first or bool(fusion.wish.get("analysis_only"))


def ending_of(state: RunState) -> tuple[EventType, dict[str, Any]]:
    """How a run ends that has come to where it was to."""
    why, sentence = _stood_in(state)
    return EventType.RUN_COMPLETED, {"reason": why, "error": sentence}


def stopped(state: RunState) -> tuple[EventType, dict[str, Any]]:
    """How a run ends that a reader stops: one that has its answer only ends who still writes."""
    return ending_of(state) if state.is_answered else (EventType.RUN_CANCELLED, {})


def _stood_in(state: RunState) -> tuple[str, str]:
    """(reason, error) of a run whose fused answer another answer stands in for."""
    fusion, written = state.fusion, state.fused
    if fusion and fusion.turn and written and not written.is_usable:
        # No other answer stands in: none knows what the tools have said.
        error = f"The writer could not go on. {written.error}"
        return Reason.SYNTHESIS_FAILED.value, error
    if not (fusion and fusion.best and written):
        return "", ""
    which = "The only answer" if len(fusion.judged) == 1 else "The best single answer"
    failed = SENTENCES[Reason.SYNTHESIS_FAILED]
    if written.reason in SAYS_NOTHING:
        failed = "The fused answer was of no use."
    why = f"{failed} {ended(written.error)}"
    error = f"{why} {which} stands in its place."
    return Reason.SYNTHESIS_FAILED.value, error


def _why_all_failed(context: Context) -> tuple[Reason, str]:
    """OpenRouter's rule: out of credit or rate limited, when that is what stopped one of them. A
    budget that pays for none of them is nobody's failure."""
    calls = [context.state.latest(Step.PANEL, seat=s) for s in range(len(context.spec.panel))]
    reasons = {call.reason for call in calls if call}
    if calls and reasons == {Reason.BUDGET_EXCEEDED}:
        errors = dict.fromkeys(ended(call.error) for call in calls if call)
        return Reason.BUDGET_EXCEEDED, f"Nobody was asked. {' '.join(errors)}"
    named = next(
        (r for r in (Reason.INSUFFICIENT_CREDITS, Reason.RATE_LIMITED) if r in reasons),
        Reason.ALL_PANELS_FAILED,
    )
    names = context.spec.seat_names()
    each = " ".join(
        f"{letter(c.seat)} ({names[c.seat]}): {ended(c.error)}"
        for c in calls
        if c and c.seat is not None
    )
    return named, f"No panelist gave a usable answer. {each}"
