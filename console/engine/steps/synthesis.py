"""The synthesis step: the fused answer, streamed, from answers and analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..calls.aside import aside
from ..calls.call import Context, least, receipt, request_for, stream_call, unusable
from ..calls.tries import Ended, carry_out
from ..calls.window import excess, output_of
from ..errors import ProviderError, Reason
from ..events import EventType
from ..findings.analysis import analysis_text
from ..findings.best import best_answer
from ..provider import Message
from ..spec import Panelist
from ..state import CallState, Step
from .material import Material
from .prompts import callers_instructions, fill, own_criteria

TOO_LONG = "The answers do not fit the synthesizer's context, not even condensed."


async def synthesise(
    context: Context, fusion: int, material: Material, analysis: dict[str, Any] | None
) -> CallState:
    """The call that wrote the fused answer, or the last that failed to.

    When none could, the best single answer stands in (`FusionState.best`).
    """

    state = context.state.fusions[fusion]
    asked = state.turn.get("request", context.spec.request)

    async def perform(key: str, writer: Panelist) -> Ended:
        messages = await aside(
            material.size, messages_for, context, material, analysis, state.criteria, asked
        )
        messages += context.state.said_since(state)
        if not material.seats or excess(writer, messages, room_kept(context, writer)) > 0:
            return Ended({}, ProviderError(Reason.CONTEXT_LENGTH, TOO_LONG))
        try:
            finish = await stream_call(
                context,
                key,
                writer,
                request_for(
                    writer,
                    messages,
                    max_output_tokens=_limit(context, writer),
                    temperature=writer.temperature,
                    asked=asked,
                ),
                on_text=lambda text: context.say(EventType.CALL_DELTA, key, fusion, text=text),
                on_reasoning=lambda text: context.say(
                    EventType.CALL_REASONING_DELTA, key, fusion, text=text
                ),
                on_recast=lambda text, reasoning: context.say(
                    EventType.CALL_RECAST, key, fusion, text=text, reasoning=reasoning
                ),
            )
        except ProviderError as error:
            return Ended({}, error)
        call = context.state.calls[key]
        return Ended(receipt(finish), unusable(call.text, call.reasoning, finish))

    return await carry_out(
        context,
        Step.SYNTHESIS,
        fusion,
        Panelist.from_dict(state.synthesizer),
        perform,
        at_last=lambda: {} if state.turn else {"best": best_answer(analysis, material.answers).key},
    )


def _limit(context: Context, writer: Panelist) -> int | None:
    return least(context.spec.policy.synthesis_max_output_tokens, writer.max_output_tokens)


def room_kept(context: Context, writer: Panelist) -> int | None:
    """Tokens of the writer's window that the fused answer may need."""
    return output_of(writer, _limit(context, writer))


def _may_mark(asked: Mapping[str, Any], material: Material) -> bool:
    """Not a text for programs, and not where there is only one answer to point to."""
    options = asked.get("options", {})
    return len(material.seats) > 1 and not ({"response_format", "tools"} & set(options))


def messages_for(
    context: Context,
    material: Material,
    analysis: dict[str, Any] | None,
    criteria: str,
    asked: Mapping[str, Any],
) -> list[Message]:
    prompts = context.spec.prompts
    marks = fill(prompts.marks, letters=", ".join(material.letters))
    system = fill(
        prompts.synthesis,
        fence=material.fence,
        and_analysis=" and an analysis that compares them" if analysis else "",
        criteria=own_criteria(criteria),
        marks=f"\n\n{marks}" if marks and _may_mark(asked, material) else "",
    )
    parts = [material.text(material.task)]
    if analysis:
        parts.append(material.fenced("ANALYSIS", analysis_text(analysis)))
    system += material.note + callers_instructions(material.instructions)
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": "\n\n".join(parts)},
    ]
