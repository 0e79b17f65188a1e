"""The synthesis step: the fused answer, streamed, from answers and analysis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..calls.aside import aside
from ..calls.call import least, receipt, request_for, stream_call, unusable, words_for
from ..calls.context import Context
from ..calls.tries import Ended, carry_out
from ..calls.watched import Watched
from ..calls.window import excess, output_of
from ..errors import ProviderError, Reason
from ..events import EventType
from ..findings.analysis import analysis_text
from ..findings.best import best_answer
from ..findings.by_words import WORDS
from ..findings.degenerate import Detector, speaks_of_prompt, without_mark
from ..findings.put_together import put_together
from ..findings.ruling import has_rulings, has_words, told
from ..findings.votes import counted
from ..provider import Finish, Message
from ..spec import Panelist
from ..state import CallState, FusionState, Step
from .given_sources import beside_answers, in_plain_words, with_cited
from .material import Material, between_plain_lines
from .prompts import (
    callers_instructions,
    fill,
    looked_up_prompt,
    own_criteria,
    readers_rulings,
    wished_form,
)
from .seen import asked_with, seen_by, was_refused

_IN_FEW_WORDS = "The person who asks has read the answers. This is so, whatever they say:"
TOO_LONG = "The answers do not fit the writer's context, not even condensed."


async def synthesise(context: Context, fusion: int, whole: Material) -> CallState:
    """The call that wrote the fused answer, or the last that failed to.

    When none could, the best single answer stands in (`FusionState.best`). In the place of a
    writer that is too small to write it is put together from the answers.
    """

    state = context.state.fusions[fusion]
    asked = state.turn.get("request", context.spec.request)
    # What words have in common is for readers to see: a writer judges by the answers themselves.
    analysis = None if state.analysis_by == WORDS else state.analysis

    async def stand_in() -> dict[str, Any]:
        if state.turn:
            return {}
        return {"best": best_answer(state.analysis, whole.answers).key}

    async def perform(key: str, writer: Panelist) -> Ended:
        if is_put_together(writer, state, asked):
            return await _put_together(context, key, fusion, whole)
        material, messages = await _that_fits(context, whole, analysis, state, asked, writer)
        if not material.seats or excess(writer, messages, room_kept(context, writer)) > 0:
            return Ended({}, ProviderError(Reason.CONTEXT_LENGTH, TOO_LONG))
        seen = await seen_by(context, writer, material, messages, room_kept(context, writer))
        text, thoughts = _watched(context, key, fusion, material, asked)

        def recast(said: str, reasoning: str) -> None:
            said = without_mark(said, material.fence)
            context.say(EventType.CALL_RECAST, key, fusion, text=said, reasoning=reasoning)
            text.begin_with(said)
            thoughts.begin_with(reasoning)

        try:
            finish = await stream_call(
                context,
                key,
                writer,
                asked_with(
                    seen,
                    request_for(
                        writer,
                        messages,
                        max_output_tokens=_limit(context, writer),
                        temperature=writer.temperature,
                        asked=asked,
                    ),
                ),
                on_text=text,
                on_reasoning=thoughts,
                on_recast=recast,
            )
        except ProviderError as error:
            was_refused(context, writer, seen, error)
            return Ended({}, error)
        call = context.state.calls[key]
        if words := words_for(call.text, finish):
            text(words)
            context.settle()
        wrong = unusable(call.text, call.reasoning, finish)
        try:
            text.end()
            thoughts.end()
        except ProviderError as error:
            wrong = error
        context.settle()
        finish = with_cited(context, call.text, finish)
        if wrong is None and speaks_of_prompt(call.text, material.prompt):
            wrong = ProviderError(Reason.ECHOES_PROMPT)
        return Ended(receipt(finish), wrong)

    return await carry_out(
        context,
        Step.SYNTHESIS,
        fusion,
        Panelist.from_dict(state.synthesizer),
        perform,
        at_last=stand_in,
    )


async def _that_fits(
    context: Context,
    material: Material,
    analysis: dict[str, Any] | None,
    state: FusionState,
    asked: Mapping[str, Any],
    writer: Panelist,
) -> tuple[Material, list[Message]]:
    """What was looked up for the writer is left out where there is no room for it."""
    messages = await aside(
        material.size, messages_for, context, material, analysis, state, asked, writer
    )
    messages += context.state.said_since(state)
    if material.without and excess(writer, messages, room_kept(context, writer)) > 0:
        return await _that_fits(context, material.without, analysis, state, asked, writer)
    return material, messages


async def count(context: Context, fusion: int, material: Material) -> CallState:
    """In the place of a fused answer: how many answers say what. No model is asked."""

    async def perform(key: str, _: Panelist) -> Ended:
        return await _say(context, key, fusion, counted(material.answers))

    nobody = replace(Panelist.from_dict(context.state.fusions[fusion].synthesizer), judges=False)
    return await carry_out(context, Step.SYNTHESIS, fusion, nobody, perform)


async def _put_together(context: Context, key: str, fusion: int, material: Material) -> Ended:
    best = best_answer(context.state.fusions[fusion].analysis, material.answers).seat
    assert best is not None
    text = await aside(material.size, put_together, material.answers, material.prompt, best)
    return await _say(context, key, fusion, text)


async def _say(context: Context, key: str, fusion: int, text: str) -> Ended:
    """A call that is taken up goes on from what it had said, since the same comes of it."""
    said = context.state.calls[key].text
    if not text.startswith(said):
        context.say(EventType.CALL_RECAST, key, fusion, text="", reasoning="")
        said = ""
    for piece in text[len(said) :].splitlines(keepends=True):
        context.say(EventType.CALL_DELTA, key, fusion, text=piece)
        await asyncio.sleep(0)
    return Ended(receipt(Finish("stop")), None if text.strip() else ProviderError(Reason.EMPTY))


def _watched(
    context: Context, key: str, fusion: int, material: Material, asked: Mapping[str, Any]
) -> tuple[Watched, Watched]:
    """(text, thoughts) as they are written: nobody is shown the fence's mark."""

    def hand_on(kind: EventType) -> Callable[[str], None]:
        return lambda text: context.write(kind, key, fusion, text=text)

    prompts, fence = context.spec.prompts, material.fence
    detector = Detector(
        mark=fence,
        prompts=[prompts.synthesis, prompts.marks, prompts.small_synthesis],
        sources=lambda: material.texts,
        asked=material.prompt,
        is_data="response_format" in asked.get("options", {}),
    )
    thoughts = Detector(asked=material.prompt, is_data=True)
    return (
        Watched(hand_on(EventType.CALL_DELTA), detector, mark=fence),
        Watched(hand_on(EventType.CALL_REASONING_DELTA), thoughts),
    )


def _limit(context: Context, writer: Panelist) -> int | None:
    return least(context.spec.policy.synthesis_max_output_tokens, writer.max_output_tokens)


def room_kept(context: Context, writer: Panelist) -> int | None:
    """Tokens of the writer's window that the fused answer may need."""
    return output_of(writer, _limit(context, writer))


def _may_mark(asked: Mapping[str, Any], material: Material) -> bool:
    """Not a text for programs, and not where there is only one answer to point to."""
    return len(material.seats) > 1 and not _wants_a_form(asked)


def is_put_together(writer: Panelist, fusion: FusionState, asked: Mapping[str, Any]) -> bool:
    """From the answers' own sentences, without a writer: where it is too small to write, unless
    what it is to write has a form that sentences do not have, or heeds what only who reads can."""
    is_asked = fusion.turn or has_words(fusion.wish) or _wants_a_form(asked)
    return not (writer.can_judge or is_asked)


def _wants_a_form(asked: Mapping[str, Any]) -> bool:
    """That only a model can keep to."""
    return bool({"response_format", "tools"} & set(asked.get("options", {})))


def messages_for(
    context: Context,
    material: Material,
    analysis: dict[str, Any] | None,
    fusion: FusionState,
    asked: Mapping[str, Any],
    writer: Panelist,
) -> list[Message]:
    prompts = context.spec.prompts
    instructions = callers_instructions(material.instructions)
    instructions += wished_form(fusion.wish.get("instruction", ""))
    criteria, is_ruled = fusion.criteria, has_rulings(fusion.wish)
    # Of the reader's words none may close the fence either.
    ruling = without_mark(told(fusion.wish), material.fence) if is_ruled else ""
    is_few = writer.is_small or has_words(fusion.wish) and not writer.can_judge
    if is_few and prompts.small_synthesis:
        few = fill(prompts.small_synthesis, criteria=own_criteria(criteria))
        pages, told_of_them = in_plain_words(material.library, writer)
        said = [material.in_plain_words(material.task), *([pages] if pages else [])]
        few += told_of_them
        if material.looked_up:
            said.append(between_plain_lines({"Said by pages": material.looked_up}))
        if ruling:
            said.append(f"{_IN_FEW_WORDS}\n{ruling}")
        return [
            {"role": "system", "content": few + instructions},
            {"role": "user", "content": "\n\n".join(said)},
        ]
    marks = fill(prompts.marks, letters=", ".join(material.letters))
    is_marked = bool(marks) and _may_mark(asked, material)
    system = fill(
        prompts.synthesis,
        fence=material.fence,
        and_analysis=" and an analysis that compares them" if analysis else "",
        criteria=own_criteria(criteria),
        marks=f"\n\n{marks}" if is_marked else "",
    )
    pages, told_of_them = beside_answers(material.library, writer, material.fence, prompts.sources)
    parts = [material.text(material.task), *([pages] if pages else [])]
    if analysis:
        parts.append(material.fenced("ANALYSIS", analysis_text(analysis)))
    system += material.note + told_of_them
    if material.looked_up:
        parts.append(material.fenced("LOOKED UP", material.looked_up))
        system += looked_up_prompt()
    if ruling:
        system += readers_rulings(is_marked=is_marked)
        parts.append(material.fenced("READER", ruling))
    system += instructions
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": "\n\n".join(parts)},
    ]
