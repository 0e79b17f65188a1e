"""The analysis step: the judge reads all answers and returns one JSON object.

A call that breaks is made once more; an analysis that cannot be read is sent
back once for repair; then it is the fallback judge's turn. Where none is left, what
the judges had completed is kept; where that is nothing, and where the judge is too small
to judge, the answers are compared by their words.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

from ..calls.aside import aside
from ..calls.call import least, receipt, request_for, stream_call
from ..calls.context import Context
from ..calls.tries import UNREADABLE, Ended, carry_out
from ..calls.watched import Unmarked, Watched
from ..calls.window import excess, output_of
from ..errors import SENTENCES, ProviderError, Reason
from ..events import EventType
from ..findings.analysis import read_analysis, statements
from ..findings.by_words import WORDS, compare
from ..findings.degenerate import Detector, is_alphabet, without_mark
from ..findings.evidence import verify
from ..findings.schema import analysis_schema
from ..provider import Finish, Message
from ..spec import Panelist
from ..state import CallState, CallStatus, Step
from ..text import ended
from .given_sources import beside_answers, in_plain_words
from .material import Material
from .prompts import fill, own_criteria
from .seen import asked_with, seen_by, was_refused

TOO_FEW = "Too few answers could be condensed to what the judge can read at once."
TOO_LONG = "The answers do not fit the judge's context, not even condensed."


async def analyse(context: Context, fusion: int, material: Material) -> dict[str, Any] | None:
    """The stored analysis; None where there is nothing to compare, or an older run has none and
    says why."""
    known = context.state.fusions[fusion]
    if known.analysis or known.analysis_reason or len(material.answers) == 1:
        return known.analysis

    async def by_words() -> dict[str, Any]:
        found = await aside(material.size, compare, material.answers, material.prompt)
        return {"analysis": found, "analysis_by": WORDS}

    async def perform(key: str, panelist: Panelist) -> Ended:
        if not panelist.can_judge:
            return Ended(receipt(Finish("stop")) | await by_words())
        return await _ask(context, fusion, material, key, panelist)

    async def without_judge() -> dict[str, Any]:
        kept = await _what_was_complete(context, fusion, material)
        return {"analysis": kept} if kept else await by_words()

    judge = Panelist.from_dict(known.judge)
    await carry_out(context, Step.ANALYSIS, fusion, judge, perform, at_last=without_judge)
    return context.state.fusions[fusion].analysis


def output_limit(context: Context, judge: Panelist) -> int | None:
    limit = least(context.spec.policy.analysis_max_output_tokens, judge.max_output_tokens)
    return output_of(judge, limit)


async def _ask(
    context: Context, fusion: int, material: Material, key: str, judge: Panelist
) -> Ended:
    seats, limit = material.seats, output_limit(context, judge)
    messages = await aside(material.size, messages_for, context, fusion, material, judge)
    repair = await _repair(context, fusion, material, key)
    messages += repair
    # Some servers cut a long request silently: better no analysis than one of half the answers.
    if len(seats) < 2:
        return Ended({"text": ""}, ProviderError(Reason.CONTEXT_LENGTH, TOO_FEW))
    if excess(judge, messages, limit) > 0:
        return Ended({"text": ""}, ProviderError(Reason.CONTEXT_LENGTH, TOO_LONG))
    seen = await seen_by(context, judge, material, messages, limit)
    read = _reader(context, material)
    pieces: list[str] = []
    thoughts: list[str] = []
    told = Unmarked(material.fence, partial(context.write, EventType.CALL_DELTA, key))

    def write(text: str) -> None:
        """It is told as it comes, so that what is complete of it can be read before its end."""
        pieces.append(text)
        told(text)

    text_of = Watched(write, Detector(is_data=True))
    thoughts_of = Watched(thoughts.append, Detector(is_data=True))

    def alive() -> None:
        if context.state.calls[key].status is CallStatus.WAITING:
            context.say(EventType.CALL_ALIVE, key)

    def recast(text: str, reasoning: str) -> None:
        pieces[:], thoughts[:] = [text], [reasoning]
        shown = without_mark(text, material.fence)
        context.say(EventType.CALL_RECAST, key, text=shown, reasoning="")
        text_of.begin_with(text)
        thoughts_of.begin_with(reasoning)

    try:
        finish = await stream_call(
            context,
            key,
            judge,
            asked_with(
                seen,
                request_for(
                    judge,
                    messages,
                    max_output_tokens=limit,
                    temperature=0,
                    response_schema=analysis_schema(
                        seats, limit, is_short=is_short(context, judge)
                    ),
                ),
            ),
            on_text=text_of,
            on_reasoning=thoughts_of,
            on_recast=recast,
            on_alive=alive,
        )
    except ProviderError as error:
        was_refused(context, judge, seen, error)
        if error.reason == Reason.BUDGET_EXCEEDED:
            return Ended({"text": ""}, error)
        if error.reason is Reason.REPEATS_ITSELF:
            return await _before_it_looped(read, material, "".join(pieces), error)
        said = f"{SENTENCES[Reason.JUDGE_UPSTREAM_ERROR]} {ended(error.message)}"
        reason = Reason.JUDGE_UPSTREAM_ERROR.value
        return Ended({"text": "".join(pieces), "reason": reason, "error": said}, error)
    text, reasoning = "".join(pieces), "".join(thoughts)
    data = {"text": without_mark(text, material.fence), **receipt(finish)}
    try:
        # Whatever a judge wrote, other runs share this loop.
        analysis = await asyncio.to_thread(
            read, text, reasoning=reasoning, is_repaired=bool(repair)
        )
    except ProviderError as error:
        return Ended(data | {"error": _for_readers(error, finish)}, error)
    if not text.strip():
        data["text"] = without_mark(reasoning, material.fence)
    return Ended(data | {"analysis": await _verified(analysis, material)})


def _reader(context: Context, material: Material) -> Callable[..., dict[str, Any]]:
    """`read_analysis` for these answers; what only repeats itself, or what the judge was told,
    is no claim."""
    detector = Detector(
        mark=material.fence,
        prompts=[context.spec.prompts.analysis, context.spec.prompts.small_analysis],
        sources=lambda: material.texts,
    )
    return partial(
        read_analysis,
        seats=material.seats,
        is_no_claim=lambda text: is_alphabet(text) or detector.find_in(text) is not None,
    )


async def _verified(analysis: dict[str, Any], material: Material) -> dict[str, Any]:
    """By the whole answers, whatever was condensed for the judge."""
    answers = {seat: material.answers[seat].text for seat in material.seats}
    return await asyncio.to_thread(verify, analysis, answers)


async def _what_was_complete(
    context: Context, fusion: int, material: Material
) -> dict[str, Any] | None:
    """The most that judges had found before they failed: readers have seen it already."""
    read, found = _reader(context, material), []
    for call in context.state.calls_of(Step.ANALYSIS, fusion=fusion):
        with contextlib.suppress(ProviderError):
            found.append(await asyncio.to_thread(read, call.text, is_repaired=True))
    most = max(found, key=lambda analysis: len(statements(analysis)), default=None)
    return await _verified(most | {"cut_off": True}, material) if most else None


async def _before_it_looped(
    read: Callable[..., dict[str, Any]], material: Material, text: str, error: ProviderError
) -> Ended:
    """What a judge had found before it began to repeat itself is an analysis that broke off."""
    data: dict[str, Any] = {"text": without_mark(text, material.fence)}
    try:
        analysis = await asyncio.to_thread(read, text, is_repaired=True)
    except ProviderError:
        return Ended(data, error)
    return Ended(data | {"analysis": await _verified(analysis, material)})


def _for_readers(error: ProviderError, finish: Finish) -> str:
    """The error itself tells the judge what to mend, in terms of its JSON."""
    cut = " It was cut off at its output limit." if finish.finish_reason == "length" else ""
    return SENTENCES[error.reason] + cut


def is_short(context: Context, judge: Panelist) -> bool:
    """Whether it is asked in few words, and for what they ask for. Runs from before there were
    such words have none."""
    return bool(judge.is_small and context.spec.prompts.small_analysis)


def messages_for(
    context: Context, fusion: int, material: Material, judge: Panelist
) -> list[Message]:
    criteria = own_criteria(context.state.fusions[fusion].criteria)
    if is_short(context, judge):
        letters = ", ".join(material.letters)
        pages, told = in_plain_words(material.library, judge)
        few = fill(context.spec.prompts.small_analysis, letters=letters, criteria=criteria)
        return [
            {"role": "system", "content": few + told},
            {"role": "user", "content": _joined(material.in_plain_words(material.prompt), pages)},
        ]
    sources = context.spec.prompts.sources
    pages, told = beside_answers(material.library, judge, material.fence, sources)
    system = fill(
        context.spec.prompts.analysis,
        fence=material.fence,
        letters=", ".join(material.letters),
        criteria=criteria,
    )
    return [
        {"role": "system", "content": system + material.note + told},
        {"role": "user", "content": _joined(material.text(material.prompt), pages)},
    ]


def _joined(*blocks: str) -> str:
    return "\n\n".join(filter(None, blocks))


async def _repair(context: Context, fusion: int, material: Material, key: str) -> list[Message]:
    """What this call adds to the conversation: the text to mend, if it is one for repair."""
    wrote = _to_mend(context, fusion, key)
    if wrote is None:
        return []
    try:
        await asyncio.to_thread(_reader(context, material), wrote.text)
    except ProviderError as problem:
        ask = fill(
            context.spec.prompts.repair,
            problem=problem.message,
            letters=", ".join(material.letters),
        )
        said: list[Message] = [{"role": "assistant", "content": wrote.text}]
        return [*(said if wrote.text.strip() else []), {"role": "user", "content": ask}]
    return []


def _to_mend(context: Context, fusion: int, key: str) -> CallState | None:
    """The unreadable analysis of the same judge before this call, if a repair was decided on."""
    calls = sorted(context.state.calls_of(Step.ANALYSIS, fusion=fusion), key=lambda c: c.number)
    for call in reversed([c for c in calls if c.number < context.state.calls[key].number]):
        if call.reason in UNREADABLE and call.retry_cause == "repair":
            return call
        if call.retry_cause == "fallback":
            return None
    return None
